"""The ways to log in that a person has beside the password: what there is, and taking it away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import codes, devices, sessions
from app.accounts.errors import Invalid, Unknown
from app.accounts.permissions import Permission, require, require_grant
from app.audit.events import (
    AppRemoved,
    CodeGiven,
    CodesMade,
    CodesRemoved,
    MethodsReset,
    PasskeyRemoved,
)
from app.models import Authenticator, OneTimeCode, Passkey, User
from app.viewer import Actor, Role, Viewer

BY_CODE = (Role.USER, Role.DOMAIN_ADMIN)
"""Whose own mail a session by a one-time code can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Methods:
    """What a person can log in with, beside the password."""

    app_since: datetime | None
    passkeys: tuple[Passkey, ...]
    codes: codes.Listed


def of(tx: Session, user_id: bytes) -> Methods:
    """What somebody has, the oldest passkey first."""
    keys = select(Passkey).where(Passkey.user_id == user_id)
    app = tx.get(Authenticator, user_id)
    return Methods(
        app_since=app.confirmed_at if app else None,
        passkeys=tuple(tx.scalars(keys.order_by(Passkey.made_at, Passkey.id))),
        codes=codes.listed(tx, user_id),
    )


def has_app(tx: Session, user_id: bytes) -> bool:
    """Whether the password alone is not enough."""
    app = tx.get(Authenticator, user_id)
    return app is not None and app.confirmed_at is not None


def make_codes(tx: Session, viewer: Viewer, digests: list[bytes], now: datetime) -> None:
    """Keep a person's new list of codes; the old list ends."""
    codes.replace_list(tx, viewer.user.id, digests, now)
    event = CodesMade(user_id=viewer.user.id, address=viewer.user.address, count=len(digests))
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def remove_codes(tx: Session, viewer: Viewer, now: datetime) -> None:
    """End the list of codes."""
    codes.remove_list(tx, viewer.user.id)
    event = CodesRemoved(user_id=viewer.user.id, address=viewer.user.address)
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def remove_app(tx: Session, viewer: Viewer, now: datetime) -> None:
    """Take the authenticator app away; the password is enough again."""
    app = tx.get(Authenticator, viewer.user.id)
    if app is None:
        return
    tx.delete(app)
    if app.confirmed_at is not None:
        event = AppRemoved(user_id=viewer.user.id, address=viewer.user.address)
        audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def remove_passkey(tx: Session, viewer: Viewer, passkey_id: bytes, now: datetime) -> None:
    """Take a passkey away; Unknown when it is not this person's."""
    key = tx.get(Passkey, passkey_id)
    if key is None or key.user_id != viewer.user.id:
        raise Unknown("no such passkey")
    tx.delete(key)
    event = PasskeyRemoved(
        user_id=viewer.user.id, address=viewer.user.address, passkey_id=passkey_id
    )
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def require_code_for(who: Viewer | Actor, user: User) -> Actor:
    """The actor who may give this person a code; Forbidden or Invalid otherwise."""
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    require_grant(who, Role(user.role))
    if Role(user.role) not in BY_CODE:
        raise Invalid("role", f"a one-time code alone lets no {user.role} in: reset the password")
    if user.disabled:
        raise Invalid("disabled", "this person cannot log in: enable the account first")
    return actor


def give_code(tx: Session, who: Viewer | Actor, user: User, digest: bytes, now: datetime) -> None:
    """Keep a code that an administrator made for somebody; it replaces nothing else."""
    actor = require_code_for(who, user)
    codes.give(tx, user.id, digest, now)
    minutes = codes.GIVEN_FOR // timedelta(minutes=1)
    event = CodeGiven(user_id=user.id, address=user.address, minutes=minutes)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def reset(tx: Session, who: Viewer | Actor, user: User, now: datetime) -> None:
    """Take all ways to log in away but the password, and end every session. The person is told
    at the next log-in.
    """
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    require_grant(who, Role(user.role))
    for table in (Authenticator, Passkey, OneTimeCode):
        tx.execute(delete(table).where(table.user_id == user.id))
    devices.forget_all(tx, user.id)
    sessions.revoke_all(tx, user.id, now)
    user.methods_reset_at = now
    event = MethodsReset(user_id=user.id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
