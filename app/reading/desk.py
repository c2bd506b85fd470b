"""What the use cases of the mail pages stand on: their parts, and what each of them does first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from app.delivery.state import delivery_state
from app.pictures.picture import Picture, Sheets
from app.reading import counting, handing, rows
from app.reading.finding import EntryLine, Window
from app.reading.joining import Joined
from app.reading.opening import Calendars, EntryKeys, Opener, Parsers
from app.reading.shelf import Shelves, SummaryKeys
from app.reading.strangers import Strangers
from app.reading.words import WordShelves
from app.scanning.checks import FileChecks
from app.viewer import Viewer
from app.views import Row, SafeDocument
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.reader import ArchiveReader


class Keys(EntryKeys, SummaryKeys, Protocol):
    """What reading needs of the keys role."""


class Papers(Protocol):
    """What draws pages of PDF files; it raises for no content."""

    def look(self, octets: bytes, first: int) -> Sheets | None: ...
    def draw(self, octets: bytes, number: int, longest: int) -> Picture | None: ...


Remote = Callable[[str], str | None]  # where to ask us for the picture at an address


@dataclass(frozen=True, slots=True)
class Documents:
    """What turns a body into a page for the frame: `html` with the pictures that came along, both
    with the folded words to mark in it.
    """

    html: Callable[[str, Mapping[str, bytes], Sequence[str], Remote | None], SafeDocument]
    text: Callable[[str, Sequence[str]], SafeDocument]
    picture: Callable[[bytes], str | None]  # its media type when the frame can show it


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingParts:
    """What reading is made of."""

    db: Database
    keys: Keys
    reader: ArchiveReader
    parsers: Parsers
    calendars: Calendars
    documents: Documents
    redraw: Callable[[bytes, int], Picture | None]  # to at most so many pixels
    papers: Papers
    keep: timedelta
    checks: FileChecks
    now: Callable[[], datetime] = field(default=utc_now)


class Desk:
    """The parts, and what was opened for the sessions that live. Safe to share between threads."""

    def __init__(self, parts: ReadingParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._reader = parts.reader
        self._parsers = parts.parsers
        self._calendars = parts.calendars
        self._documents = parts.documents
        self._redraw = parts.redraw
        self._papers = parts.papers
        self._keep = parts.keep
        self.checks = parts.checks
        self._now = parts.now
        self._shelves = Shelves(parts.keys, parts.reader.installation)
        self._words = WordShelves()
        self._joined = Joined(self._shelves.sealers)
        self._strangers = Strangers(self._shelves.sealers)
        self.opener = Opener(parts.db, parts.keys, parts.reader, parts.keep, parts.now)

    def forget_entries(self, seqs: Sequence[int]) -> None:
        """Entries are gone: drop what is opened of them from memory."""
        self._shelves.drop(seqs)
        self._words.drop(seqs)
        self._joined.drop(seqs)
        self._strangers.drop(seqs)

    def forget(self, session_id: bytes) -> None:
        """A session ended: drop what it has opened from memory."""
        self._shelves.forget(session_id)
        self._words.forget(session_id)
        self._joined.forget(session_id)
        self._strangers.forget(session_id)

    def _window(self, viewer: Viewer) -> Window:
        now = self._now()
        window = Window.of(viewer, now, self._keep)
        self._shelves.prune(now, window.after)
        self._words.prune(now, window.after)
        self._joined.prune(now, window.after)
        self._strangers.prune(now, window.after)
        return window

    def _rows(self, tx: Session, viewer: Viewer, lines: Sequence[EntryLine]) -> tuple[Row, ...]:
        summaries = self._shelves.summaries(tx, viewer, lines, self._now())
        deliveries = delivery_state(tx, [line.id for line in lines])
        return tuple(
            rows.row(
                line,
                rows.parsed(summaries.get(line.seq)),
                only_here=handing.only_here(deliveries[line.id], line.folder),
            )
            for line in lines
        )

    def _sent_to(
        self, tx: Session, viewer: Viewer, lines: Sequence[EntryLine], to: str
    ) -> list[EntryLine]:
        """Those of the entries that were sent to an address."""
        summaries = self._shelves.summaries(tx, viewer, lines, self._now())
        key = counting.key_of(to)
        spellings = {one.sent_to for one in summaries.values()}
        mine = {spelling for spelling in spellings if counting.key_of(spelling) == key}
        return [
            line for line in lines if line.seq in summaries and summaries[line.seq].sent_to in mine
        ]
