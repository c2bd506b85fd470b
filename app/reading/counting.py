"""The side bar: unread by folder and by identity, and the mail of each kept day."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.identities import list_of
from app.models import Identity
from app.reading.finding import STARRED, TRASH, Window
from app.viewer import Viewer
from archive_store.address import BadAddress, EmailAddress
from archive_store.clock import DAY, day_of
from archive_store.models import FOLDERS, OUTBOX, Entry

DRAFTS = "drafts"
NOT_RECEIVED = frozenset({"sent", DRAFTS, OUTBOX, TRASH})


def receiving(tx: Session, viewer: Viewer) -> tuple[Identity, ...]:
    """The viewer's identities whose mail comes into this mailbox, the own address first."""
    return tuple(one for one in list_of(tx, viewer.user.id) if one.primary or one.receive)


class Tally:
    """Counts of a mailbox, read in one query."""

    def __init__(self, tx: Session, window: Window) -> None:
        columns = (Entry.folder, Entry.seen, Entry.starred, Entry.day)
        query = select(*columns, func.count()).where(*window.everything).group_by(*columns)
        self._groups = list(tx.execute(query))

    def unread(self) -> dict[str, int]:
        """Unread messages by folder, what has a star being one of them; of drafts and of what
        is to be sent, all.
        """
        found = dict.fromkeys((*FOLDERS, OUTBOX, STARRED), 0)
        for folder, seen, starred, _, count in self._groups:
            if not seen or folder in (DRAFTS, OUTBOX):
                found[folder] += count
                if starred and folder != TRASH:
                    found[STARRED] += count
        return found

    def week(self, now: datetime, keep: timedelta) -> tuple[tuple[date, int], ...]:
        """What came on each day, oldest first. What is left of the day before the first of
        them counts with it: both leave next.
        """
        first = day_of(now) - keep + DAY
        days = {first + DAY * ahead: 0 for ahead in range(keep // DAY)}
        for folder, _, _, day, count in self._groups:
            if folder not in NOT_RECEIVED:
                days[min(max(day, first), day_of(now))] += count
        return tuple(days.items())


def by_address(sent_to: Iterable[str]) -> Mapping[str, int]:
    """How often each address stands there, by its key."""
    counts: Counter[str] = Counter()
    for text, times in Counter(sent_to).items():
        counts[key_of(text)] += times
    return counts


def key_of(text: str) -> str:
    """One spelling of an address for all; of what is none, itself."""
    try:
        return EmailAddress.parse(text).key
    except BadAddress:
        return text
