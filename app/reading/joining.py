"""Conversations of live sessions, in memory: joined from the sealed summaries, kept as ids alone.

A mailbox is joined once, when its session first asks for conversations, and what comes later is
added to it; what is known of one session is dropped at its end, after half an hour without use,
when room is needed, and as soon as anything in it was deleted or is past its days: it is then
joined anew. The keys are asked for when something is not there yet, and not kept.
Safe to share between threads.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.reading.finding import Window, numbers, seqs
from app.reading.remembered import Remembered
from app.reading.shelf import AT_ONCE, sealed_summaries
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

    def __len__(self) -> int:
        return len(self.threads)

    def __contains__(self, number: int) -> bool:
        return number in self.threads

    def is_over(self, after: datetime) -> bool:
        return self.oldest < day_of(after)


class Joined(Remembered[_Mailbox]):
    """The joined mailboxes of all sessions."""

    def __init__(self, sealers: Sealers, most: int = MOST_MESSAGES) -> None:
        super().__init__(_Mailbox, most)
        self._sealers = sealers

    @contextmanager
    def threads(
        self, tx: Session, viewer: Viewer, window: Window, now: datetime
    ) -> Iterator[Threads]:
        """All that can be seen of the viewer's mailbox, joined; for the time of the `with`.

        What is not indexed yet is not in it, and so is alone.
        """
        mailbox = self.use(viewer.session_id, now)
        with mailbox.lock:
            there = seqs(tx, *window.conditions, Entry.indexed.is_(True))
            missing = [seq for seq in there if seq not in mailbox.threads]
            if missing:
                self._add(tx, viewer, mailbox, missing)
            yield mailbox.threads
        if missing:
            self.make_room()

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


def _links(scan: SummaryScan, entry_id: bytes, sealed: bytes) -> Links:
    try:
        return links_of(scan.octets(entry_id, sealed))
    except SealBroken:
        return ALONE  # the list shows that it cannot be read
