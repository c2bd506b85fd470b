"""Who wrote to a mailbox or was written to from it, so that a first mail can be told from others.

Of a live session, in memory: addresses alone, read from the sealed summaries when the first mail is
opened, and what comes later is added. It is dropped at the end of the session, after half an hour
without use, when room is needed, and when anything in it was deleted or is past its days.
Safe to share between threads.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from app.markup import domains
from app.reading import finding
from app.reading.finding import EntryLine, Window
from app.reading.remembered import Remembered
from app.reading.shelf import sealed_summaries
from app.viewer import Viewer
from archive_store.errors import SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.mime.headers import parse_addresses
from archive_store.mime.summary import Summary
from archive_store.mime.values import ParsedMessage
from archive_store.models import Entry
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import SummaryScan

MOST_MESSAGES = 200_000  # of all sessions together; one takes some 100 octets
KNOWS_AFTER = timedelta(days=3)  # a mailbox that is younger knows nobody, which says nothing
LOOKS_BACK = timedelta(minutes=10)  # what came then may be indexed since
NEVER = datetime.max.replace(tzinfo=UTC)
_NO_PEOPLE = ("spam", "drafts")

Sealers = Callable[[Viewer], Mapping[date, SummarySealer]]


@dataclass(slots=True)
class _Mailbox:
    used_at: datetime
    seqs: set[int] = field(default_factory=set)
    first: dict[str, int] = field(default_factory=dict)  # the first entry from an address
    written_to: set[str] = field(default_factory=set)
    oldest: datetime = NEVER
    until: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self.seqs)

    def __contains__(self, number: int) -> bool:
        return number in self.seqs

    def is_over(self, after: datetime) -> bool:
        return self.oldest <= after

    def knows(self, address: str, seq: int) -> bool:
        """Whether somebody wrote there, or an entry before this one came from there."""
        return address in self.written_to or self.first.get(address, seq) < seq


class Strangers(Remembered[_Mailbox]):
    """What is known of the mailboxes of all sessions."""

    def __init__(self, sealers: Sealers, most: int = MOST_MESSAGES) -> None:
        super().__init__(_Mailbox, most)
        self._sealers = sealers

    def is_first(
        self, tx: Session, viewer: Viewer, entry: Entry, sender: str, window: Window, now: datetime
    ) -> bool:
        """Whether nothing came from the address `sender` before this entry, nor went there."""
        mailbox = self.use(viewer.session_id, now)
        address = sender.casefold()
        with mailbox.lock:
            if mailbox.knows(address, entry.seq):  # and will, whatever came since
                return False
            self._look(tx, viewer, mailbox, window, now)
            is_young = entry.received_at - mailbox.oldest < KNOWS_AFTER
            return not is_young and not mailbox.knows(address, entry.seq)

    def _look(
        self, tx: Session, viewer: Viewer, mailbox: _Mailbox, window: Window, now: datetime
    ) -> None:
        """Add what came since the last look."""
        since = max(window.after, mailbox.until - LOOKS_BACK) if mailbox.until else window.after
        recent = replace(window, after=since)
        kept = Entry.folder.not_in(_NO_PEOPLE)
        found = finding.lines(tx, *recent.conditions, kept, Entry.indexed.is_(True))
        missing = {line.seq: line for line in found if line.seq not in mailbox.seqs}
        if missing:
            self._add(tx, viewer, mailbox, missing)
            self.make_room()
        mailbox.until = now  # not before: a look that failed is made again

    def _add(
        self, tx: Session, viewer: Viewer, mailbox: _Mailbox, lines: Mapping[int, EntryLine]
    ) -> None:
        scans = {day: SummaryScan(sealer) for day, sealer in self._sealers(viewer).items()}
        for seq, sealed in sealed_summaries(tx, list(lines)):
            line = lines[seq]
            scan = scans.get(line.day)
            summary = _opened(scan, line.id, sealed) if scan else None
            if summary is None:
                continue
            mailbox.seqs.add(seq)
            mailbox.oldest = min(mailbox.oldest, line.received_at)
            if line.folder == "sent":
                for person in (*summary.to, *summary.cc):
                    found = parse_addresses(person, 1)
                    mailbox.written_to.update(one.address.casefold() for one in found)
            else:
                address = summary.sender_address.casefold()
                mailbox.first[address] = min(seq, mailbox.first.get(address, seq))


def is_personal(parsed: ParsedMessage, own: str) -> bool:
    """Whether a mail is from somebody outside and no list or machine sent it to many."""
    sender = parsed.sender.address.rpartition("@")[2].lower() if parsed.sender else ""
    is_own = domains.registrable(domains.host_of(sender)) == domains.registrable(own)
    is_bulk = parsed.list_id or parsed.list_unsubscribe or parsed.auto_submitted
    return bool(sender) and not is_own and not is_bulk


def _opened(scan: SummaryScan, entry_id: bytes, sealed: bytes) -> Summary | None:
    try:
        return IndexedSummary.from_octets(scan.octets(entry_id, sealed)).summary
    except SealBroken:
        return None  # the list shows that it cannot be read
