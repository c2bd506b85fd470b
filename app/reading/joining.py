"""Conversations of live sessions, in memory: joined from the sealed summaries, kept as ids alone.

A mailbox is joined once, when its session first asks for conversations, and what comes later is
added to it; what is known of one session is dropped at its end, after half an hour without use,
when room is needed, and as soon as anything in it was deleted or is past its days: it is then
joined anew. The keys are asked for when something is not there yet, and not kept.
Safe to share between threads.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.reading.finding import Window, numbers, seqs
from app.reading.shelf import AT_ONCE, IDLE, sealed_summaries
from app.viewer import Viewer
from archive_store.clock import day_of
from archive_store.errors import SealBroken
from archive_store.models import Entry
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import SummaryScan
from archive_store.threads import Links, Threads, links_of

MOST_MESSAGES = 200_000  # of all sessions together; one takes some 400 octets
ALONE = Links(b"", [])

Sealers = Callable[[Viewer], Mapping[date, SummarySealer]]


@dataclass(slots=True)
class _Mailbox:
    used_at: datetime
    threads: Threads = field(default_factory=Threads)
    oldest: date = date.max
    lock: threading.Lock = field(default_factory=threading.Lock)


class Joined:
    """The joined mailboxes of all sessions."""

    def __init__(self, sealers: Sealers, most: int = MOST_MESSAGES) -> None:
        self._sealers = sealers
        self._most = most
        self._mailboxes: OrderedDict[bytes, _Mailbox] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def threads(
        self, tx: Session, viewer: Viewer, window: Window, now: datetime
    ) -> Iterator[Threads]:
        """All that can be seen of the viewer's mailbox, joined; for the time of the `with`.

        What is not indexed yet is not in it, and so is alone.
        """
        with self._lock:
            mailbox = self._mailboxes.setdefault(viewer.session_id, _Mailbox(now))
            mailbox.used_at = now
            self._mailboxes.move_to_end(viewer.session_id)
        with mailbox.lock:
            there = seqs(tx, *window.conditions, Entry.indexed.is_(True))
            missing = [seq for seq in there if seq not in mailbox.threads]
            if missing:
                self._add(tx, viewer, mailbox, missing)
            yield mailbox.threads
        if missing:
            self._make_room()

    def forget(self, session_id: bytes) -> None:
        """Drop what is known for a session, at its end."""
        with self._lock:
            self._mailboxes.pop(session_id, None)

    def drop(self, numbers: Sequence[int]) -> None:
        """Messages were deleted for good: forget the mailboxes that they were in."""
        with self._lock:
            for session_id, mailbox in list(self._mailboxes.items()):
                if any(number in mailbox.threads for number in numbers):
                    del self._mailboxes[session_id]

    def prune(self, now: datetime, after: datetime) -> None:
        """Drop what nobody uses, and what holds ids of messages past their days."""
        oldest = day_of(after)
        with self._lock:
            for session_id, mailbox in list(self._mailboxes.items()):
                if now - mailbox.used_at >= IDLE or mailbox.oldest < oldest:
                    del self._mailboxes[session_id]

    def _add(self, tx: Session, viewer: Viewer, mailbox: _Mailbox, missing: Sequence[int]) -> None:
        scans = {day: SummaryScan(sealer) for day, sealer in self._sealers(viewer).items()}
        for at in range(0, len(missing), AT_ONCE):
            some = missing[at : at + AT_ONCE]
            entries = {one.seq: one for one in numbers(tx, Entry.seq.in_(some))}
            for seq, sealed in sealed_summaries(tx, list(entries)):
                entry = entries[seq]
                scan = scans.get(entry.day)
                if scan is None:
                    continue  # its key may come; until then it is alone
                mailbox.threads.add(seq, _links(scan, entry.id, sealed))
                mailbox.oldest = min(mailbox.oldest, entry.day)

    def _make_room(self) -> None:
        with self._lock:
            total = sum(len(mailbox.threads) for mailbox in self._mailboxes.values())
            while total > self._most and self._mailboxes:
                _, mailbox = self._mailboxes.popitem(last=False)
                total -= len(mailbox.threads)


def _links(scan: SummaryScan, entry_id: bytes, sealed: bytes) -> Links:
    try:
        return links_of(scan.octets(entry_id, sealed))
    except SealBroken:
        return ALONE  # the list shows that it cannot be read
