"""A power cut at any moment: what was acknowledged by then is there, and opens.

The service runs under strace with senders at work. Its trace is played into a model of the
disk (`disk`). At the moment each 250 goes out on a client's socket the model must hold
everything of that mail as safe: the frame's octets, the names on the way to its segment, and
the row, in a transaction of the database whose commit is safe. Then the model is asked what
a power cut at many moments may have left, and the store is started on each of these folders.
SQLite and local segments only: what PostgreSQL and an object store promise at a commit is
theirs to keep.
"""

import random
import shutil
import smtplib
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from app.fsck.check import check
from app.fsck.findings import Wrong
from app.fsck.ports import store_of
from app.models import QueueItem
from app.operations import mailbox_of
from archive_store.clock import utc_now
from archive_store.envelope import Envelope
from archive_store.models import Entry, Message
from archive_store.sealing import Copy, Incoming
from bench.reliability import trace
from bench.reliability.disk import Disk
from bench.reliability.ledger import Ledger, judge, name_of, octets_of
from bench.reliability.load import send_one
from bench.reliability.playing import STORED, Playing, Stored
from bench.reliability.wal import Log, pages_of
from tests.parts.network import wait_until
from tests.scenarios.service import Service, running_primary

RELAYED, COPIED = "vlad@acme.example", "copied@copy.example"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much: `rounds` of a traced service, each with so many mails and power cuts."""

    rounds: int = 1
    mails: int = 40
    cuts: int = 12
    senders: int = 4
    minutes: float = 0  # end after the round in which these are over; 0: no limit
    seed: int = 4711


@dataclass(slots=True)
class Report:
    """What a run did and saw."""

    calls: int = 0
    acknowledged: int = 0
    checked: int = 0  # acknowledgements whose mail was wholly safe at that moment
    cuts: int = 0
    opened: int = 0  # mails read after power cuts, all told
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report for a person."""
        return [
            f"{self.calls} system calls watched; {self.checked} of {self.acknowledged} mails "
            "wholly safe at the moment of their 250",
            f"{self.cuts} power cuts, after which {self.opened} mails were read",
            *(self.wrong or ["unsynced 0, lost 0, doubled 0, half 0"]),
        ]


@dataclass(slots=True)
class Sessions:
    """Which mails each client's port got a 250 for, in order."""

    by_port: dict[int, list[str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, port: int, name: str) -> None:
        with self.lock:
            self.by_port.setdefault(port, []).append(name)


def run(plan: Plan, tell: Callable[[str], None]) -> Report:
    """All rounds. What is wrong is in the report."""
    report, dice = Report(), random.Random(plan.seed)
    end = time.monotonic() + (plan.minutes * 60 or 1e9)
    for number in range(plan.rounds):
        with tempfile.TemporaryDirectory(prefix="la-power-") as folder:
            _round(plan, Path(folder), dice, report)
        tell(f"round {number + 1}: {report.lines()}")
        if time.monotonic() > end:
            break
    return report


def _round(plan: Plan, folder: Path, dice: random.Random, report: Report) -> None:
    service = Service(folder, "sqlite:")
    service.set_up()
    service.add_domain("copy.example", "none")
    service.add_person(COPIED, "Copied")
    disk, pages = Disk(service.data), pages_of(_database(service.data))
    output = folder / "trace"
    ledger, sessions = Ledger(), Sessions()
    with running_primary(folder, service.ports):
        service.before = trace.command(output)
        service.start()
        _send(plan, service, ledger, sessions)
        assert service.stop() == 0
        wait_until(lambda: not trace.is_running(output), "the trace is complete", 300)
    service.before = []
    real = folder / "real"
    shutil.copytree(service.data, real, ignore=shutil.ignore_patterns("*.sock"))
    stored = _where_stored(service)
    log = Log(pages, (place.message_id for place in stored.values()))
    cuts = _moments(output, service, plan.cuts, dice)
    report.acknowledged += len(ledger.acknowledged)
    with output.open() as text:
        replies = {port: deque(names) for port, names in sessions.by_port.items()}
        moments = trace.moments(text)
        playing = Playing(disk, moments, service.ports.smtp, replies, stored, log)
        for state in playing.until(cuts):
            cut = folder / "cut"
            disk.cut(cut, dice)
            report.cuts += 1
            report.opened += _examine(service, cut, state, ledger, report.wrong)
            shutil.rmtree(cut)
    report.calls += playing.calls
    report.checked += playing.safe
    report.wrong += playing.wrong
    report.wrong += [f"the model is wrong: {one}" for one in disk.differences(real)]


def _send(plan: Plan, service: Service, ledger: Ledger, sessions: Sessions) -> None:
    """Every sender sends its share, a new session now and then."""

    def send(sender: int) -> None:
        for start in range(0, plan.mails // plan.senders, 5):
            with smtplib.SMTP("127.0.0.1", service.ports.smtp, timeout=120) as client:
                client.ehlo("client.example")
                assert client.sock is not None
                port = client.sock.getsockname()[1]
                for number in range(start, min(start + 5, plan.mails // plan.senders)):
                    name = f"mail {service.folder.name} {sender}-{number}"
                    if send_one(client, ledger, name, (RELAYED, COPIED)[number % 2]) == 250:
                        sessions.note(port, name)

    threads = [threading.Thread(target=send, args=(n,)) for n in range(plan.senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _moments(output: Path, service: Service, count: int, dice: random.Random) -> list[int]:
    """Lines of the trace to cut before: half right after a 250, half wherever the data or a client
    is touched. Between others nothing changes.
    """
    marks = trace.hexed(str(service.data)), f"TCP:[127.0.0.1:{service.ports.smtp}->"
    stored = trace.hexed(STORED.decode())
    touched, replied = [], []
    with output.open() as text:
        for number, line in enumerate(text):
            if any(one in line for one in marks):
                touched.append(number)
                if stored in line:
                    replied.append(number + 1)
    cuts = dice.sample(replied, min(count // 2, len(replied)))
    return sorted(cuts + dice.sample(touched, min(count - len(cuts), len(touched))))


def _database(data: Path) -> Path:
    return data / "livearchive.db"


def _where_stored(service: Service) -> dict[str, Stored]:
    """By name: where each mail lies in the end."""
    found = {}
    with service.parts() as (parts, keys):
        with parts.db.read() as tx:
            query = select(Entry, Message).join(Message, Entry.message_id == Message.id)
            rows = [(entry, message) for entry, message in tx.execute(query)]
        for entry, message in rows:
            opened = keys.operator_entries("tester", "test", [entry.id])
            octets = parts.reader.open(message, opened[entry.id]).octets
            segment = parts.store.objects_dir / message.day.isoformat() / message.segment
            place = Stored(str(segment), message.frame_offset, message.frame_length, message.id)
            found[name_of(octets)] = place
    return found


def _examine(
    service: Service, folder: Path, state: Playing, ledger: Ledger, wrong: list[str]
) -> int:
    """Start the store on what a cut left; how many mails were read. Adds what is wrong."""
    after = Service(folder.parent, "sqlite:", service.ports)
    after.environment["LIVEARCHIVE_DATA_DIR"] = str(folder)
    count, acknowledged = 0, state.acknowledged
    try:
        if lost := state.log.judge(pages_of(_database(folder))):
            wrong.append(f"after a cut {lost}")
        _store_one(after)
        for address in (RELAYED, COPIED):
            mails = list(after.export(address).values())
            count += len(mails)
            mails = [one for one in mails if not name_of(one).startswith("after")]
            here = [name for name in acknowledged if ledger.sent[name] == address]
            sent = [name for name, to in ledger.sent.items() if to == address]
            verdict = judge(mails, here, sent)
            if not verdict.kept:
                wrong.append(f"after a cut with {len(acknowledged)} acknowledged: {verdict}")
        wrong += _check_rows(after)
    except Exception as error:  # whatever stops the store from starting is what we look for
        wrong.append(f"after a cut the store fails: {type(error).__name__}: {error}")
    return count


def _store_one(service: Service) -> None:
    """The store goes on: it takes one more mail, which opens."""
    with service.parts() as (parts, _):
        with parts.db.read() as tx:
            mailbox = mailbox_of(tx, COPIED)
        copy = Copy(mailbox.id, Envelope("a@b.example", COPIED))
        octets = octets_of(f"after {service.data.parent.name}")
        writer = parts.writer("ingest")
        [outcome] = writer.store([[Incoming(mailbox.tenant_id, octets, utc_now(), (copy,))]])
        writer.close()
    if isinstance(outcome, Exception):
        raise outcome


def _check_rows(service: Service) -> Iterator[str]:
    """fsck, and that what is to be relayed waits or is done."""
    with service.parts() as (parts, keys):
        found = check(store_of(parts, keys, "tester", utc_now()))
        # Of a batch that got no 250 a cut may leave any part: fsck names such octets.
        problems = [each.text for each in found.problems if each.wrong is not Wrong.SEGMENT]
        if problems or found.not_genuine:
            yield f"after a cut fsck finds {problems[:3]}, not genuine {found.not_genuine}"
        with parts.db.read() as tx:
            mailbox = mailbox_of(tx, RELAYED)
            entries = set(
                tx.scalars(select(Entry.message_id).where(Entry.mailbox_id == mailbox.id))
            )
            queued = set(tx.scalars(select(QueueItem.message_id)))
        if not entries <= queued:
            yield f"after a cut {len(entries - queued)} mails are stored and not to be relayed"
