"""One sweep of the whole product: keys, then rows, segments, sessions; with its audit event."""

import logging
from datetime import date, datetime
from functools import partial
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit
from app.accounts.housekeeping import purge
from app.audit import events
from app.fsck.quarantine import Quarantine
from app.models import Hold, QueueItem
from app.sending import limits, submissions
from app.viewer import Actor
from app.wiring import Parts
from archive_store import deletion
from archive_store.clock import utc_now
from archive_store.errors import StoreError
from archive_store.held import HeldCopier, delete_held
from archive_store.retention import Sweeper, Swept, last_day_over
from archive_store.segments.choice import drop_hold_segments, open_hold_segments

log = logging.getLogger(__name__)
UNDELIVERED = ("queued", "leased", "held")
HANGING = ((QueueItem.id, QueueItem.day),)


class ExpiringKeys(Protocol):
    """Whoever destroys keys."""

    def expire(self) -> list[tuple[str, date]]:
        """Destroy the keys of days that are over."""

    def believed_time(self) -> datetime:
        """What destruction goes by: less than the clock says when that jumped ahead."""


def sweep(parts: Parts, keys: ExpiringKeys, now: datetime | None = None) -> Swept:
    """Forget what is past its days: the keys first, so that the rest is noise."""
    keys.expire()
    # A clock that jumped ahead must no more destroy rows and octets than keys.
    at = min(now or utc_now(), keys.believed_time())
    # What is under a legal hold leaves its day's segments before they are dropped.
    holds = partial(open_hold_segments, parts.store)
    # And what a crash left half deleted, while its octets are there.
    _finish_deletions(parts)
    HeldCopier(parts.db, parts.segments, holds).run(last_day_over(at, parts.store.keep))
    _end_released(parts)
    swept = Sweeper(parts.db, parts.segments, parts.store, _busy_days, HANGING).run(at)
    Quarantine(parts.store.quarantine_dir).drop(last_day_over(at, parts.store.keep))
    with parts.db.write() as tx:
        purge(tx, at)
        limits.purge(tx, at)
        submissions.purge(tx, at)
        if swept != Swept():
            event = events.RetentionRan(
                messages=swept.messages, entries=swept.entries, segments=len(swept.segment_days)
            )
            actor = Actor.system("sweep")
            audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=at)
    return swept


def _finish_deletions(parts: Parts) -> None:
    """End what was put aside. A segment that cannot be written must not keep whole days: nobody
    sees what is aside, and its key goes with its day at the latest.
    """
    try:
        deletion.finish(parts.db, parts.segments)
    except StoreError as error:
        log.warning("what was deleted waits for its key to be erased: %s", error)


def _end_released(parts: Parts) -> None:
    """Remove what released holds held; their keys are destroyed. The hold's own row goes last,
    so that a sweep that is killed is finished by the next.
    """
    with parts.db.read() as tx:
        released = list(tx.scalars(select(Hold.id).where(Hold.released_at.is_not(None))))
    for hold_id in released:
        delete_held(parts.db, hold_id)
        drop_hold_segments(parts.store, hold_id)
        with parts.db.write() as tx:
            tx.execute(delete(Hold).where(Hold.id == hold_id))


def _busy_days(tx: Session) -> set[date]:
    waiting = select(QueueItem.day).where(QueueItem.state.in_(UNDELIVERED)).distinct()
    return set(tx.scalars(waiting))
