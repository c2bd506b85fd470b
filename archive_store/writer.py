"""Writing for good: seal units of mail, append their frames, insert their rows.

A unit is the mails of one SMTP transaction, stored together or not at all. All
units of one call share one fdatasync of the segment and one database transaction:
entries, queue items and mail log lines together, so that a mail is in the archive
and on its way to the primary, or neither. When that failed for a batch, and not
because the database is away, each of its units is tried once by itself, so that
one bad unit cannot refuse the others.

Frames whose transaction failed stay behind without a row: noise that leaves
with its day, counted by `fsck`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeAlias, cast

from sqlalchemy import Table
from sqlalchemy.orm import Session

from archive_store.bulk import BulkInsert
from archive_store.clock import day_of, utc_now
from archive_store.db import Database
from archive_store.errors import StoreBusy, StoreError, WriteFailed
from archive_store.kept import KeptSessions
from archive_store.models import Entry, MaillogLine, Message
from archive_store.sealing import Incoming, SealedMail, SealedRelay, Sealer
from archive_store.segments import FrameRef, SegmentStore

log = logging.getLogger(__name__)
BATCH_UNITS = 200  # more units or octets than these are no longer worth one batch
BATCH_OCTETS = 16 * 1024 * 1024
OLD_KEYS_SECONDS = 15.0  # how often keys past their life, or at rest, are to be dropped

_MESSAGES = BulkInsert(cast(Table, Message.__table__))
_ENTRIES = BulkInsert(cast(Table, Entry.__table__))
_LOG_LINES = BulkInsert(cast(Table, MaillogLine.__table__))


class Outbox(Protocol):
    """The queue, as far as the archive needs it."""

    def add(self, tx: Session, items: Sequence[SealedRelay]) -> None:
        """Insert queue items in the archive's own transaction."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of one Incoming: ids of the message and of its entries, in order."""

    message_id: bytes
    entry_ids: tuple[bytes, ...]


Unit: TypeAlias = Sequence[Incoming]
Then: TypeAlias = Callable[[Session, Sequence[Stored]], None]
"""What belongs to a unit, and is done in its transaction: a StoreError undoes the unit."""
Outcome: TypeAlias = list[Stored] | StoreError


class Writer:
    """The writing side, for one thread, which calls `drop_old_keys` now and then."""

    def __init__(
        self, db: Database, segments: SegmentStore, sealer: Sealer, outbox: Outbox
    ) -> None:
        self._db = KeptSessions(db)
        self._segments = segments
        self._sealer = sealer
        self._outbox = outbox

    def store(self, units: Sequence[Unit], thens: Sequence[Then | None] = ()) -> list[Outcome]:
        """Store each unit durably; says of each what came of it, in order. Never raises."""
        if not units:
            return []
        thens = thens or [None] * len(units)
        outcomes = self._store(units, thens)
        if not isinstance(outcomes, StoreError):
            return outcomes
        # A database that is away or locked is nobody's fault: to wait for it once more for
        # each unit would hold up every sender for minutes.
        if len(units) == 1 or isinstance(outcomes, StoreBusy):
            return [outcomes] * len(units)
        return [
            outcome
            for unit, then in zip(units, thens, strict=True)
            for outcome in self.store([unit], [then])
        ]

    def drop_old_keys(self) -> None:
        """Forget writer keys past their life, and those of mailboxes that get nothing now."""
        self._sealer.keys.drop_old(utc_now())

    def close(self) -> None:
        """Let go of open files and of the database."""
        self._segments.close()
        self._db.close()

    def _store(
        self, units: Sequence[Unit], thens: Sequence[Then | None]
    ) -> list[Outcome] | StoreError:
        try:
            stored = self._write(units, thens)
        except StoreError as error:
            self._sealer.keys.settle(committed=False)
            return error
        except Exception as error:  # a fault of ours: the sender keeps the mail
            self._sealer.keys.settle(committed=False)
            log.error("storing failed: %s", type(error).__name__)  # noqa: TRY400 - no mail in logs
            return WriteFailed("the mail could not be stored")
        self._sealer.keys.settle(committed=True)
        return stored

    def _write(self, units: Sequence[Unit], thens: Sequence[Then | None]) -> list[Outcome]:
        now = utc_now()
        # Sealing reads keys at most; the write lock is only held for the inserts.
        with self._db.read() as tx:
            sealed = [[self._sealer.seal(tx, mail, now) for mail in unit] for unit in units]
        flat = [mail for mails in sealed for mail in mails]
        stored = [[Stored(mail.message_id, mail.entry_ids) for mail in mails] for mails in sealed]
        refs = self._append(day_of(now), flat)
        with self._db.write() as tx:
            self._sealer.keys.add_rows(tx)
            _insert(tx, flat, refs)
            relays = [relay for mail in flat for relay in mail.relays]
            if relays:
                self._outbox.add(tx, relays)
            for then, of_unit in zip(thens, stored, strict=True):
                if then is not None:
                    then(tx, of_unit)
        return list(stored)

    def _append(self, day: date, mails: list[SealedMail]) -> list[FrameRef]:
        keys = [frame.encode() for frame in self._sealer.keys.take_fresh()]
        frames = [frame.encode() for frame in self._sealer.frames(mails)]
        return self._segments.append(day, keys + frames)[len(keys) :]


def _insert(tx: Session, mails: list[SealedMail], refs: list[FrameRef]) -> None:
    _MESSAGES.execute(tx, [message_row(mail, ref) for mail, ref in zip(mails, refs, strict=True)])
    _ENTRIES.execute(tx, [row for mail in mails for row in mail.entries])
    _LOG_LINES.execute(tx, [mail.log_line for mail in mails if mail.log_line is not None])


def message_row(mail: SealedMail, ref: FrameRef) -> dict[str, Any]:
    """The row of a message whose frame lies at `ref`."""
    return {
        "id": mail.message_id,
        "tenant_id": mail.frame.tenant_id,
        "day": ref.day,
        "received_at": mail.frame.received_at,
        "size": mail.frame.size,
        "segment": ref.segment,
        "frame_offset": ref.offset,
        "frame_length": ref.length,
    }
