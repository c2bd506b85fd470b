"""What LiveArchive does on this machine, beside what one would run instead.

Taking mail in: Postfix in front of Dovecot with mail_crypt, Dovecot's LMTP by itself, and
`livearchive serve`, each with the same load, one after the other, for several rounds; `--only tee`
is this for mails of 6 KB and a mix, over 10 and 50 sessions, with idle sessions and very large
mails. Reading: the pages of a mailbox of 1,500 mails and of one of 20,000; `--only webmail` is what
a person waits for, beside Roundcube. Limits: the writer by
itself, beside what the machine can do. All of it lives in one folder on one medium and is gone at
the end; nothing of the system is changed. The result is Markdown on standard output, and what is
going on is told on standard error. No figure is judged; only a mail that was taken and is lost is
an error. The peers need root and the packages postfix and dovecot-lmtpd.

`./dev bench reliability` is another thing: it kills processes and cuts the power.
"""

import argparse
import os
import platform
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import corpus, ingest, limits, roundcube, tee, web, webmail
from bench.medium import Medium, can_mount, medium
from bench.ours import LiveArchive, live_archive
from bench.peers import missing, peers, versions
from bench.reliability import __main__ as reliability
from bench.servers import Target

TEE: dict[str, Any] = {"kinds": ["6k", "mix"], "sessions": [10, 50]}
QUICK: dict[str, Any] = {"rounds": 1, "seconds": 2.0, "pages": 30, "large": 2_000}
USUAL: dict[str, Any] = {"rounds": 3, "seconds": 3.0, "pages": 100, "large": 20_000}
ONE_LOAD: dict[str, Any] = {"kinds": ["6k"], "sessions": [10]}


def main() -> None:
    """Measure what the command line asks for, and print it."""
    if sys.argv[1:2] == ["reliability"]:
        sys.exit(reliability.main(sys.argv[2:]))
    given = _arguments()
    with ExitStack() as running:
        place = running.enter_context(medium(given.medium))
        tell(f"working in {place.folder} on {place.name}; setting up")
        targets: list[Target] = []
        if given.ingest and not given.alone:
            targets += running.enter_context(peers(place.folder / "peers"))
        print(_machine(place, with_peers=bool(targets)))
        if given.limits:
            tell("storing by itself, beside the limits of this machine")
            data = LiveArchive(place.folder / "limits").data
            print(f"\n{limits.measure(data, place.folder, given.seconds)}\n")
        ours = running.enter_context(live_archive(place.folder / "livearchive"))
        if given.ingest:
            plan = ingest.Plan(given.kinds, given.sessions, given.rounds, given.seconds)
            results = ingest.compare([*targets, ours], plan, place, tell)
            print(f"\n{ingest.table(results)}\n")
        if given.only == "tee":
            tell("idle sessions, and one client with very large mails")
            print(f"{tee.measure(ours, place, given.rounds, given.seconds)}\n")
        if given.web:
            tell("filling the mailbox of a reader")
            web.fill(ours, place)
            rows = web.measure(ours, given.pages)
            tell("filling a large mailbox")
            rows += web.measure_large(ours, place, given.large, given.pages)
            print(f"\n{web.table(rows)}\n")
        if given.only == "webmail":
            tell("filling eight mailboxes of each webmail")
            print(f"\n{webmail.compare(ours, place, given.rounds, xapian=given.xapian)}\n")
        tell("checking every stored mail")
        print(_check(ours))


def tell(text: str) -> None:
    """Say what is going on."""
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    words = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    say = words.add_argument
    say("--quick", action="store_true", help="one short round of each: about a minute")
    say("--only", choices=("ingest", "tee", "web", "webmail", "limits"), help="only this part")
    say("--alone", action="store_true", help="without the peers")
    say("--kinds", type=_kinds, help=f"of {','.join(corpus.KINDS)} (6k)")
    say("--sessions", type=_numbers, help="SMTP sessions at once, like 10,50 (10)")
    say("--rounds", type=int, help="how often each load is run; medians are told (3)")
    say("--seconds", type=float, help="how long each load lasts (3)")
    say("--xapian", action="store_true", help="with webmail: also Roundcube with a full-text index")
    say("--pages", type=int, help="how often each page is asked for (100)")
    say("--large", type=int, help="how many mails the large mailbox has (20000)")
    say(
        "--medium",
        choices=("ram", "disk"),
        default="ram" if can_mount() else "disk",
        help="ram: ext4 in memory, so that fsync does its work and the device takes no time "
        "(needs root); disk: the temporary folder",
    )
    given = words.parse_args()
    lasting = QUICK if given.quick else USUAL
    loads = TEE if given.only == "tee" else ONE_LOAD
    for name, value in (lasting | loads).items():
        if getattr(given, name) is None:
            setattr(given, name, value)
    given.ingest, given.web, given.limits = (
        given.only in (None, *parts) for parts in (("ingest", "tee"), ("web",), ("limits",))
    )
    if given.ingest and not given.alone and (lack := _why_alone()):
        tell(f"without the peers: {lack}")
        given.alone = True
    if given.only == "webmail" and (lack := roundcube.can_run()):
        words.error(f"Roundcube cannot run here: {lack}")
    return given


def _why_alone() -> str:
    if os.geteuid() != 0:
        return "only root can start Postfix"
    return (
        f"these packages are not installed: {', '.join(lacking)}" if (lacking := missing()) else ""
    )


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    if not set(kinds) <= set(corpus.KINDS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(corpus.KINDS)}")
    return kinds


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _machine(place: Medium, *, with_peers: bool) -> str:
    """What the figures belong to."""
    cpu = next(
        line.partition(":")[2].strip()
        for line in [*Path("/proc/cpuinfo").read_text().splitlines(), "model name: unknown"]
        if line.startswith("model name")
    )
    facts = [f"{os.cpu_count()} cores ({cpu})", f"Linux {platform.release()}"]
    facts += [f"Python {platform.python_version()}", f"medium {place.name}"]
    return ", ".join([*facts, *([versions()] if with_peers else [])]) + "."


def _check(ours: LiveArchive) -> str:
    found = ours.fsck()
    if found["problems"]:
        raise SystemExit(f"bench: fsck found {found['problems']}")
    return f"`livearchive fsck` opened {found['opened']} of {found['entries']} stored mails."


if __name__ == "__main__":
    main()
