"""A domain's demand of a second factor: of its administrators and auditors, or of everybody.

Whoever it binds and came by a password alone has a session that is confined: without mail, with a
plain user's rights, good for setting up an authenticator app, a passkey or one-time codes. It is
judged at each request, so the demand binds the sessions that live already. The session becomes a
whole one with the first proof of such a thing. Whoever has one already proves that one before
anything is set up or changed: a password that was found out adds no factor of its finder's, and
keeps no owner out.

A one-time code lets in as ever, to read and to answer: it is the way out on the worst day.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from app.login_models import Authenticator, OneTimeCode, Passkey
from app.models import Domain, LoginSession, User
from app.viewer import Method, Role


class Demand(StrEnum):
    """Of whom a domain demands more than a password."""

    NOBODY = "nobody"
    ADMINISTRATORS = "administrators"
    EVERYBODY = "everybody"


PRIVILEGED = (Role.DOMAIN_ADMIN, Role.AUDITOR)


def is_confined(session: LoginSession, user: User, domain: Domain | None) -> bool:
    """Whether more is demanded than this session was begun with."""
    if session.method != Method.PASSWORD or domain is None:
        return False
    demand = Demand(domain.second_factor)
    privileged = demand is Demand.ADMINISTRATORS and Role(user.role) in PRIVILEGED
    return privileged or demand is Demand.EVERYBODY


def has_factor(tx: Session, user_id: bytes) -> bool:
    """Whether somebody has an app, a passkey, or codes of the own list."""
    app = Authenticator.user_id == user_id, Authenticator.confirmed_at.is_not(None)
    code = OneTimeCode.user_id == user_id, ~OneTimeCode.given, OneTimeCode.used_at.is_(None)
    found = or_(
        exists().where(*app), exists().where(Passkey.user_id == user_id), exists().where(*code)
    )
    return bool(tx.scalar(select(found)))


def is_unproved(tx: Session, session_id: bytes) -> bool:
    """Whether more is demanded of this session, and its person has what would prove it."""
    found = tx.execute(
        select(LoginSession, User, Domain)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Domain, Domain.id == User.domain_id)
        .where(LoginSession.token_hash == session_id)
    ).first()
    if found is None:
        return False
    session, user, domain = found
    return is_confined(session, user, domain) and has_factor(tx, user.id)


def meet(tx: Session, session_id: bytes, method: Method) -> None:
    """Note what was proved in a session beside the password that began it."""
    this = LoginSession.token_hash == session_id, LoginSession.method == Method.PASSWORD
    tx.execute(update(LoginSession).where(*this).values(method=method.value))
