"""The n-th file operation fails: while mail comes in, is handed on, is swept and is exported.

The library of `faults.c` stands in front of the C library in every process of the service. For
each kind of fault and each n, one operation runs into it once. Then, with the fault gone: what
was answered must fit, the next mail must be taken, and nothing acknowledged may be missing. Sweep
and export are held to the same in `offline.py`, without the service.
"""

import smtplib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from app.delivery import desk
from app.fsck.check import check
from app.fsck.findings import Wrong
from app.fsck.ports import store_of
from archive_store.clock import utc_now
from bench.reliability import offline
from bench.reliability.control import FAULTS, NEVER, Calls, Control, Fault, Seen, build, thinned
from bench.reliability.ledger import Ledger, body_of, judge, name_of, octets_of
from bench.reliability.load import send_one, take_from
from tests.scenarios.service import ACTOR, Primary, Service, running_primary

RELAYED, COPIED = "vlad@acme.example", "copied@copy.example"
PATIENCE_SECONDS = 60.0
COUNTINGS = 3  # how many calls it takes depends on what SQLite has in memory
# What the door may say of a mail that ran into a fault. 250 everywhere: the fault may hit what
# the mail does not depend on, such as moving SQLite's log into its database.
REPLIES = {
    "EIO": {250, 451},
    "ENOSPC": {250, 452},
    "full from then on": {250, 452},
    "short write": {250},
    "failed fsync": {250, 451},
    "unreadable": {250, 451},
    "connection lost": {250, 451},
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many: at most so many n of each kind of fault, in each operation (0: every n)."""

    points: int = 3
    operations: tuple[str, ...] = ("ingest", "segment", "relay", "sweep", "export")
    faults: tuple[str, ...] = tuple(fault.name for fault in FAULTS)
    database_url: str = ""
    objects_url: str = ""


@dataclass(slots=True)
class Report:
    """What a run did and saw."""

    points: Counter[str] = field(default_factory=Counter)  # by operation
    replies: Counter[int] = field(default_factory=Counter)
    acknowledged: int = 0
    refused_and_there: int = 0
    restarts: int = 0
    longest: float = 0.0  # seconds until the next mail was taken
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report for a person."""
        each = ", ".join(f"{name} {count}" for name, count in sorted(self.points.items()))
        replies = ", ".join(f"{code}: {count}" for code, count in sorted(self.replies.items()))
        return [
            f"{self.points.total()} faults ({each})",
            f"replies to mail that ran into one: {replies}; roles started anew: {self.restarts}",
            f"{self.acknowledged} mails acknowledged; refused and there all the same: "
            f"{self.refused_and_there}; the next was taken after {self.longest:.1f} s at most",
            *(self.wrong or ["lost 0, doubled 0, half 0, wedged 0"]),
        ]


class Failing:
    """One running installation whose roles run into faults."""

    def __init__(
        self, service: Service, primary: Primary, control: Control, plan: Plan, report: Report
    ) -> None:
        self._service = service
        self._primary = primary
        self._control = control
        self._plan = plan
        self._report = report
        self._ledger = Ledger()
        self._number = 0
        self._refused: set[str] = set()
        self._handed_on: dict[str, bytes] = {}  # bodies by name

    def run(self, tell: Callable[[str], None]) -> None:
        """Every fault of the operations that need the service."""
        operations = {"ingest": self._ingest, "segment": self._segment, "relay": self._relay}
        self._goes_on("the start")
        for name in [name for name in operations if name in self._plan.operations]:
            for fault in (one for one in FAULTS if one.name in self._plan.faults):
                times = 1 if self._plan.points else COUNTINGS
                count = max(operations[name](fault, NEVER).calls for _ in range(times))
                for at in thinned(count, self._plan.points or count):
                    self._report.points[name] += operations[name](fault, at).fired > 0
                self._check(f"{name}, {fault.name}")
                tell(f"{name}, {fault.name}: {count} calls, {self._report.points[name]} faults")

    def _ingest(self, fault: Fault, at: int) -> Seen:
        """One mail to a mailbox while the writer's n-th call fails."""
        pid = self._pid("ingest_writer")
        self._control.arm(pid, fault, at)
        name, code = self._send(COPIED)
        seen = self._control.disarm()
        what = f"ingest, {fault.name} at {at} ({seen.call} {Path(seen.path).name})"
        if seen.fired:
            self._report.replies[code] += 1
            if code not in REPLIES[fault.name]:
                self._report.wrong.append(f"{what}: the door said {code}")
            if code != 250:
                self._refused.add(name)
        self._goes_on(what)
        self._report.restarts += self._pid("ingest_writer") != pid
        if fault.calls == Calls.SYNC and seen.path.endswith(".seg") and _has_open(pid, seen.path):
            self._report.wrong.append(f"{what}: the file is still trusted")
        return seen

    def _segment(self, fault: Fault, at: int) -> Seen:
        """The same for the first mail of a new segment, with a new file and its folders."""
        failed_sync = next(one for one in FAULTS if one.calls == Calls.SYNC)
        self._control.arm(self._pid("ingest_writer"), failed_sync, 1)
        self._send(COPIED)
        if not self._control.disarm().path.endswith(".seg"):
            self._report.wrong.append(
                f"segment, {fault.name} at {at}: the old one was not given up"
            )
        return self._ingest(fault, at)

    def _relay(self, fault: Fault, at: int) -> Seen:
        """One mail to be handed on while the deliver role's n-th call fails."""
        pid = self._pid("deliver")
        self._control.arm(pid, fault, at)
        name, code = self._send(RELAYED)
        if code != 250:
            self._report.wrong.append(f"relay, {fault.name} at {at}: the door said {code}")
        _until(lambda: self._control.seen().fired > 0 or not self._service.waiting())
        if fault.onwards:
            time.sleep(0.2)  # the role meets a disk that stays full for a while
        seen = self._control.disarm()
        if not _until(lambda: self._arrived(name)):
            self._report.wrong.append(f"relay, {fault.name} at {at}: never handed on whole")
        if not _until(lambda: not self._service.waiting()):
            self._report.wrong.append(f"relay, {fault.name} at {at}: handed on and not done with")
        self._report.restarts += self._pid("deliver") != pid
        return seen

    def _arrived(self, name: str) -> bool:
        """Whether the primary has it whole. What was put off meanwhile is tried at once."""
        if self._handed_on.get(name) == body_of(octets_of(name)):
            return True
        with self._service.parts() as (parts, _), parts.db.write() as tx:
            desk.flush(tx, ACTOR, None, utc_now())
        self._handed_on |= {name_of(mail): body_of(mail) for mail in take_from(self._primary)}
        return False

    def _goes_on(self, what: str) -> None:
        began = time.monotonic()
        if not _until(lambda: self._send(COPIED)[1] == 250):
            self._report.wrong.append(f"{what}: no mail is taken any more")
        self._report.longest = max(self._report.longest, time.monotonic() - began)

    def _send(self, address: str) -> tuple[str, int]:
        self._number += 1
        name = f"mail {self._number}"
        try:
            with smtplib.SMTP("127.0.0.1", self._service.ports.smtp, timeout=60) as client:
                client.ehlo("client.example")
                return name, send_one(client, self._ledger, name, address)
        except (OSError, smtplib.SMTPException):
            return name, 0

    def _pid(self, role: str) -> int:
        """The process of a role, waited for."""
        found: list[int] = []

        def look() -> bool:
            found[:] = [pid for pid, name in self._service.role_pids() if name == role]
            return bool(found)

        if not _until(look):
            self._report.wrong.append(f"{role} is not started again")
            return -2
        return found[0]

    def _check(self, when: str) -> None:
        """Everything acknowledged so far is there once and whole."""
        ledger, there = self._ledger, set()
        for address in (RELAYED, COPIED):
            mails = list(self._service.export(address).values())
            there |= {name_of(octets) for octets in mails}
            acknowledged = [n for n, to in ledger.acknowledged.items() if to == address]
            verdict = judge(mails, acknowledged, [n for n, to in ledger.sent.items()])
            if not verdict.kept:
                self._report.wrong.append(f"after {when}: {verdict}")
        relayed = [name for name, to in ledger.acknowledged.items() if to == RELAYED]
        missing = [n for n in relayed if self._handed_on.get(n) != body_of(octets_of(n))]
        if missing:
            self._report.wrong.append(f"after {when}: not at the primary: {missing[:3]}")
        self._report.acknowledged = len(ledger.acknowledged)
        self._report.refused_and_there = len(self._refused & there)
        with self._service.parts() as (parts, keys):
            found = check(store_of(parts, keys, "tester", utc_now()))
        # Of a batch that got no 250 any part may be left: fsck names such octets.
        problems = [each.text for each in found.problems if each.wrong is not Wrong.SEGMENT]
        if problems or found.not_genuine:
            self._report.wrong.append(f"after {when} fsck: {problems[:3]}")


def run(plan: Plan, tell: Callable[[str], None]) -> Report:
    """All faults of all operations. What is wrong is in the report."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="la-faults-") as name:
        folder = Path(name)
        library = build(folder)
        if {"ingest", "relay"} & set(plan.operations):
            _run_service(plan, folder / "service", library, report, tell)
        alone = [one for one in ("sweep", "export") if one in plan.operations]
        if alone:
            wanted = offline.Wanted(
                operations=alone,
                faults=plan.faults,
                points=plan.points,
                database_url=plan.database_url,
                objects_url=plan.objects_url,
            )
            done = offline.run(wanted, folder / "alone", library)
            report.points.update(done.points)
            report.wrong += done.wrong
    return report


def _run_service(
    plan: Plan, folder: Path, library: Path, report: Report, tell: Callable[[str], None]
) -> None:
    folder.mkdir()
    service = Service(folder, plan.database_url or "sqlite:")
    if plan.objects_url:
        service.environment["LIVEARCHIVE_OBJECTS_URL"] = plan.objects_url
    service.set_up()
    service.add_domain("copy.example", "none")
    service.add_person(COPIED, "Copied")
    control = Control(folder / "control")
    with ExitStack() as ending:
        primary = ending.enter_context(running_primary(folder, service.ports))
        ending.callback(service.kill)
        service.environment |= control.environment(library, service.data)
        service.start()
        Failing(service, primary, control, plan, report).run(tell)


def _until(condition: Callable[[], bool]) -> bool:
    """Wait for it; whether it came."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _has_open(pid: int, path: str) -> bool:
    found = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(str(link.readlink()))
        except OSError:
            continue  # closed meanwhile
    return path in found
