"""Browsers that a person has logged in with before, and being told of one that is new.

A browser is known by a cookie of 256 random bits that outlives the session; here is its hash. On
a public computer there is none, so each log-in there is a new one. What a session tells: log-ins
in browsers that were new, which began since the person was last in this one. Whoever has just
come with a new browser is told of none, and ends no notice elsewhere. After an administrator took
ways to log in away no browser is known, so each session tells of what began since then, until the
person has read it in one that no one-time code began: an administrator can make such a code.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.models import KnownDevice, LoginSession, User
from app.upsert import insert_if_absent
from app.viewer import Viewer

KNOWN_FOR = timedelta(days=365)
MOST_TOLD = 3


def last_seen(tx: Session, user_id: bytes, digest: bytes, now: datetime) -> datetime | None:
    """When this person last logged in with, or looked from, that browser; None: never."""
    known = tx.get(KnownDevice, (user_id, digest)) if digest else None
    return known.seen_at if known and now - known.seen_at < KNOWN_FOR else None


def remember(tx: Session, user_id: bytes, digest: bytes, now: datetime) -> None:
    """Note a browser in which a log-in succeeded."""
    insert_if_absent(tx, KnownDevice, user_id=user_id, digest=digest, seen_at=now)
    tx.get_one(KnownDevice, (user_id, digest)).seen_at = now


def forget_all(tx: Session, user_id: bytes) -> None:
    """Every browser of a person is a new one from now on."""
    tx.execute(delete(KnownDevice).where(KnownDevice.user_id == user_id))


def untold(tx: Session, viewer: Viewer) -> tuple[tuple[LoginSession, ...], datetime | None]:
    """Log-ins of this person in new browsers that this session has still to tell of, and when an
    administrator took ways to log in away. Each page asks: one statement.
    """
    told_until = (
        select(LoginSession.told_until)
        .where(LoginSession.token_hash == viewer.session_id)
        .scalar_subquery()
    )
    news = and_(
        LoginSession.user_id == User.id,
        LoginSession.token_hash != viewer.session_id,
        LoginSession.new_device,
        LoginSession.created_at > told_until,
    )
    found = tx.execute(
        select(User.methods_reset_at, LoginSession)
        .outerjoin(LoginSession, news)
        .where(User.id == viewer.user.id)
        .order_by(LoginSession.created_at.desc())
        .limit(MOST_TOLD)
    ).all()
    # The outer join gives one row without a log-in when there is none.
    log_ins: list[LoginSession | None] = [row[1] for row in found]
    return tuple(one for one in log_ins if one is not None), found[0][0] if found else None


def note_told(tx: Session, viewer: Viewer, device: bytes, now: datetime) -> None:
    """The person has read in this session what there was to tell."""
    mine = LoginSession.token_hash == viewer.session_id
    tx.execute(update(LoginSession).where(mine).values(told_until=now))
    known = KnownDevice.user_id == viewer.user.id, KnownDevice.digest == device
    tx.execute(update(KnownDevice).where(*known).values(seen_at=now))
    if not sessions.is_limited(tx, viewer):
        tx.execute(update(User).where(User.id == viewer.user.id).values(methods_reset_at=None))


def purge(tx: Session, now: datetime) -> None:
    """Forget browsers that were not used for a year."""
    tx.execute(delete(KnownDevice).where(KnownDevice.seen_at < now - KNOWN_FOR))
