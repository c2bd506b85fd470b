"""Opened words of live sessions, in memory: a mailbox is opened once and not at each search.

Words belong to one session and are dropped at its end, after half an hour without a search, or
when others need the room; what is deleted or past its days is dropped at once. There is an upper
bound for all sessions together: what has no room is opened again at the next search. The keys are
asked for when something is not there yet, and not kept. Safe to share between threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.reading.finding import EntryNumber
from archive_store.clock import day_of
from archive_store.errors import SealBroken
from archive_store.models import EntryIndex
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import WordsScan

MOST_OCTETS = 64 * 1024 * 1024  # of all sessions together
IDLE = timedelta(minutes=30)
_AT_ONCE = 500
_WORDS = select(EntryIndex.entry_seq, EntryIndex.words).where(
    # A list given to in_() is looked at one by one, which costs as much as the query.
    EntryIndex.entry_seq.in_(bindparam("seqs", expanding=True))
)

T = TypeVar("T")
Sealers = Callable[[], Mapping[date, SummarySealer]]


@dataclass(slots=True)
class _Shelf:
    used_at: datetime
    by_day: dict[date, dict[int, bytes]] = field(default_factory=dict)
    octets: int = 0

    def drop_day(self, day: date) -> None:
        self.octets -= sum(map(len, self.by_day.pop(day).values()))

    def drop(self, seq: int) -> None:
        for words in self.by_day.values():
            self.octets -= len(words.pop(seq, b""))


class WordShelves:
    """The opened words of all sessions, folded."""

    def __init__(self, most: int = MOST_OCTETS) -> None:
        self._most = most
        self._shelves: OrderedDict[bytes, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def words(
        self,
        tx: Session,
        session_id: bytes,
        entries: Sequence[EntryNumber],
        sealers: Sealers,
        now: datetime,
    ) -> dict[int, bytes]:
        """Folded words by entry number. Missing: what is not indexed yet, or does not open."""
        with self._lock:
            shelf = self._take(session_id, now)
            known = {
                entry.seq: words
                for entry in entries
                if (words := shelf.by_day.get(entry.day, {}).get(entry.seq)) is not None
            }
        missing = [entry for entry in entries if entry.seq not in known]
        if missing:
            opened = _opened(tx, missing, sealers(), WordsScan.folded)
            with self._lock:
                self._put(shelf, missing, opened)
            known |= opened
        return known

    def forget(self, session_id: bytes) -> None:
        """Drop what a session has opened, at its end."""
        with self._lock:
            self._shelves.pop(session_id, None)

    def drop(self, seqs: Sequence[int]) -> None:
        """Drop what was deleted, in whatever session it was opened."""
        with self._lock:
            for shelf in self._shelves.values():
                for seq in seqs:
                    shelf.drop(seq)

    def prune(self, now: datetime, after: datetime) -> None:
        """Drop what nobody uses, and what is past its days from all others."""
        oldest = day_of(after)
        with self._lock:
            for session_id, shelf in list(self._shelves.items()):
                if now - shelf.used_at >= IDLE:
                    del self._shelves[session_id]
                for day in [day for day in shelf.by_day if day < oldest]:
                    shelf.drop_day(day)

    def octets(self) -> int:
        """How much is held."""
        with self._lock:
            return self._octets()

    def _octets(self) -> int:
        return sum(shelf.octets for shelf in self._shelves.values())

    def _take(self, session_id: bytes, now: datetime) -> _Shelf:
        shelf = self._shelves.setdefault(session_id, _Shelf(now))
        shelf.used_at = now
        self._shelves.move_to_end(session_id)
        return shelf

    def _put(
        self, shelf: _Shelf, entries: Sequence[EntryNumber], opened: Mapping[int, bytes]
    ) -> None:
        room = self._room_for(shelf, sum(map(len, opened.values())))
        for entry in entries:
            words = opened.get(entry.seq)
            if words is None or len(words) > room:
                continue
            room -= len(words)
            shelf.octets += len(words)
            shelf.by_day.setdefault(entry.day, {})[entry.seq] = words

    def _room_for(self, shelf: _Shelf, octets: int) -> int:
        """The room there is, once those who searched longest ago have made some."""
        total = self._octets()
        for session_id, other in list(self._shelves.items()):
            if total + octets <= self._most:
                break
            if other is not shelf:
                total -= other.octets
                del self._shelves[session_id]
        return self._most - total


def open_words(
    tx: Session, entries: Sequence[EntryNumber], sealers: Mapping[date, SummarySealer]
) -> dict[int, str]:
    """Words as the messages have them, by entry number; what does not open is missing."""
    return _opened(tx, entries, sealers, WordsScan.text)


def _opened(
    tx: Session,
    entries: Sequence[EntryNumber],
    sealers: Mapping[date, SummarySealer],
    open_one: Callable[[WordsScan, bytes, bytes], T],
) -> dict[int, T]:
    by_seq = {entry.seq: entry for entry in entries}
    scans = {day: WordsScan(sealer) for day, sealer in sealers.items()}
    found = {}
    for seq, sealed in _sealed(tx, list(by_seq)):
        entry = by_seq[seq]
        scan = scans.get(entry.day)
        if scan is None:
            continue
        try:
            found[seq] = open_one(scan, entry.id, sealed)
        except SealBroken:
            continue  # its facts and its summary can still match
    return found


def _sealed(tx: Session, seqs: Sequence[int]) -> Iterable[tuple[int, bytes]]:
    connection = tx.connection()  # its rows cost a third of a session's
    for at in range(0, len(seqs), _AT_ONCE):
        yield from connection.execute(_WORDS, {"seqs": seqs[at : at + _AT_ONCE]})
