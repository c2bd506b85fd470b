"""Log-in sessions: rows that can be listed and ended, looked up at every request.

The browser holds a token of 256 random bits; the database has its SHA-256 only, so that
whoever reads it cannot log in. A session ends by log-out, by being revoked, when it was
idle too long or at its absolute end: 30 minutes and 12 hours; 15 minutes and 8 hours for
those who administer; 15 minutes and 2 hours on a public computer. A person who was disabled
has no live session from that instant, since `current` looks at the person each time.

A session that a one-time code began is limited: it has the rights of a plain user, whatever
the person's role, ends none of the person's others, and nothing in it can be confirmed
(`confirmed_at`), which is asked for before anything about the account changes.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, CursorResult, delete, or_, select, update
from sqlalchemy.orm import Session

from app.accounts import demand
from app.login_views import NotConfirmed
from app.models import Domain, LoginSession, LoginStep, User
from app.secret import Secret
from app.viewer import Method, Person, Role, Viewer

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
PUBLIC = Lifetime(timedelta(minutes=15), timedelta(hours=2))
CONFIRMED_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Where a log-in came from."""

    ip: str
    user_agent: str = ""
    public_computer: bool = False
    device: bytes = b""  # hash of what the browser is known by; empty: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a new session knows of its log-in."""

    method: Method = Method.PASSWORD
    new_device: bool = False
    told_until: datetime | None = None  # log-ins elsewhere since then are told; None: since now


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that was found live. `touch_due`: call `touch` in a write transaction."""

    viewer: Viewer
    public_computer: bool
    limited: bool
    confined: bool  # more is demanded than the password that began it (`demand`)
    confirmed_until: datetime | None
    created_at: datetime
    seen_at: datetime
    ends_at: datetime  # at the latest; idleness ends it earlier
    touch_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """One of a person's sessions, as the person sees it."""

    id: bytes
    client: Client
    method: Method
    created_at: datetime
    seen_at: datetime
    ends_at: datetime


def lifetime(role: Role, public_computer: bool) -> Lifetime:
    """The limits for a role on a computer."""
    limits = PERSON if role is Role.USER else PRIVILEGED
    return PUBLIC if public_computer else limits


def start(
    tx: Session, user: User, client: Client, now: datetime, how: Beginning | None = None
) -> Secret:
    """Begin a session; the token is returned here and never again."""
    token, how = new_token(), how or Beginning()
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
            method=how.method.value,
            confirmed_at=None if how.method.is_limited else now,
            new_device=how.new_device,
            told_until=how.told_until or now,
        )
    )
    tx.flush()
    return token


def new_token() -> Secret:
    """256 random bits that only a browser keeps."""
    return Secret(secrets.token_urlsafe(TOKEN_OCTETS))


def is_limited(tx: Session, viewer: Viewer) -> bool:
    """Whether a one-time code began this session."""
    method = select(LoginSession.method).where(LoginSession.token_hash == viewer.session_id)
    return Method(tx.scalar(method) or Method.CODE).is_limited


def require_whole(tx: Session, viewer: Viewer) -> None:
    """Raise NotConfirmed where a one-time code began it, or where the person's second factor was
    not given yet: nothing that outlasts such a session is done there.
    """
    if is_limited(tx, viewer) or demand.is_unproved(tx, viewer.session_id):
        raise NotConfirmed


def is_confirmed(tx: Session, viewer: Viewer, now: datetime) -> bool:
    """Whether the person proved to be there in the last ten minutes."""
    live = look_up(tx, viewer.token, now)
    until = live.confirmed_until if live else None
    return until is not None and now < until


def confirm(tx: Session, viewer: Viewer, now: datetime) -> Secret | None:
    """The person has proved once more to be there: the session goes on under a new token, so
    that one which was got hold of before is worth nothing now. None: it has ended meanwhile.
    """
    token = new_token()
    changed = tx.execute(
        update(LoginSession)
        .where(
            LoginSession.token_hash == viewer.session_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.method.not_in([one for one in Method if one.is_limited]),
        )
        .values(token_hash=hash_of(token), confirmed_at=now)
    )
    return token if isinstance(changed, CursorResult) and changed.rowcount else None


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
    method, person = Method(session.method), person_of(user, domain)
    confined = demand.is_confined(session, user, domain)
    if method.is_limited or confined:
        person = replace(person, role=Role.USER)
    viewer = Viewer(
        user=person,
        mailbox_id=None if confined else user.mailbox_id,
        token=token,
        client_ip=client_ip or session.client_ip,
        session_id=session.token_hash,
    )
    return LiveSession(
        viewer=viewer,
        public_computer=session.public_computer,
        limited=method.is_limited,
        confined=confined,
        confirmed_until=_confirmed_until(tx, session, confined),
        created_at=session.created_at,
        seen_at=session.seen_at,
        ends_at=_ends_at(session, Role(user.role)),
        touch_due=now - session.seen_at >= SEEN_EVERY,
    )


def _confirmed_until(tx: Session, session: LoginSession, confined: bool) -> datetime | None:
    """Of a confined session none: whoever has a factor proves that one, which frees it."""
    if session.confirmed_at is None or (confined and demand.has_factor(tx, session.user_id)):
        return None
    return session.confirmed_at + CONFIRMED_FOR


def person_of(user: User, domain: Domain | None) -> Person:
    """A user's row as the facts that the rest of the product sees."""
    return Person(
        id=user.id,
        address=user.address,
        name=user.name,
        role=Role(user.role),
        domain_id=user.domain_id,
        domain_name=domain.name if domain else "",
        checked_by=domain.checked_by if domain else "",
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
    return tuple(facts_of(row, user.role) for row in rows if _is_live(row, user.role, now))


def facts_of(row: LoginSession, role: Role) -> SessionFacts:
    """A session's row as its person sees it."""
    return SessionFacts(
        id=row.token_hash,
        client=Client(
            ip=row.client_ip, user_agent=row.user_agent, public_computer=row.public_computer
        ),
        method=Method(row.method),
        created_at=row.created_at,
        seen_at=row.seen_at,
        ends_at=_ends_at(row, role),
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
    """End every session of a person but `keep`, and each log-in that waits for its second half.
    How many sessions ended.
    """
    tx.execute(delete(LoginStep).where(LoginStep.user_id == user_id))
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
