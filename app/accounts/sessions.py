"""Log-in sessions: rows that can be listed and ended, looked up at every request.

The browser holds a token of 256 random bits; the database has its SHA-256 only, so that
whoever reads it cannot log in. A session ends by log-out, by being revoked, when it was
idle too long or at its absolute end: 30 minutes and 12 hours; 15 minutes and 8 hours for
those who administer; 15 idle minutes on a public computer. A person who was disabled has
no live session from that instant, since `current` looks at the person each time.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from app.models import Domain, LoginSession, User
from app.secret import Secret
from app.viewer import Person, Role, Viewer

TOKEN_OCTETS = 32
LONGEST_TOKEN = 64  # characters; what is longer is not ours and is not hashed
SEEN_EVERY = timedelta(minutes=1)  # not each request writes
KEPT_AFTER_END = timedelta(days=1)
LONGEST_AGENT = 200
AT_ONCE = 500  # ids in one query


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a session lives without being used, and at all."""

    idle: timedelta
    absolute: timedelta


PERSON = Lifetime(timedelta(minutes=30), timedelta(hours=12))
PRIVILEGED = Lifetime(timedelta(minutes=15), timedelta(hours=8))
PUBLIC_IDLE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Where a log-in came from."""

    ip: str
    user_agent: str = ""
    public_computer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that was found live. `touch_due`: call `touch` in a write transaction."""

    viewer: Viewer
    public_computer: bool
    created_at: datetime
    seen_at: datetime
    ends_at: datetime  # at the latest; idleness ends it earlier
    touch_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One of a person's sessions, as the person sees it."""

    id: bytes
    client: Client
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


def lifetime(role: Role, public_computer: bool) -> Lifetime:
    """The limits for a role on a computer."""
    limits = PERSON if role is Role.USER else PRIVILEGED
    return Lifetime(min(limits.idle, PUBLIC_IDLE), limits.absolute) if public_computer else limits


def start(tx: Session, user: User, client: Client, now: datetime) -> Secret:
    """Begin a session; the token is returned here and never again."""
    token = Secret(secrets.token_urlsafe(TOKEN_OCTETS))
    tx.add(
        LoginSession(
            token_hash=hash_of(token),
            user_id=user.id,
            created_at=now,
            seen_at=now,
            expires_at=now + lifetime(Role(user.role), client.public_computer).absolute,
            client_ip=client.ip[:45],
            user_agent=_visible(client.user_agent),
            public_computer=client.public_computer,
            revoked_at=None,
        )
    )
    tx.flush()
    return token


def hash_of(token: Secret) -> bytes:
    """What the database keeps of a token. Plain SHA-256: 256 random bits need no salt."""
    return hashlib.sha256(token.reveal().encode("utf-8", "replace")).digest()


def current(tx: Session, token: Secret, now: datetime, client_ip: str = "") -> Viewer | None:
    """Who holds this token, if the session lives. Reads only."""
    live = look_up(tx, token, now, client_ip)
    return live.viewer if live else None


def look_up(tx: Session, token: Secret, now: datetime, client_ip: str = "") -> LiveSession | None:
    """The live session of a token. `client_ip` is where this request came from; without it
    the viewer has the address of the log-in.
    """
    if not token or len(token.reveal()) > LONGEST_TOKEN:
        return None
    found = tx.execute(
        select(LoginSession, User, Domain)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Domain, Domain.id == User.domain_id)
        .where(LoginSession.token_hash == hash_of(token))
    ).first()
    if found is None:
        return None
    session, user, domain = found
    if user.disabled or not _is_live(session, Role(user.role), now):
        return None
    viewer = Viewer(
        user=person_of(user, domain),
        mailbox_id=user.mailbox_id,
        token=token,
        client_ip=client_ip or session.client_ip,
        session_id=session.token_hash,
    )
    return LiveSession(
        viewer=viewer,
        public_computer=session.public_computer,
        created_at=session.created_at,
        seen_at=session.seen_at,
        ends_at=_ends_at(session, Role(user.role)),
        touch_due=now - session.seen_at >= SEEN_EVERY,
    )


def person_of(user: User, domain: Domain | None) -> Person:
    """A user's row as the facts that the rest of the product sees."""
    return Person(
        id=user.id,
        address=user.address,
        name=user.name,
        role=Role(user.role),
        domain_id=user.domain_id,
        domain_name=domain.name if domain else "",
        live=user.live and domain is not None and domain.enabled,
    )


def touch(tx: Session, session_id: bytes, now: datetime) -> None:
    """Note that a session was used. Never brings an ended one back, never goes back in time."""
    tx.execute(
        update(LoginSession)
        .where(
            LoginSession.token_hash == session_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.seen_at < now,
        )
        .values(seen_at=now)
    )


def list_live(tx: Session, user: Person, now: datetime) -> tuple[SessionFacts, ...]:
    """A person's live sessions, the one used last first."""
    rows = tx.scalars(
        select(LoginSession)
        .where(LoginSession.user_id == user.id)
        .order_by(LoginSession.seen_at.desc(), LoginSession.token_hash)
    )
    return tuple(
        SessionFacts(
            id=row.token_hash,
            client=Client(
                ip=row.client_ip, user_agent=row.user_agent, public_computer=row.public_computer
            ),
            created_at=row.created_at,
            seen_at=row.seen_at,
            ends_at=_ends_at(row, user.role),
        )
        for row in rows
        if _is_live(row, user.role, now)
    )


def live_among(tx: Session, ids: Sequence[bytes], now: datetime) -> frozenset[bytes]:
    """Which of these sessions live. None of them counts as used by that."""
    found: set[bytes] = set()
    for start in range(0, len(ids), AT_ONCE):
        rows = tx.execute(
            select(LoginSession, User.role)
            .join(User, User.id == LoginSession.user_id)
            .where(LoginSession.token_hash.in_(ids[start : start + AT_ONCE]), ~User.disabled)
        )
        found |= {row.token_hash for row, role in rows if _is_live(row, Role(role), now)}
    return frozenset(found)


def revoke(tx: Session, user_id: bytes, session_ids: Sequence[bytes], now: datetime) -> int:
    """End some sessions of a person; another's are not touched. How many ended."""
    return _end(tx, now, LoginSession.user_id == user_id, LoginSession.token_hash.in_(session_ids))


def revoke_all(tx: Session, user_id: bytes, now: datetime, keep: bytes | None = None) -> int:
    """End every session of a person but `keep`. How many ended."""
    others = [LoginSession.user_id == user_id]
    if keep is not None:
        others.append(LoginSession.token_hash != keep)
    return _end(tx, now, *others)


def purge(tx: Session, now: datetime) -> None:
    """Forget sessions that ended a day ago: they hold addresses of people's networks."""
    past = now - KEPT_AFTER_END
    tx.execute(
        delete(LoginSession).where(
            or_(LoginSession.expires_at < past, LoginSession.revoked_at < past)
        )
    )


def _visible(text: str) -> str:
    # A header can hold octets that PostgreSQL refuses as text, or that a page cannot show.
    return "".join(c if c.isprintable() else "?" for c in text[:LONGEST_AGENT])


def _end(tx: Session, now: datetime, *which: ColumnElement[bool]) -> int:
    ended = tx.execute(
        update(LoginSession).where(LoginSession.revoked_at.is_(None), *which).values(revoked_at=now)
    )
    return ended.rowcount if isinstance(ended, CursorResult) else 0


def _is_live(session: LoginSession, role: Role, now: datetime) -> bool:
    idle = lifetime(role, session.public_computer).idle
    return (
        session.revoked_at is None
        and now < _ends_at(session, role)
        and now - session.seen_at < idle
    )


def _ends_at(session: LoginSession, role: Role) -> datetime:
    # A role given since the log-in counts, too.
    absolute = lifetime(role, session.public_computer).absolute
    return min(session.expires_at, session.created_at + absolute)
