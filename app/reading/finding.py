"""Which entries a person sees: the one place where mailbox, age and folder become SQL.

An entry is hidden exactly `keep` after it was received.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.viewer import Viewer
from app.views import RowFilter
from archive_store import ids
from archive_store.errors import NotFound
from archive_store.models import FOLDERS, GONE, OUTBOX, Entry
from archive_store.retention import visible_after
from archive_store.search import Facts

STARRED = "starred"
TRASH = "trash"


class EntryNumber(Protocol):
    """What names an entry's summary."""

    @property
    def seq(self) -> int: ...
    @property
    def id(self) -> bytes: ...
    @property
    def day(self) -> date: ...
    @property
    def indexed(self) -> bool: ...


class EntryLine(EntryNumber, Facts, Protocol):
    """The columns of an entry that lists need; no key and nothing sealed."""

    @property
    def scan(self) -> str: ...


_NUMBER = (Entry.seq, Entry.id, Entry.day, Entry.indexed)
_LINE = (
    *_NUMBER,
    Entry.folder,
    Entry.received_at,
    Entry.size,
    Entry.seen,
    Entry.answered,
    Entry.forwarded,
    Entry.starred,
    Entry.attachments,
    Entry.scan,
)
_NEWEST_FIRST = (Entry.received_at.desc(), Entry.seq.desc())


@dataclass(frozen=True, slots=True)
class Window:
    """One mailbox as it can be seen now: nothing older than `after`."""

    mailbox_id: bytes
    after: datetime

    @classmethod
    def of(cls, viewer: Viewer, now: datetime, keep: timedelta) -> "Window":
        """The viewer's own; NotFound for somebody who has no mailbox."""
        if viewer.mailbox_id is None:
            raise NotFound("no mailbox")
        return cls(viewer.mailbox_id, visible_after(now, keep))

    @property
    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """What is still to be sent has pages of its own (`sending.outbox`)."""
        return *self.everything, Entry.folder != OUTBOX

    @property
    def everything(self) -> tuple[ColumnElement[bool], ...]:
        mine = Entry.mailbox_id == self.mailbox_id, Entry.received_at > self.after
        return *mine, Entry.folder != GONE


def find(tx: Session, window: Window, shown: Sequence[str]) -> list[Entry]:
    """The entries of these ids; NotFound when any of them is not there."""
    wanted = [read_id(one) for one in dict.fromkeys(shown)]
    entries = list(tx.scalars(select(Entry).where(Entry.id.in_(wanted), *window.conditions)))
    if len(entries) != len(wanted):
        raise NotFound("no such message")
    return entries


def find_one(tx: Session, window: Window, shown: str) -> Entry:
    """The entry of this id, or NotFound."""
    return find(tx, window, [shown])[0]


def still_there(tx: Session, window: Window, shown: Sequence[str]) -> frozenset[str]:
    """Those of the ids whose entries can be seen outside the trash; what is no id is not there."""
    wanted: list[bytes] = []
    for one in shown:
        with suppress(ids.BadId):
            wanted.append(ids.read(one))
    kept = (Entry.folder != TRASH, *window.conditions)
    found = select(Entry.id).where(Entry.id.in_(wanted), *kept)
    return frozenset(ids.show(one) for one in tx.scalars(found))


def read_id(shown: str) -> bytes:
    """An id from outside; what is none names nothing."""
    try:
        return ids.read(shown)
    except ids.BadId:
        raise NotFound("no such message") from None


def in_folder(folder: str) -> ColumnElement[bool]:
    """A folder's entries. "starred" is what has a star, wherever it lies but in the trash."""
    if folder == STARRED:
        return and_(Entry.starred.is_(True), Entry.folder != TRASH)
    if folder not in FOLDERS:
        raise NotFound("no such folder")
    return Entry.folder == folder


def passing(filter: RowFilter) -> tuple[ColumnElement[bool], ...]:
    """What a filter lets through."""
    filters: dict[str, list[ColumnElement[bool]]] = {
        "all": [],
        "unread": [Entry.seen.is_(False)],
        "starred": [Entry.starred.is_(True)],
        "attachments": [Entry.attachments.is_(True)],
    }
    return tuple(filters[filter])


def beside(entry: Entry, folder: str, filter: RowFilter) -> ColumnElement[bool]:
    """What a list shows, with an entry that stood in it before it was read or lost its star."""
    shown = and_(in_folder(folder), *passing(filter))
    return or_(shown, Entry.seq == entry.seq) if folder in (entry.folder, STARRED) else shown


def lines(
    tx: Session, *conditions: ColumnElement[bool], limit: int | None = None, offset: int = 0
) -> list[EntryLine]:
    """Entries, newest first."""
    query = select(*_LINE).where(*conditions).order_by(*_NEWEST_FIRST)
    return cast(list[EntryLine], _rows(tx, query.limit(limit).offset(offset)))


def numbers(tx: Session, *conditions: ColumnElement[bool]) -> list[EntryNumber]:
    """Entries in no order, when nothing but their summaries is wanted."""
    return cast(list[EntryNumber], _rows(tx, select(*_NUMBER).where(*conditions)))


def seqs(tx: Session, *conditions: ColumnElement[bool]) -> Sequence[int]:
    """The numbers of entries, in no order."""
    return tx.connection().execute(select(Entry.seq).where(*conditions)).scalars().all()


def newest_seqs(tx: Session, *conditions: ColumnElement[bool]) -> Sequence[int]:
    """The numbers of entries, newest first."""
    query = select(Entry.seq).where(*conditions).order_by(*_NEWEST_FIRST)
    return tx.connection().execute(query).scalars().all()


def _rows(tx: Session, query: Select[*tuple[Any, ...]]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Plain rows, past the session: it costs more than the database when they are thousands."""
    return tx.connection().execute(query).all()


def count(tx: Session, *conditions: ColumnElement[bool]) -> int:
    """How many there are."""
    return tx.scalar(select(func.count()).select_from(Entry).where(*conditions)) or 0


def nearest(tx: Session, *conditions: ColumnElement[bool], oldest_first: bool) -> bytes | None:
    """The id of the first one in a direction."""
    by = (Entry.received_at, Entry.seq)
    order = [column.asc() if oldest_first else column.desc() for column in by]
    return tx.scalars(select(Entry.id).where(*conditions).order_by(*order).limit(1)).first()


def newer_than(entry: Entry) -> ColumnElement[bool]:
    """What stands before an entry in a list."""
    return or_(
        Entry.received_at > entry.received_at,
        and_(Entry.received_at == entry.received_at, Entry.seq > entry.seq),
    )


def older_than(entry: Entry) -> ColumnElement[bool]:
    """What stands after it."""
    return or_(
        Entry.received_at < entry.received_at,
        and_(Entry.received_at == entry.received_at, Entry.seq < entry.seq),
    )
