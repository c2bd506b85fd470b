"""Opened summaries of live sessions, in memory: so that a list is opened once and not each time.

A shelf belongs to one session and is dropped at its end, after half an hour without use,
or when room is needed; what is past its days is dropped whenever the shelf is used. The
keys that open summaries are asked for when something is not there yet, and not kept.
Safe to share between threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache, partial
from typing import Protocol

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.reading.finding import EntryNumber, numbers
from app.secret import Secret
from app.viewer import Viewer
from archive_store.clock import day_of
from archive_store.directory import Owner
from archive_store.errors import NotFound, SealBroken
from archive_store.models import Entry, EntryIndex
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import OpenedSummary, SummaryScan

MOST_SUMMARIES = 50_000  # of all sessions together; one is less than a kilobyte
IDLE = timedelta(minutes=30)
AT_ONCE = 500
_SUMMARIES = select(EntryIndex.entry_seq, EntryIndex.summary).where(
    # A list given to in_() is looked at one by one, which costs as much as the query.
    EntryIndex.entry_seq.in_(bindparam("seqs", expanding=True))
)


class SummaryKeys(Protocol):
    """What the keys role gives a live session."""

    def summary_keys(self, token: Secret) -> dict[date, bytes]:
        """Summary keys of the session's own mailbox, by day."""


@dataclass(slots=True)
class _Shelf:
    used_at: datetime
    opened: dict[int, OpenedSummary | None] = field(default_factory=dict)
    days: dict[date, list[int]] = field(default_factory=dict)  # what was opened of each

    def put(self, entry: EntryNumber, summary: OpenedSummary | None) -> None:
        if entry.seq not in self.opened:
            self.days.setdefault(entry.day, []).append(entry.seq)
        self.opened[entry.seq] = summary

    def drop(self, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self.opened.pop(seq, None)


class Shelves:
    """The shelves of all sessions."""

    def __init__(self, keys: SummaryKeys, installation: bytes, most: int = MOST_SUMMARIES) -> None:
        self._keys = keys
        self._installation = installation
        self._most = most
        self._shelves: OrderedDict[bytes, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def summaries(
        self,
        tx: Session,
        viewer: Viewer,
        entries: Sequence[EntryNumber],
        now: datetime,
        sealers: Callable[[], Mapping[date, SummarySealer]] | None = None,
    ) -> dict[int, OpenedSummary]:
        """Summaries by entry number. Missing: what is not indexed yet, or does not open.

        `sealers` spares a question to the keys role where the caller has asked already.
        """
        with self._lock:
            shelf = self._take(viewer.session_id, now)
            known = {
                seq: shelf.opened[seq] for entry in entries if (seq := entry.seq) in shelf.opened
            }
        missing = [entry for entry in entries if entry.indexed and entry.seq not in known]
        if missing:
            opened = _open(tx, missing, sealers() if sealers else self.sealers(viewer))
            known |= opened
            with self._lock:
                for entry in missing:
                    if entry.seq in opened:
                        shelf.put(entry, opened[entry.seq])
                self._make_room()
        return {seq: summary for seq, summary in known.items() if summary is not None}

    def sent_to(self, tx: Session, viewer: Viewer, seqs: Sequence[int], now: datetime) -> list[str]:
        """The recipients of entries with these numbers, in no order. The side bar asks it of all
        unread ones with each page: what is on the shelf is not even looked up in the database.
        """
        with self._lock:
            opened = self._take(viewer.session_id, now).opened
            found = [one.sent_to for seq in seqs if (one := opened.get(seq)) is not None]
            missing = [seq for seq in seqs if seq not in opened]
        sealers = cache(partial(self.sealers, viewer))
        for at in range(0, len(missing), AT_ONCE):
            entries = numbers(tx, Entry.seq.in_(missing[at : at + AT_ONCE]))
            summaries = self.summaries(tx, viewer, entries, now, sealers)
            found += [one.sent_to for one in summaries.values()]
        return found

    def sealers(self, viewer: Viewer) -> Mapping[date, SummarySealer]:
        """What opens the viewer's summaries and words, by day."""
        if viewer.mailbox_id is None or viewer.user.domain_id is None:
            raise NotFound("no mailbox")
        owner = Owner.mailbox(viewer.user.domain_id, viewer.mailbox_id)
        return {
            day: SummarySealer(self._installation, owner, day, key)
            for day, key in self._keys.summary_keys(viewer.token).items()
        }

    def forget(self, session_id: bytes) -> None:
        """Drop what a session has opened, at its end."""
        with self._lock:
            self._shelves.pop(session_id, None)

    def drop(self, seqs: Sequence[int]) -> None:
        """Drop what was deleted, in whatever session it was opened."""
        with self._lock:
            for shelf in self._shelves.values():
                shelf.drop(seqs)

    def prune(self, now: datetime, after: datetime) -> None:
        """Drop the shelves that nobody uses, and what is past its days from all others."""
        oldest = day_of(after)
        with self._lock:
            for session_id, shelf in list(self._shelves.items()):
                if now - shelf.used_at >= IDLE:
                    del self._shelves[session_id]
                for day in [day for day in shelf.days if day < oldest]:
                    shelf.drop(shelf.days.pop(day))

    def _take(self, session_id: bytes, now: datetime) -> _Shelf:
        shelf = self._shelves.setdefault(session_id, _Shelf(now))
        shelf.used_at = now
        self._shelves.move_to_end(session_id)
        return shelf

    def _make_room(self) -> None:
        total = sum(len(shelf.opened) for shelf in self._shelves.values())
        while total > self._most and self._shelves:
            _, shelf = self._shelves.popitem(last=False)
            total -= len(shelf.opened)


def _open(
    tx: Session, entries: Sequence[EntryNumber], sealers: Mapping[date, SummarySealer]
) -> dict[int, OpenedSummary | None]:
    by_seq = {entry.seq: entry for entry in entries}
    scans = {day: SummaryScan(sealer) for day, sealer in sealers.items()}
    opened: dict[int, OpenedSummary | None] = {}
    for seq, sealed in sealed_summaries(tx, list(by_seq)):
        scan = scans.get(by_seq[seq].day)
        if scan is not None:
            opened[seq] = _opened(scan, by_seq[seq].id, sealed)
    return opened


def _opened(scan: SummaryScan, entry_id: bytes, sealed: bytes) -> OpenedSummary | None:
    try:
        return scan.open(entry_id, sealed)
    except SealBroken:
        return None  # the list shows that it cannot be read; fsck finds it, too


def sealed_summaries(tx: Session, seqs: Sequence[int]) -> Iterable[tuple[int, bytes]]:
    """Summaries as they are stored, by entry number; missing: what is not indexed yet."""
    connection = tx.connection()  # its rows cost a third of a session's
    for at in range(0, len(seqs), AT_ONCE):
        yield from connection.execute(_SUMMARIES, {"seqs": seqs[at : at + AT_ONCE]})
