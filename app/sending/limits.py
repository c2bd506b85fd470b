"""How many recipients a person and a domain may send to, so that a stolen account cannot send spam.

Counted by clock hour in the database, before a message is stored, in one transaction with the
verdict: two sessions that send at once do not both pass. An hour is the clock's, a day the last
24 of them. A message that goes over a limit is not sent at all; one that is to leave later counts
when Send is pressed, and counts on when it is taken back. The audit trail has the first refusal of
each window; it names no recipient.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit
from app.audit.events import SendingLimited
from app.models import SendingCount
from app.upsert import insert_if_absent
from app.viewer import Viewer
from app.views import BadDraft
from archive_store import ids

log = logging.getLogger(__name__)
HOUR = timedelta(hours=1)
DAY_HOURS = 24
_WINDOWS = {"hour": "an hour", "day": "a day"}


class TooManySent(BadDraft):
    """A limit is reached; the message can be sent later."""

    status = 429


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLimits:
    """Recipients in an hour and in a day; 0: no limit."""

    per_hour: int = 200
    per_day: int = 1000
    domain_per_hour: int = 2000
    domain_per_day: int = 10_000


@dataclass(frozen=True, slots=True)
class _Limit:
    owner_id: bytes
    of: str  # person | domain
    window: str  # hour | day
    most: int


def take(
    tx: Session, viewer: Viewer, limits: SendLimits, count: int, now: datetime
) -> TooManySent | None:
    """Count recipients, or say why not; then nothing is counted. The caller commits either way."""
    hour = _hour(now)
    rows = _rows(tx, viewer, now)
    for limit in _limits(viewer, limits):
        mine = [row for row in rows if row.owner_id == limit.owner_id]
        counted = [row for row in mine if limit.window == "day" or row.hour == hour]
        if limit.most and sum(row.recipients for row in counted) + count > limit.most:
            if not any(limit.window in row.refused.split() for row in counted):
                current = next(row for row in mine if row.hour == hour)
                current.refused = f"{current.refused} {limit.window}".strip()
                _record(tx, viewer, limit, now)
            return TooManySent("message", _sentence(limit, count))
    for row in rows:
        row.recipients += count if row.hour == hour else 0
    return None


def purge(tx: Session, now: datetime) -> None:
    """Forget the counts of more than a day ago, also of those who send no more."""
    tx.execute(delete(SendingCount).where(SendingCount.hour < _first_hour(now)))


def _rows(tx: Session, viewer: Viewer, now: datetime) -> Sequence[SendingCount]:
    """The last day's counts of the person and the domain, locked, with one of this hour."""
    owners = _owners(viewer)
    for owner_id in owners:
        values = {"owner_id": owner_id, "hour": _hour(now), "recipients": 0, "refused": ""}
        insert_if_absent(tx, SendingCount, **values)
    mine = SendingCount.owner_id.in_(owners)
    tx.execute(delete(SendingCount).where(mine, SendingCount.hour < _first_hour(now)))
    # In one order for all, or two who send at once could wait for each other.
    wanted = select(SendingCount).where(mine).order_by(SendingCount.owner_id, SendingCount.hour)
    return list(tx.scalars(wanted.with_for_update()))


def _owners(viewer: Viewer) -> list[bytes]:
    domain_id = viewer.user.domain_id
    return sorted([viewer.user.id] if domain_id is None else [viewer.user.id, domain_id])


def _limits(viewer: Viewer, limits: SendLimits) -> list[_Limit]:
    found = [
        _Limit(viewer.user.id, "person", "hour", limits.per_hour),
        _Limit(viewer.user.id, "person", "day", limits.per_day),
    ]
    if viewer.user.domain_id is not None:
        found += [
            _Limit(viewer.user.domain_id, "domain", "hour", limits.domain_per_hour),
            _Limit(viewer.user.domain_id, "domain", "day", limits.domain_per_day),
        ]
    return found


def _record(tx: Session, viewer: Viewer, limit: _Limit, now: datetime) -> None:
    event = SendingLimited(
        address=viewer.user.address, of=limit.of, window=limit.window, most=limit.most
    )
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)
    shown = ids.show(limit.owner_id)
    log.error("ALARM: the sending limit of the %s %s is reached", limit.of, shown)


def _sentence(limit: _Limit, count: int) -> str:
    who = "you" if limit.of == "person" else "your organisation"
    may = f"{who} may send to {limit.most} recipients in {_WINDOWS[limit.window]}"
    if count > limit.most:
        return f"Not sent: {may}. Write to fewer people."
    again = "when the hour is over" if limit.window == "hour" else "tomorrow"
    return f"Not sent: {may}, so that a stolen account cannot send spam. Try again {again}."


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _first_hour(now: datetime) -> datetime:
    """The oldest that counts."""
    return _hour(now) - (DAY_HOURS - 1) * HOUR
