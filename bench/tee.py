"""What taking mail promises beside its rate: many idle sessions cost little, and one client that
sends very large mails does not hold up the others.

LiveArchive by itself. The rate and the wait of small mails are those of one sender with ten
sessions, in turns alone and beside another sender with one session and mails of 50 MB.
"""

import asyncio
from collections.abc import Sequence

from bench.ingest import Load, Run, median
from bench.medium import Medium
from bench.meters import percentile, pss
from bench.ours import LiveArchive

PEERS = 10
SESSIONS_OF_A_PEER = 200  # as many as the door lets in of one address
SETTLE_SECONDS = 2.0


def measure(ours: LiveArchive, medium: Medium, rounds: int, seconds: float) -> str:
    """Two sentences in Markdown."""
    return f"{_idle(ours)}\n\n{_beside_large_mails(ours, medium, rounds, seconds)}"


def _idle(ours: LiveArchive) -> str:
    before, during = asyncio.run(_with_idle_sessions(ours))
    sessions = PEERS * SESSIONS_OF_A_PEER
    return (
        f"{sessions:,} idle sessions: the ingest role has {during / 1e6:.0f} MB "
        f"(PSS), {before / 1e6:.0f} MB without them."
    )


async def _with_idle_sessions(ours: LiveArchive) -> tuple[int, int]:
    """The memory of the processes that take mail without idle sessions, and with them."""
    before = pss(ours.taking)
    opened = [
        await asyncio.open_connection("127.0.0.1", ours.port, local_addr=(f"127.0.0.{2 + peer}", 0))
        for peer in range(PEERS)
        for _ in range(SESSIONS_OF_A_PEER)
    ]
    for reader, writer in opened:
        greeting = await reader.readline()
        if not greeting.startswith(b"220"):
            raise SystemExit(f"bench: an idle session was refused: {greeting!r}")
        writer.write(b"NOOP\r\n")
        await reader.readline()
    await asyncio.sleep(SETTLE_SECONDS)
    during = pss(ours.taking)
    for _, writer in opened:
        writer.close()
    return before, during


def _beside_large_mails(ours: LiveArchive, medium: Medium, rounds: int, seconds: float) -> str:
    small = Load("6k", 10, seconds)
    # It begins before the small ones and goes on until they are done.
    large = Load("50m", 1, seconds + SETTLE_SECONDS)
    alone: list[Run] = []
    beside: list[Run] = []
    for _ in range(rounds):
        alone.append(Run.measure(ours, small, medium))
        other = large.start(ours)
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        beside.append(Run.measure(ours, small, medium))
        other.communicate()
    return (
        f"6 KB over 10 sessions: {_rate(alone)}; beside one session that sends one mail of 50 MB "
        f"after the other: {_rate(beside)}."
    )


def _rate(runs: Sequence[Run]) -> str:
    latencies = [each for run in runs for each in run.latencies]
    waits = "/".join(f"{percentile(latencies, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99))
    return f"{median(run.rate for run in runs):.0f}/s, 250 after {waits} ms (p50/p95/p99)"
