"""Storing by itself, beside what this machine can do: no sessions, no other process.

The limits are one core's: a small append made durable, AES-256-GCM, rows into SQLite. The bare
commit is the least that a batch of sealed mails costs: their frames in one append with one
fdatasync, and their rows in one transaction of plain `sqlite3`. The writer does the same and seals
before, which includes the receipts and the octets of the frames; `its commit` is the writer
without that. Both check foreign keys, both make the same number of octets and rows durable.
"""

import os
import random
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from app.config import Config
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.envelope import Envelope
from archive_store.maillog import LogEntry
from archive_store.models import Mailbox
from archive_store.receipts import ReceiptKey
from archive_store.sealing import Copy, Incoming, SealedMail, Sealer
from archive_store.segments import FrameRef
from archive_store.writer import message_row
from bench import corpus

BATCHES = (1, 10, 50, 200)
_OCTETS = 6 * 1024
_DEFAULTS = {
    **dict.fromkeys(("answered", "forwarded", "starred", "attachments", "indexed"), 0),
    "trashed_from": "",
}
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def measure(data: Path, folder: Path, seconds: float) -> str:
    """A table in Markdown. `data`: an installation with people, whose service does not run."""
    machine = _machine(folder, seconds)
    parts = Parts(Config.load({}, {"DATA_DIR": str(data)}), "ingest")
    try:
        rows = [_compare(parts, folder, size, seconds) for size in BATCHES]
    finally:
        parts.close()
    head = "| mails in a batch | bare commit/s | its commit/s | ratio | writer/s | ratio |"
    return "\n".join([machine, "", head, "| --: | --: | --: | --: | --: | --: |", *rows])


@dataclass(slots=True)
class _Bare:
    """The least: an open file and an open database, of its own."""

    file: int
    database: sqlite3.Connection

    def commit(self, frames: Sequence[bytes], rows: Sequence[tuple[str, list[Any]]]) -> None:
        os.write(self.file, b"".join(frames))
        os.fdatasync(self.file)
        self.database.execute("BEGIN IMMEDIATE")
        for statement, values in rows:
            self.database.executemany(statement, values)
        self.database.execute("COMMIT")


def _machine(folder: Path, seconds: float) -> str:
    octets, cipher = random.Random(1).randbytes(_OCTETS), AESGCM(bytes(32))
    file = os.open(folder / "limit", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    database = _plain(folder / "limit.db")
    database.execute("CREATE TABLE rows (id BLOB PRIMARY KEY, octets BLOB)")
    number = iter(range(10**9))

    def insert() -> None:
        rows = [(next(number).to_bytes(16, "big"), octets[:500]) for _ in range(1000)]
        database.execute("BEGIN IMMEDIATE")
        database.executemany("INSERT INTO rows VALUES (?, ?)", rows)
        database.execute("COMMIT")

    def append() -> None:
        os.write(file, octets)
        os.fdatasync(file)

    synced = _rate(append, seconds)
    sealed = _rate(lambda: cipher.encrypt(bytes(12), octets, None), seconds) * _OCTETS / 1e6
    inserted = _rate(insert, seconds) * 1000
    os.close(file)
    database.close()
    return (
        f"One core of this machine: {synced:,.0f} appends of 6 KB made durable a second, "
        f"AES-256-GCM {sealed:,.0f} MB/s, {inserted:,.0f} SQLite rows a second (1,000 in each "
        "transaction)."
    )


def _compare(parts: Parts, folder: Path, size: int, seconds: float) -> str:
    with parts.db.read() as tx:
        boxes = [(box.tenant_id, box.id) for box in tx.scalars(select(Mailbox))]
    units = _units(boxes)
    sealer, writer = _sealer(parts), parts.writer("ingest")
    bare = _Bare(
        os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        _plain(folder / "bare.db", parts),
    )
    writer.store([next(units) for _ in range(2 * len(boxes))])  # everybody has a writer key
    with parts.db.read() as tx:
        for _ in boxes:
            sealer.seal(tx, next(units)[0], utc_now())
    barely: list[float] = []
    sealing: list[float] = []
    whole: list[float] = []
    until = time.perf_counter() + 3 * seconds
    while time.perf_counter() < until:
        mails, frames, took = _sealed(parts, sealer, [next(units)[0] for _ in range(size)])
        sealing.append(took)
        rows = _rows(mails, frames)
        barely.append(_timed(partial(bare.commit, frames, rows)))
        batch = [next(units) for _ in range(size)]
        whole.append(_timed(partial(writer.store, batch)))
    writer.close()
    least, seal, all_of_it = map(statistics.median, (barely, sealing, whole))
    commit = all_of_it - seal
    return (
        f"| {size} | {size / least:,.0f} | {size / commit:,.0f} | {least / commit:.0%} "
        f"| {size / all_of_it:,.0f} | {least / all_of_it:.0%} |"
    )


def _sealed(
    parts: Parts, sealer: Sealer, mails: Sequence[Incoming]
) -> tuple[list[SealedMail], list[bytes], float]:
    """The mails sealed as the writer does it, their frames, and how long that took."""
    now, found = utc_now(), []
    start = time.perf_counter()
    with parts.db.read() as tx:
        found = [sealer.seal(tx, mail, now) for mail in mails]
    frames = [frame.encode() for frame in sealer.frames(found)]
    return found, frames, time.perf_counter() - start


def _units(boxes: Sequence[tuple[bytes, bytes]]) -> Iterator[list[Incoming]]:
    mails = corpus.mails("6k", 200)
    number = 0
    while True:
        octets, (tenant, box) = mails[number % len(mails)], boxes[number % len(boxes)]
        envelope = Envelope("sender@outside.example", "person@bench.local", "mx.outside.example")
        log = LogEntry("received", envelope.mail_from, (envelope.rcpt_to,), size=len(octets))
        yield [Incoming(tenant, octets, utc_now(), (Copy(box, envelope),), (), log)]
        number += 1


def _sealer(parts: Parts) -> Sealer:
    return Sealer(parts.writer_keys(), ReceiptKey.load(parts.store.keys_dir, "ingest"))


def _rows(mails: Sequence[SealedMail], frames: Sequence[bytes]) -> list[tuple[str, list[Any]]]:
    """What the writer inserts, ready for the driver."""
    tables: dict[str, list[Mapping[str, Any]]] = {"message": [], "entry": [], "maillog_line": []}
    for mail, frame in zip(mails, frames, strict=True):
        ref = FrameRef(utc_now().date(), "bare", 0, len(frame))
        tables["message"].append(message_row(mail, ref))
        tables["entry"] += [{**entry, **_DEFAULTS} for entry in mail.entries]
        tables["maillog_line"] += [mail.log_line] if mail.log_line else []
    return [_insert(table, rows) for table, rows in tables.items() if rows]


def _insert(table: str, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
    names = list(rows[0])
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    return statement, [[_plainly(row[name]) for name in names] for row in rows]


def _plainly(value: Any) -> Any:
    if isinstance(value, datetime):
        return round((value - _EPOCH).total_seconds() * 1e6)
    return value.isoformat() if isinstance(value, date) else value


def _plain(path: Path, parts: Parts | None = None) -> sqlite3.Connection:
    """A database with the product's settings of durability; with its schema, too."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        database.execute(f"PRAGMA {pragma}")
    if parts is not None:
        with parts.db.engine.connect() as connection:
            query = (
                "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
            )
            for (statement,) in connection.exec_driver_sql(query).all():
                database.execute(statement)
        # An entry's mailbox is looked up, as the product does it.
        database.execute("ATTACH ? AS product", (parts.db.url.database,))
        database.execute("INSERT INTO mailbox SELECT * FROM product.mailbox")
        database.execute("DETACH product")
        database.execute("PRAGMA foreign_keys=ON")
    return database


def _rate(action: Callable[[], object], seconds: float) -> float:
    """How often in a second."""
    start, times = time.perf_counter(), 0
    while time.perf_counter() < start + seconds:
        action()
        times += 1
    return times / (time.perf_counter() - start)


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
