"""Searching: a scan of a mailbox's words, opened a part at a time.

There is no plain-text index anywhere: the words lie sealed beside the summaries, and what was
opened of them is kept in memory while the session lives (`words`). What the entry's own row
answers is asked first, and nothing is opened that it rules out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from sqlalchemy.orm import Session

from app.reading.finding import TRASH, EntryLine
from app.reading.shelf import Shelves
from app.reading.words import WordShelves, open_words
from app.search_views import Chip
from app.viewer import Viewer
from app.views import Row
from archive_store.mime.summary import sections
from archive_store.search import Candidate, Needs, Query, excerpt, hits
from archive_store.summaries import SummarySealer

_AT_ONCE = 1_000
ASIDE = (TRASH, "spam")  # not searched unless they are asked for


@dataclass(frozen=True)
class Scan:
    """One person's search of their mailbox, inside of one transaction."""

    tx: Session
    viewer: Viewer
    summaries: Shelves
    words: WordShelves
    now: datetime

    @cached_property
    def sealers(self) -> Mapping[date, SummarySealer]:
        """Asked of the keys role once, and only when something has to be opened."""
        return self.summaries.sealers(self.viewer)

    def matching(self, query: Query, entries: Sequence[EntryLine]) -> Iterator[EntryLine]:
        """Those of the entries that match, in their order."""
        narrow = query.narrow
        possible = (
            [entry for entry in entries if narrow.holds(Candidate(entry))]
            if narrow.parts
            else entries
        )
        if query.needs is Needs.FACTS:
            yield from possible
            return
        known = [entry for entry in possible if entry.indexed]
        for at in range(0, len(known), _AT_ONCE):
            some = known[at : at + _AT_ONCE]
            words = self.words.words(
                self.tx, self.viewer.session_id, some, lambda: self.sealers, self.now
            )
            sent_to = self._sent_to(some) if query.needs is Needs.SUMMARY else {}
            for entry in some:
                if query.matches(entry, words.get(entry.seq, b""), sent_to.get(entry.seq, "")):
                    yield entry

    def around(self, query: Query, lines: Sequence[EntryLine], rows: Sequence[Row]) -> list[Row]:
        """The rows, with the text around the hit where neither subject nor preview has one."""
        wanted = [
            line
            for line, row in zip(lines, rows, strict=True)
            if query.needles and not hits(f"{row.subject} {row.preview}", query.needles)
        ]
        texts = open_words(self.tx, wanted, self.sealers) if wanted else {}
        return [
            _showing(row, query, texts[line.seq]) if line.seq in texts else row
            for line, row in zip(lines, rows, strict=True)
        ]

    def _sent_to(self, entries: Sequence[EntryLine]) -> dict[int, str]:
        found = self.summaries.summaries(
            self.tx, self.viewer, entries, self.now, lambda: self.sealers
        )
        return {seq: one.sent_to for seq, one in found.items()}


def _showing(row: Row, query: Query, text: str) -> Row:
    found = sections(text)
    for letter in ("b", "d"):
        piece = excerpt(found.get(letter, ""), query.needles)
        if piece:
            return replace(row, preview=piece, in_document=letter == "d")
    return row


def left_out(query: Query) -> tuple[str, ...]:
    """The folders that a search leaves out."""
    return () if any(chip.name == "in" for chip in query.describe()) else ASIDE


def chips(query: Query) -> tuple[Chip, ...]:
    """How the words were understood."""
    return tuple(
        Chip(
            name="-" * (term.negated and bool(term.name)) + term.name,
            value="-" * (term.negated and not term.name) + term.value,
            bad=term.bad,
            before=term.before,
            after=term.after,
        )
        for term in query.describe()
    )
