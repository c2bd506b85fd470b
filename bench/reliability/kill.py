"""SIGKILL for every role at random moments under load.

A wave kills each kind of process once, in random order with random pauses; three waves and the
supervisor itself (its roles follow it) are one life. After each life the service is started
again and every mailbox is held against the ledger. A role counts as back when it answers on
its socket (keys, ingest, web) or when its new process is there (index, deliver, sweep).
"""

import http.client
import math
import random
import smtplib
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from app.config import Config
from app.keys.client import KeysClient
from app.setup import run_dir
from archive_store.errors import StoreError
from bench.reliability.ledger import Ledger, body_of, judge, name_of, octets_of
from bench.reliability.load import Load, take_from
from tests.scenarios.service import Primary, Service, running_primary

VICTIMS = ("keys", "ingest", "ingest_writer", "index", "deliver", "web", "sweep", "child")
WAVES = 3
PATIENCE_SECONDS = 120
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Plan:
    """How long. `lives`: of the supervisor; the URLs: empty for SQLite and files."""

    lives: int = 2
    minutes: float = 0  # end after the life in which these are over; 0: no limit
    senders: int = 4
    pause: float = 0.01  # of each sender between two mails
    seed: int = 4711
    database_url: str = ""
    objects_url: str = ""


@dataclass(slots=True)
class Report:
    """What a run did and saw."""

    kills: dict[str, int] = field(default_factory=dict)
    acknowledged: int = 0
    in_doubt: int = 0
    refused: int = 0
    handed_on: int = 0
    restarts: dict[str, list[float]] = field(default_factory=dict)  # seconds
    wrong: list[str] = field(default_factory=list)

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    def lines(self) -> list[str]:
        """The report for a person."""
        text = [
            f"{self.killed} kills ({', '.join(f'{k} {v}' for k, v in sorted(self.kills.items()))})",
            f"{self.acknowledged} mails acknowledged, {self.in_doubt} in doubt, "
            f"{self.refused} refused for now, {self.handed_on} seen at the primary",
        ]
        for name, seconds in sorted(self.restarts.items()):
            text.append(
                f"{name}: back after {statistics.median(seconds):.1f} s (median), "
                f"{max(seconds):.1f} s (longest), {sum(s > 5 for s in seconds)} over 5 s"
            )
        return [*text, *(self.wrong or ["lost 0, doubled 0, half 0"])]


class Killing:
    """One run on one installation."""

    def __init__(self, plan: Plan, service: Service, primary: Primary) -> None:
        self._plan = plan
        self._service = service
        self._primary = primary
        self._dice = random.Random(plan.seed)
        self.report = Report()

    def run(self, tell: Callable[[str], None]) -> Report:
        """All lives. What is wrong is in the report."""
        self._service.start()
        end = time.monotonic() + (self._plan.minutes * 60 or math.inf)
        for life in range(self._plan.lives):
            self._live()
            tell(
                f"life {life + 1}: {self.report.killed} kills, {self.report.acknowledged} mails, "
                f"{self.report.wrong or 'nothing wrong'}"
            )
            if time.monotonic() > end:
                break
        found = self._service.fsck()
        if found["problems"] or found["not_genuine"]:
            self.report.wrong.append(f"fsck: {found}")
        return self.report

    def _live(self) -> None:
        addresses = [self._service.newcomer(name) for name in ("acme.example", "copy.example")]
        ledger = Ledger()
        plan = self._plan
        with Load(
            self._service.ports.smtp, ledger, addresses, senders=plan.senders, pause=plan.pause
        ):
            for _ in range(WAVES):
                self._wave()
                time.sleep(self._dice.uniform(0.2, 1.0))  # all are up, and work
            began = time.monotonic()
            self._service.kill()
            self._service.start()
            self._back("supervisor", began)
        self._check(ledger, addresses)

    def _wave(self) -> None:
        victims = self._dice.sample(VICTIMS, len(VICTIMS))
        missing: dict[str, tuple[float, set[int]]] = {}
        for name in victims:
            old = self._pids(name)
            if not old:
                continue
            missing[name] = time.monotonic(), old
            self._service.kill_role(name)
            self.report.kills[name] = self.report.kills.get(name, 0) + 1
            time.sleep(self._dice.uniform(0, 0.5))
        end = time.monotonic() + PATIENCE_SECONDS
        while missing and time.monotonic() < end:
            time.sleep(POLL_SECONDS)
            for name, (began, old) in list(missing.items()):
                if self._is_back(name, old):
                    self._note(name, began)
                    del missing[name]
        if missing:
            self.report.wrong.append(f"not started again: {', '.join(missing)}")

    def _back(self, name: str, began: float) -> None:
        self.report.kills[name] = self.report.kills.get(name, 0) + 1
        self._note(name, began)

    def _note(self, name: str, began: float) -> None:
        self.report.restarts.setdefault(name, []).append(time.monotonic() - began)

    def _pids(self, name: str) -> set[int]:
        return {pid for pid, role in self._service.role_pids() if role == name}

    def _is_back(self, name: str, old: set[int]) -> bool:
        if name == "child":
            return True  # of the index role, started for the next mail
        if not self._pids(name) - old:
            return False
        if name in ("ingest", "ingest_writer"):
            return _greets(self._service.ports.smtp)
        if name == "web":
            return _serves(self._service.ports.http)
        return name != "keys" or _answers(self._service)

    def _check(self, ledger: Ledger, addresses: list[str]) -> None:
        report = self.report
        report.acknowledged += len(ledger.acknowledged)
        report.in_doubt += ledger.replies[0]
        report.refused += sum(n for code, n in ledger.replies.items() if code >= 400)
        for address in addresses:
            acknowledged = [n for n, to in ledger.acknowledged.items() if to == address]
            sent = [n for n, to in ledger.sent.items() if to == address]
            verdict = judge(self._service.export(address).values(), acknowledged, sent)
            if not verdict.kept:
                report.wrong.append(f"life with {report.killed} kills: {verdict}")
        self._check_handed_on(ledger, addresses[0])

    def _check_handed_on(self, ledger: Ledger, relayed: str) -> None:
        """Each reaches the primary; SMTP may make that twice (RFC 5321 section 6.1)."""
        end = time.monotonic() + PATIENCE_SECONDS
        while self._service.waiting() and time.monotonic() < end:
            time.sleep(0.1)
        arrived = {name_of(octets): body_of(octets) for octets in take_from(self._primary)}
        wanted = [name for name, to in ledger.acknowledged.items() if to == relayed]
        lost = [n for n in wanted if arrived.get(n) != body_of(octets_of(n))]
        self.report.handed_on += len(wanted) - len(lost)
        if lost:
            self.report.wrong.append(f"never handed on: {len(lost)} (such as {lost[:3]})")


def _greets(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5):
            return True
    except (OSError, smtplib.SMTPException):
        return False


def _serves(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _answers(service: Service) -> bool:
    keys = KeysClient(run_dir(Config.load(service.environment)), "admin")
    try:
        keys.status()
    except StoreError:
        return False
    finally:
        keys.close()
    return True


def run(plan: Plan, tell: Callable[[str], None]) -> Report:
    """Make an installation in a temporary folder, and kill it for as long as the plan says."""
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="la-kill-")))
        service = Service(folder, plan.database_url or "sqlite:")
        if plan.objects_url:
            service.environment["LIVEARCHIVE_OBJECTS_URL"] = plan.objects_url
        service.set_up()
        service.add_domain("copy.example", "none")
        primary = ending.enter_context(running_primary(folder, service.ports))
        ending.callback(service.kill)
        return Killing(plan, service, primary).run(tell)
