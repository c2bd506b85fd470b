"""Retention: what is past its days goes, keys first.

An entry is hidden exactly `keep` after it was received (`visible_after`); the
keys role destroys a day's key once that day's last entry is over; then this
module removes rows and segments at leisure. Nothing here can bring anything
back: without the day's key it is noise already. A day's octets wait until no
queue item needs them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive_store.clock import day_of, key_expiry
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.held import waiting_days
from archive_store.models import DayKey, Entry, EntryIndex, MaillogLine, Message, WriterKey
from archive_store.segments import SegmentStore

ROWS_AT_ONCE = 500
"""Rows that one transaction deletes: whoever has mail in hand waits for it to end."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    entries: int = 0
    messages: int = 0
    log_lines: int = 0
    segment_days: tuple[date, ...] = ()


def visible_after(now: datetime, keep: timedelta) -> datetime:
    """Entries received later than this are shown; all others are over."""
    return now - keep


def last_day_over(now: datetime, keep: timedelta) -> date:
    """The newest day of which every entry is over."""
    day = day_of(now - keep)
    return day if key_expiry(day, keep) <= now else day - timedelta(days=1)


class Sweeper:
    """Removes rows and segments of days that are over.

    `busy_days` names the days that undelivered queue items still need; `hanging`
    are the keys and days of other packages' rows that go with a day's messages.
    """

    def __init__(
        self,
        db: Database,
        segments: SegmentStore,
        config: StoreConfig,
        busy_days: Callable[[Session], set[date]],
        hanging: Sequence[tuple[InstrumentedAttribute[Any], InstrumentedAttribute[date]]] = (),
    ) -> None:
        self._db = db
        self._segments = segments
        self._config = config
        self._busy_days = busy_days
        self._hanging = hanging

    def run(self, now: datetime) -> Swept:
        """Sweep once; safe to repeat and to interrupt anywhere."""
        mail_over = last_day_over(now, self._config.keep)
        bag_over = last_day_over(now, self._config.mailbag_keep)
        past = select(Entry.seq).where(Entry.day <= mail_over)
        self._delete(EntryIndex.entry_seq, EntryIndex.entry_seq.in_(past))
        entries = self._delete(Entry.seq, Entry.day <= mail_over)
        # Before the transaction: an object store can be slow.
        stored = self._segments.days()
        with self._db.read() as tx:
            busy, held = self._busy_days(tx), waiting_days(tx)
            # Rows and files are each named here, so that neither stays when the other is lost.
            known = {*stored, *tx.scalars(select(Message.day).distinct())}
            # Octets of a day go when no mailbox, no hold and not the mailbag can need them.
            gone = [
                day
                for day in sorted(known - held)
                if day <= mail_over and (day <= bag_over or day not in busy)
            ]
        for day in gone:
            for key, of_day in self._hanging:
                self._delete(key, of_day == day)
        messages = sum(self._delete(Message.id, Message.day == day) for day in gone)
        log_over = last_day_over(now, self._config.maillog_keep)
        lines = self._delete(MaillogLine.seq, MaillogLine.day <= log_over)
        self._delete_keys(now)
        for day in gone:
            self._segments.drop(day)
        # Also when nothing went: a reader may have been in the way of a final delete's.
        self._db.checkpoint()
        return Swept(entries, messages, lines, tuple(gone))

    def _delete(self, key: InstrumentedAttribute[Any], over: ColumnElement[bool]) -> int:
        """Delete rows in steps: mail that comes in waits for each transaction to end."""
        count = 0
        while True:
            with self._db.write() as tx:
                some = list(tx.scalars(select(key).where(over).limit(ROWS_AT_ONCE)))
                tx.execute(delete(key.class_).where(key.in_(some)))
            count += len(some)
            if len(some) < ROWS_AT_ONCE:
                return count

    def _delete_keys(self, now: datetime) -> None:
        keeps = {
            "mail": self._config.keep,
            "mailbag": self._config.mailbag_keep,
            "log": self._config.maillog_keep,
        }
        for series, keep in keeps.items():
            past = and_(DayKey.series == series, DayKey.day <= last_day_over(now, keep))
            # First what was sealed to them: a busy mailbox has a hundred writer keys a day, and
            # all of them would leave with their day key's row, in its transaction.
            of_past = WriterKey.day_key_id.in_(select(DayKey.id).where(past))
            self._delete(WriterKey.id, of_past)
            self._delete(DayKey.id, past)
