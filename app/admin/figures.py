"""The overview's numbers: counts and sizes, of one domain or of the whole installation."""

import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, ColumnElement, func, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.accounts.sessions import PERSON
from app.admin_views import DayFigure, HourFigure
from app.delivery.queue import WAITING
from app.models import LoginSession, QueueItem, User
from archive_store.clock import DAY, day_of
from archive_store.models import Message

HOURS = 24
_HOUR = timedelta(hours=1)
_HOUR_MICROSECONDS = 3_600_000_000  # as times are kept (`archive_store.db.Utc`)


def people(tx: Session, domain_id: bytes | None) -> int:
    """Who may sign in."""
    wanted: list[ColumnElement[bool]] = [User.disabled.is_(False)]
    if domain_id is not None:
        wanted.append(User.domain_id == domain_id)
    return tx.scalar(select(func.count()).select_from(User).where(*wanted)) or 0


def signed_in(tx: Session, domain_id: bytes | None, now: datetime) -> int:
    """Whose session was used within the last half hour."""
    query = (
        select(func.count(LoginSession.user_id.distinct()))
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.seen_at > now - PERSON.idle,
        )
    )
    if domain_id is not None:
        query = query.where(User.domain_id == domain_id)
    return tx.scalar(query) or 0


def days(
    tx: Session, domain_id: bytes | None, now: datetime, keep: timedelta
) -> tuple[DayFigure, ...]:
    """What each kept day holds, oldest first. What is left of the day before counts with it."""
    first = day_of(now) - keep + DAY
    wanted = [Message.received_at > now - keep, *_within(domain_id)]
    query = select(Message.day, func.count(), func.sum(Message.size)).where(*wanted)
    sums = {first + DAY * ahead: (0, 0) for ahead in range(keep // DAY)}
    for day, count, octets in tx.execute(query.group_by(Message.day)):
        shown = min(max(day, first), day_of(now))
        sums[shown] = (sums[shown][0] + count, sums[shown][1] + int(octets or 0))
    return tuple(DayFigure(day=day, messages=n, octets=size) for day, (n, size) in sums.items())


def hours(tx: Session, domain_id: bytes | None, now: datetime) -> tuple[HourFigure, ...]:
    """What arrived in each of the last hours, and how much of that still waits."""
    last = now.replace(minute=0, second=0, microsecond=0)
    starts = [last - _HOUR * back for back in range(HOURS - 1, -1, -1)]
    wanted = [Message.received_at >= starts[0], *_within(domain_id)]
    arrived = _by_hour(tx, Message.received_at, func.count(), wanted)
    waiting = _by_hour(
        tx,
        Message.received_at,
        func.count(Message.id.distinct()),
        [
            *wanted,
            Message.id.in_(select(QueueItem.message_id).where(QueueItem.state.in_(WAITING))),
        ],
    )
    return tuple(
        HourFigure(at=at, arrived=arrived.get(_hour(at), 0), waiting=waiting.get(_hour(at), 0))
        for at in starts
    )


def disk(folder: Path) -> tuple[int, int]:
    """Free octets, and all of them, of the file system of the data."""
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def _within(domain_id: bytes | None) -> list[ColumnElement[bool]]:
    return [] if domain_id is None else [Message.tenant_id == domain_id]


def _by_hour(
    tx: Session,
    moment: InstrumentedAttribute[datetime],
    what: ColumnElement[int],
    wanted: Sequence[ColumnElement[bool]],
) -> dict[int, int]:
    hour = (type_coerce(moment, BigInteger) // _HOUR_MICROSECONDS).label("hour")
    return {
        int(at): count for at, count in tx.execute(select(hour, what).where(*wanted).group_by(hour))
    }


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
