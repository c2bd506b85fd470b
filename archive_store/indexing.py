"""The index role's work: open a new message once, seal what lists and searches need of it.

Everything hostile happens in the parser's child process; a message that breaks
it gets a summary that says so and stays readable as source. An entry is marked
as indexed in the transaction that inserts its summary, so a crash repeats work
and never loses any. What cannot be read now is tried again (`resting`); what is damaged
is named in the log once and left without a summary.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from time import monotonic
from typing import Any, NamedTuple, Protocol, Self, TypeAlias, cast

from sqlalchemy import Row, Table, func, select, update
from sqlalchemy.orm import Session

from archive_store import ids
from archive_store.bulk import BulkInsert
from archive_store.db import Database
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.errors import (
    FrameBroken,
    FrameUnreadable,
    NotFound,
    SealBroken,
    StoreError,
)
from archive_store.mime.summary import Summary
from archive_store.models import Entry, EntryIndex, Message
from archive_store.reader import ArchiveReader, Opened
from archive_store.resting import Resting
from archive_store.summaries import SummarySealer

log = logging.getLogger(__name__)
BATCH = 64
BATCH_OCTETS = 32 * 1024 * 1024  # of opened mail in memory at once, but for one that is larger
KEYS_KEPT_SECONDS = 900.0
_SENT_TO = re.compile(rb', "sent_to": "([^"\\]*+)", "mail_from": "')


Place: TypeAlias = tuple[bytes, date]
"""A mailbox's day."""

Listed: TypeAlias = Callable[[bytes, bytes], object]
"""Hears the id and the octets of each message with attachments, once that is in the lists."""


def nobody(message_id: bytes, octets: bytes) -> None:
    """Hears nothing."""


class IndexKeys(Protocol):
    """What the keys role gives the index role."""

    def open_for_index(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """Content keys of entries that are not indexed; others are missing."""

    def index_summary_keys(self, places: Sequence[Place]) -> dict[Place, bytes]:
        """The keys that summaries of mailboxes' days are sealed under; what has none is missing."""


class Parsers(Protocol):
    """The killable parser."""

    def summaries(self, batch: Sequence[bytes]) -> list[tuple[Summary, str]]:
        """Summary and searchable words of each message; never raises for content."""


@dataclass(frozen=True, slots=True)
class IndexedSummary:
    """What is sealed of an entry for lists: the parsed summary and its own envelope."""

    summary: Summary
    sent_to: str
    mail_from: str
    genuine: bool

    def to_octets(self) -> bytes:
        """JSON."""
        return json.dumps(
            {
                "summary": self.summary.to_bytes().decode(errors="surrogateescape"),
                "sent_to": self.sent_to,
                "mail_from": self.mail_from,
                "genuine": self.genuine,
            },
            ensure_ascii=False,
        ).encode(errors="surrogateescape")

    @classmethod
    def from_octets(cls, octets: bytes) -> Self:
        """Undo `to_octets`; SealBroken when they are no summary."""
        try:
            found: Mapping[str, Any] = json.loads(octets.decode(errors="surrogateescape"))
            summary = Summary.from_bytes(found["summary"].encode(errors="surrogateescape"))
            return cls(summary, found["sent_to"], found["mail_from"], found["genuine"])
        except (ValueError, KeyError, TypeError) as error:
            raise SealBroken("a summary cannot be read") from error


def sent_to(octets: bytes) -> str:
    """The recipient in a summary's octets; SealBroken when they are none.

    A scan asks this of thousands, and taking all of the JSON apart costs ten times as much. In a
    JSON string no quotation mark stands without a backslash: this is found in its place only.
    """
    found = _SENT_TO.search(octets)
    if found is None:
        return IndexedSummary.from_octets(octets).sent_to
    return found[1].decode(errors="surrogateescape")


class _Entry(NamedTuple):
    """The columns of an entry that are needed: all of them as objects cost three times as much."""

    seq: int
    id: bytes
    mailbox_id: bytes
    message_id: bytes
    day: date
    envelope: bytes


class _Message(NamedTuple):
    """The same of its message."""

    id: bytes
    tenant_id: bytes
    day: date
    size: int
    segment: str
    frame_offset: int
    frame_length: int


Waiting = tuple[_Entry, _Message]


@dataclass(frozen=True, slots=True)
class _Item:
    entry: _Entry
    message: _Message
    opened: Opened
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class _Row:
    """An entry's summary as it is stored, and what the entry itself has to say."""

    values: dict[str, Any]
    attachments: bool


class Indexer:
    """Makes summaries. For one thread. `unreadable` hears of each message that is not read now."""

    def __init__(
        self,
        db: Database,
        reader: ArchiveReader,
        keys: IndexKeys,
        parsers: Parsers,
        unreadable: Callable[[], object] = lambda: None,
        listed: Listed = nobody,
    ) -> None:
        self._db = db
        self._reader = reader
        self._keys = keys
        self._parsers = parsers
        self._unreadable = unreadable
        self._listed = listed
        self._resting = Resting()
        self._sealers: dict[Place, SummarySealer] = {}
        self._sealers_since = monotonic()

    def run_once(self) -> int:
        """Index the next entries; says how many were taken in hand, 0 when there are none."""
        resting = self._resting.until(monotonic())
        query = _WAITING.where(Message.id.not_in(resting)) if resting else _WAITING
        with self._db.read() as tx:
            waiting = [_row_of(columns) for columns in tx.execute(query)]
        if monotonic() - self._sealers_since >= KEYS_KEPT_SECONDS:
            self.forget_days()
        if not waiting:
            return 0
        waiting = _fitting(waiting)
        keys = self._keys.open_for_index([entry.seq for entry, _ in waiting])
        items, put_off = self._open(waiting, keys)
        parsed = self._parse(items)
        self._learn_keys(items)
        rows = [self._row(item, *parsed[item.message.id]) for item in items]
        with self._db.write() as tx:
            _store(tx, [entry.seq for entry, one in waiting if one.id not in put_off], rows)
        with_files = {
            item.message.id: item.opened.octets
            for item in items
            if parsed[item.message.id][0].has_attachments
        }
        for message_id, octets in with_files.items():
            self._listed(message_id, octets)
        return len(waiting)

    def newest(self) -> int:
        """The highest number of an entry; 0 when there is none."""
        with self._db.read() as tx:
            return tx.scalar(select(func.max(Entry.seq))) or 0

    def forget_days(self) -> None:
        """Drop the summary keys in memory (their days may be over)."""
        self._sealers.clear()
        self._sealers_since = monotonic()

    def _open(
        self, waiting: Sequence[Waiting], keys: Mapping[int, bytes]
    ) -> tuple[list[_Item], set[bytes]]:
        """What could be opened, and the messages that are to be tried again."""
        # Recipients of one transaction share its octets: open those once.
        opened: dict[bytes, Opened] = {}
        items = []
        put_off: set[bytes] = set()
        for entry, message in waiting:
            key = keys.get(entry.seq)
            if key is None or message.id in put_off:
                continue
            try:
                if message.id not in opened:
                    opened[message.id] = self._reader.open(message, key)
                    self._resting.done(message.id)
                envelope = self._reader.envelope(message.tenant_id, entry, key)
            except (FrameUnreadable, NotFound) as error:
                if self._is_put_off(message.id, error):
                    put_off.add(message.id)
                continue
            except (SealBroken, FrameBroken) as error:
                # Nothing can be said of it; it stays listed, and fsck reports it.
                log.warning("message %s stays without a summary: %s", ids.show(message.id), error)
                continue
            items.append(_Item(entry, message, opened[message.id], envelope))
        return items, put_off

    def _is_put_off(self, message_id: bytes, error: StoreError) -> bool:
        again = self._resting.put_off(message_id, error, monotonic())
        then = "is tried again" if again else "stays without a summary"
        log.warning("message %s %s: %s", ids.show(message_id), then, error)
        self._unreadable()
        return again

    def _parse(self, items: Sequence[_Item]) -> dict[bytes, tuple[Summary, str]]:
        octets = {item.message.id: item.opened.octets for item in items}
        results = self._parsers.summaries(list(octets.values()))
        return dict(zip(octets, results, strict=True))

    def _row(self, item: _Item, summary: Summary, words: str) -> _Row | None:
        sealer = self._sealers.get((item.entry.mailbox_id, item.entry.day))
        if sealer is None:
            return None  # one damaged key must not hold up everybody's mail
        indexed = IndexedSummary(
            summary, item.envelope.rcpt_to, item.envelope.mail_from, item.opened.genuine
        )
        values = {
            "entry_seq": item.entry.seq,
            "summary": sealer.seal_summary(item.entry.id, indexed.to_octets()),
            "words": sealer.seal_words(item.entry.id, words),
        }
        return _Row(values, summary.has_attachments)

    def _learn_keys(self, items: Sequence[_Item]) -> None:
        """Ask at once for what mailboxes of this batch seal with: with many of them each mail
        would be a question.
        """
        wanted = {(item.entry.mailbox_id, item.entry.day): item for item in items}
        unknown = [place for place in wanted if place not in self._sealers]
        if not unknown:
            return
        for place, key in self._keys.index_summary_keys(unknown).items():
            owner = Owner.mailbox(wanted[place].message.tenant_id, place[0])
            self._sealers[place] = SummarySealer(self._reader.installation, owner, place[1], key)


_WAITING = (
    select(
        *(getattr(Entry, name) for name in _Entry._fields),
        *(getattr(Message, name) for name in _Message._fields),
    )
    .join(Message, Entry.message_id == Message.id)
    .where(Entry.indexed.is_(False))
    .order_by(Entry.seq)
    .limit(BATCH)
)
_ENTRIES = cast(Table, Entry.__table__)
_SUMMARIES = BulkInsert(cast(Table, EntryIndex.__table__))


def _row_of(columns: Row[Any]) -> Waiting:
    of_entry = len(_Entry._fields)
    return _Entry._make(columns[:of_entry]), _Message._make(columns[of_entry:])


def _fitting(waiting: list[Waiting]) -> list[Waiting]:
    """The first ones, as many as memory should hold at once."""
    sizes: dict[bytes, int] = {}
    for number, (_, message) in enumerate(waiting):
        sizes[message.id] = message.size
        if len(sizes) > 1 and sum(sizes.values()) > BATCH_OCTETS:
            return waiting[:number]
    return waiting


def _store(tx: Session, seqs: Sequence[int], rows: Sequence[_Row | None]) -> None:
    """Three statements for all: mail that comes in waits for this transaction to end."""
    # An entry may have been deleted for good meanwhile, or indexed by another index role.
    waiting = select(Entry.seq).where(Entry.seq.in_(seqs), Entry.indexed.is_(False))
    there = set(tx.scalars(waiting.with_for_update()))
    kept = [row for row in rows if row is not None and row.values["entry_seq"] in there]
    _SUMMARIES.execute(tx, [row.values for row in kept])
    attached = [row.values["entry_seq"] for row in kept if row.attachments]
    if attached:
        tx.execute(update(_ENTRIES).where(_ENTRIES.c.seq.in_(attached)).values(attachments=True))
    tx.execute(update(_ENTRIES).where(_ENTRIES.c.seq.in_(there)).values(indexed=True))
