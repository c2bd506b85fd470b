"""Every mail is in both places, once: `python -m bench.soak`.

    senders → Postfix → LiveArchive (relay mode) → Postfix → Dovecot

All of them real. Mails of a mix of sizes are sent without a pause while the customer's Postfix is
stopped and started again and again. Then the multiset of what was sent is held against what lies
in the archive and what lies in Dovecot: by number, and octet for octet but for line ends, which a
Maildir has as LF. Ends with 1 when a mail is lost, altered, or twice in the archive. Twice at
the primary is a fault only beyond what SMTP leaves open: a session that was cut between the final
dot and its reply, of which each outage can have SESSIONS. Needs root, for Postfix; some 16 KB a
mail and three times that on the disk.
"""

import argparse
import random
import re
import smtplib
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bench import corpus
from tests.parts.dovecot import Dovecot
from tests.parts.network import wait_until
from tests.parts.postfix import Postfix, Route
from tests.parts.process import server_folder, unprivileged_user
from tests.scenarios.service import Service

DOMAIN = "acme.example"
SIZES = {"6k": 0.80, "30k": 0.17, "200k": 0.03}
SESSIONS = 5  # towards one primary: `DeliverConfig.sessions_per_destination`
# The part of each turn in which the primary is down.
DOWN_FROM, DOWN_UNTIL = 0.3, 0.7
_NUMBER = re.compile(rb"^X-Soak: (\d+)\r\n", re.MULTILINE)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much. `patience` in seconds: for everything to arrive once all is sent."""

    mails: int = 2_000
    outages: int = 10
    people: int = 20
    senders: int = 8
    patience: float = 3_600.0


@dataclass(slots=True)
class Report:
    """How often each mail is where, and what is wrong with that."""

    mails: int
    allowed: int  # mails that may be twice at the primary
    archive: Counter[int] = field(default_factory=Counter)
    primary: Counter[int] = field(default_factory=Counter)
    altered: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """Empty: every mail is where it should be."""
        found = list(self.altered)
        for name, seen, most in (
            ("the archive", self.archive, 0),
            ("the primary", self.primary, self.allowed),
        ):
            lost = [number for number in range(self.mails) if not seen[number]]
            more = sum(seen.values()) - len(seen)
            found += [f"{len(lost)} lost for {name}, the first is {lost[0]}"] if lost else []
            found += [f"{more} more than once in {name}"] if more > most else []
        return found

    def line(self) -> str:
        """One line for people."""
        doubled = sum(self.primary.values()) - len(self.primary)
        return (
            f"{self.mails:,} sent; {len(self.archive):,} in the archive, "
            f"{len(self.primary):,} at the primary, {doubled} of them twice; "
            f"{'wrong: ' + '; '.join(self.wrong) if self.wrong else 'none lost, none altered'}"
        )


class Mails:
    """What is sent: each with a number of its own in front of a mail of the corpus."""

    def __init__(self, plan: Plan) -> None:
        dice = random.Random("soak")
        kinds = dice.choices(list(SIZES), list(SIZES.values()), k=plan.mails)
        self._kinds = kinds
        self._people = plan.people

    def octets(self, number: int) -> bytes:
        kind = self._kinds[number]
        body = corpus.mail(kind, number % corpus.DIFFERENT[kind])
        return f"X-Soak: {number}\r\n".encode() + body

    def __len__(self) -> int:
        return len(self._kinds)

    def recipient(self, number: int) -> str:
        return f"p{number % self._people}@{DOMAIN}"


def run(plan: Plan, folder: Path, tell: Tell) -> Report:
    """Set it all up, send, cut, wait, and compare."""
    mails = Mails(plan)
    with ExitStack() as running:
        user = unprivileged_user()
        dovecot = Dovecot(running.enter_context(server_folder(user)), user)
        dovecot.start()
        running.callback(dovecot.stop)
        primary = _postfix(running, Route(DOMAIN, dovecot.lmtp_port, "lmtp"))
        service = Service(folder, "sqlite:")
        service.set_up(f"127.0.0.1:{primary.port}")
        for person in range(plan.people):
            service.add_person(f"p{person}@{DOMAIN}", f"Person {person}")
        running.callback(service.stop)
        service.start()
        upstream = _postfix(running, Route(DOMAIN, service.ports.smtp))
        tell("sending")
        _send(plan, mails, upstream, primary, tell)
        tell("all sent; waiting until nothing waits")
        wait_until(lambda: not upstream.queue(), "the upstream's queue is empty", plan.patience)
        wait_until(lambda: not service.waiting(), "the mailbag is empty", plan.patience)
        wait_until(lambda: not primary.queue(), "the primary's queue is empty", plan.patience)
        tell("comparing")
        return _compare(plan, mails, service, dovecot)


def _postfix(running: ExitStack, route: Route) -> Postfix:
    postfix = Postfix(running.enter_context(server_folder()), [route])
    postfix.start()
    running.callback(postfix.stop)
    return postfix


def _send(plan: Plan, mails: Mails, upstream: Postfix, primary: Postfix, tell: Tell) -> None:
    """Send everything; the primary goes down and up at fixed shares of it."""
    numbers, lock, sent = count(), threading.Lock(), threading.Semaphore(0)

    def sender() -> None:
        with smtplib.SMTP("127.0.0.1", upstream.port, timeout=120) as client:
            while (number := _next(numbers, lock)) < plan.mails:
                client.sendmail(
                    "anna@outside.example", [mails.recipient(number)], mails.octets(number)
                )
                sent.release()

    with ThreadPoolExecutor(plan.senders) as threads:
        work = [threads.submit(sender) for _ in range(plan.senders)]
        done = 0
        for outage in range(plan.outages):
            for share, act in ((DOWN_FROM, primary.stop), (DOWN_UNTIL, primary.start)):
                wanted = int((outage + share) * plan.mails / plan.outages)
                while done < wanted and not all(one.done() for one in work):
                    done += sent.acquire(timeout=1)
                act()
            tell(f"outage {outage + 1} of {plan.outages} is over, {done:,} mails are sent")
        for one in work:
            one.result()


def _next(numbers: Iterator[int], lock: threading.Lock) -> int:
    with lock:
        return next(numbers)


def _compare(plan: Plan, mails: Mails, service: Service, dovecot: Dovecot) -> Report:
    report = Report(plan.mails, plan.outages * SESSIONS)
    for person in range(plan.people):
        address = f"p{person}@{DOMAIN}"
        for seen, found in (
            (report.archive, service.export(address).values()),
            (report.primary, dovecot.messages(address)),
        ):
            _count(seen, report.altered, mails, address, list(found))
    return report


def _count(
    seen: Counter[int], altered: list[str], mails: Mails, address: str, found: Sequence[bytes]
) -> None:
    for octets in found:
        match = _NUMBER.search(octets)
        number = int(match[1]) if match else -1
        if match is None or number >= len(mails) or mails.recipient(number) != address:
            altered.append(f"a mail of {address} is none that was sent there")
            continue
        seen[number] += 1
        if octets[match.start() :] != mails.octets(number):
            altered.append(f"mail {number} is not what was sent")


def main() -> int:
    """The exit status."""
    words = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    usual = Plan()
    words.add_argument("--mails", type=int, default=usual.mails, help="(2000; long: 200000)")
    words.add_argument("--outages", type=int, default=usual.outages, help="(10)")
    words.add_argument("--people", type=int, default=usual.people, help="(20)")
    words.add_argument("--senders", type=int, default=usual.senders, help="SMTP sessions (8)")
    given = words.parse_args()
    plan = Plan(
        mails=given.mails, outages=given.outages, people=given.people, senders=given.senders
    )
    with tempfile.TemporaryDirectory(prefix="livearchive-soak-") as folder:
        report = run(plan, Path(folder), lambda text: print(text, file=sys.stderr, flush=True))
    print(report.line())
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
