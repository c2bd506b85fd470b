"""Taking mail in: every target gets the same load in turn, round after round, in one run.

A run counts from the first command to the moment when the last mail lies in its mailbox. For
Postfix that is when its queue is empty, for the others the last 250. LiveArchive has a second
moment, when the last mail has its summary for lists and searches. "Taking" is what was used until
the first moment by the processes that take mail and store it: for LiveArchive the ingest role, for
the others all of them. What is compared is the ratio of medians: absolute figures change with the
machine and with what else it does.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bench.load import MAILBOXES
from bench.medium import Medium
from bench.meters import Meter, Usage, percentile
from bench.ours import LiveArchive
from bench.servers import Target

POLL_SECONDS = 0.05
PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent in one run."""

    kind: str
    sessions: int
    seconds: float
    most: int = 1_000_000
    only: int | None = None  # the one mailbox that gets all; None: each of the hundred in turn

    def start(self, target: Target) -> "subprocess.Popen[str]":
        """The sending process, ready to begin."""
        command = [sys.executable, "-m", "bench.load", "--port", str(target.port)]
        command += ["--kind", self.kind, "--sessions", str(self.sessions)]
        command += ["--seconds", str(self.seconds), "--most", str(min(self.most, target.most))]
        command += [] if self.only is None else ["--only", str(self.only)]
        command += ["--lmtp"] if target.lmtp else []
        sender = subprocess.Popen(
            command,
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert sender.stdout is not None
        sender.stdout.readline()
        return sender


@dataclass(frozen=True, slots=True)
class Run:
    """What one load on one target gave. Seconds count from the first command."""

    taken: int
    octets: int
    latencies: Sequence[float]
    errors: dict[str, int]
    accepted: float  # until the last 250
    delivered: float  # until the last mail was in its mailbox
    summarised: float  # until the last mail had its summary; 0: the target makes none
    taking: Usage  # of what takes mail and stores it, until the last was in its mailbox
    usage: Usage  # of the whole target, until it was done with everything
    other_cpu: float  # of anything but target and load: kernel threads, other programs

    @property
    def rate(self) -> float:
        return self.taken / self.delivered

    @classmethod
    def measure(cls, target: Target, load: Load, medium: Medium) -> Self:
        """Load the target once; SystemExit when a mail that it took is not there."""
        before, sender = target.stored(), load.start(target)
        own = time.process_time()
        with Meter(target.roots, medium.device) as meter:
            begun = time.perf_counter()
            with Meter(target.taking, medium.device) as taking:
                answer, _ = sender.communicate("go\n")
                report: dict[str, Any] = json.loads(answer)
                delivered = report["seconds"]
                if target.waiting():
                    delivered = _wait(target.waiting, begun)
            summarised = 0.0
            if isinstance(target, LiveArchive):
                summarised = _wait(target.without_summary, begun)
        if target.stored() - before < report["taken"]:
            raise SystemExit(f"bench: {target.name}: a mail that it said 250 to is not there")
        usage = meter.usage
        others = usage.all_cpu - usage.cpu - report["cpu"] - (time.process_time() - own)
        return cls(
            report["taken"],
            report["octets"],
            report["latencies"],
            report["errors"],
            report["seconds"],
            delivered,
            summarised,
            taking.usage,
            usage,
            max(0.0, others),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """Which loads, and how often."""

    kinds: Sequence[str]
    sessions: Sequence[int]
    rounds: int
    seconds: float

    def loads(self) -> list[Load]:
        return [
            Load(kind, sessions, self.seconds) for kind in self.kinds for sessions in self.sessions
        ]


Results = dict[tuple[Load, str], list[Run]]


def compare(
    targets: Sequence[Target], plan: Plan, medium: Medium, tell: Callable[[str], None]
) -> Results:
    """Run every load on every target in turn, `rounds` times."""
    results: Results = {}
    for target in targets:
        # Everybody's folders, keys and connections are there before anything counts.
        Run.measure(target, Load("6k", 10, 60, 2 * MAILBOXES), medium)
    for load in plan.loads():
        for number in range(plan.rounds):
            for target in targets:
                run = Run.measure(target, load, medium)
                results.setdefault((load, target.name), []).append(run)
                tell(
                    f"{load.kind}, {load.sessions} sessions, round {number + 1}: "
                    f"{target.name}: {run.rate:.0f}/s"
                )
    return results


def table(results: Results) -> str:
    """The medians as a Markdown table; ratios are to the target that was measured first."""
    _, base = next(iter(results))
    lines = [
        "| mail | sessions | target | 250/s | **in mailbox/s** | MB/s | ratio | with summary/s "
        "| 250 after ms p50/p95/p99 | CPU s per 1,000: taking | in all | peak PSS MB: taking "
        "| in all | written/received: taking | in all | others' cores |",
        "| --- | --: | --- " + "| --: " * 13 + "|",
    ]
    for (load, name), runs in results.items():
        lines.append(_row(load, name, runs, results.get((load, base))))
    return "\n".join(lines)


def _row(load: Load, name: str, runs: Sequence[Run], base: Sequence[Run] | None) -> str:
    rate = median(run.rate for run in runs)
    ratio = f"{rate / median(run.rate for run in base):.1f}" if base else ""
    summaries = median(run.taken / run.summarised if run.summarised else 0.0 for run in runs)
    latencies = [each for run in runs for each in run.latencies]
    cells = (
        load.kind,
        str(load.sessions),
        name,
        f"{median(run.taken / run.accepted for run in runs):.0f}",
        f"**{rate:.0f}**",
        f"{median(run.octets / run.delivered for run in runs) / 1e6:.1f}",
        ratio,
        f"{summaries:.0f}" if summaries else "",
        "/".join(f"{percentile(latencies, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99)),
        f"{median(run.taking.cpu / run.taken * 1000 for run in runs):.2f}",
        f"{median(run.usage.cpu / run.taken * 1000 for run in runs):.2f}",
        f"{max(run.taking.peak_pss for run in runs) / 1e6:.0f}",
        f"{max(run.usage.peak_pss for run in runs) / 1e6:.0f}",
        f"{median(run.taking.written / run.octets for run in runs):.2f}",
        f"{median(run.usage.written / run.octets for run in runs):.2f}",
        f"{median(run.other_cpu / run.usage.seconds for run in runs):.1f}",
    )
    return "| " + " | ".join(cells) + " |"


def median(values: Iterable[float]) -> float:
    """Of any number of values but none."""
    return statistics.median(values)


def _wait(left: Callable[[], int], begun: float) -> float:
    """Wait until nothing is left; seconds since `begun`."""
    while left():
        if time.perf_counter() - begun > PATIENCE_SECONDS:
            raise SystemExit("bench: a target does not get done with what it took")
        time.sleep(POLL_SECONDS)
    return time.perf_counter() - begun
