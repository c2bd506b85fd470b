"""Logging in and out.

`Login.log_in` is the one use case that opens transactions itself: hashing takes a good
part of a second, and a database that is locked meanwhile would stop the mail. So: one
short transaction counts the attempt, the password is checked outside, another one
records what came of it. Failures are returned, not raised: their transaction commits.

All failures look alike to the person: the same answer, after the same work. The audit
trail has the reason; never the password, and what was typed as an address only when it
belongs to a domain of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import sessions, throttle
from app.accounts.networks import network_of
from app.accounts.passwords import Passwords, PasswordsBusy
from app.accounts.sessions import Client
from app.audit.events import LoggedIn, LoggedOut, LoginFailed, LoginFailure
from app.models import Domain, User
from app.secret import Secret
from app.viewer import Actor, Viewer
from archive_store.address import BadAddress, EmailAddress
from archive_store.db import Database

BUSY_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No session. `retry_after` is zero unless it is a matter of waiting."""

    reason: LoginFailure
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What is known of an attempt before its password is checked."""

    typed: str
    address: EmailAddress | None
    client: Client
    network: str
    user: User | None
    counts: tuple[throttle.Count, ...]


class Login:
    """Checks passwords and begins sessions."""

    def __init__(self, db: Database, passwords: Passwords) -> None:
        self._db = db
        self._passwords = passwords

    def log_in(
        self, address: str, password: Secret, client: Client, now: datetime
    ) -> Secret | Refused:
        """The token of a new session, or why there is none."""
        with self._db.read() as tx:
            attempt = _attempt(tx, address, client, now)
            # Most refusals end here, without a write.
            if known_wait := _already_noted(tx, attempt, now):
                return Refused(reason=LoginFailure.THROTTLED, retry_after=known_wait)
        with self._db.write() as tx:
            if refusal := throttle.charge(tx, attempt.counts, now):
                if refusal.first:
                    _record_failure(tx, attempt, LoginFailure.THROTTLED, now)
                return Refused(reason=LoginFailure.THROTTLED, retry_after=refusal.wait)
        kept = attempt.user.password_hash if attempt.user else None
        try:
            right = self._passwords.check(kept, password)
            fresh = self._rehashed(kept, password) if right else None
        except PasswordsBusy:
            with self._db.write() as tx:
                throttle.refund(tx, attempt.counts)
            return Refused(reason=LoginFailure.THROTTLED, retry_after=BUSY_WAIT)
        with self._db.write() as tx:
            return _finish(tx, attempt, right, fresh, now)

    def _rehashed(self, kept: str | None, password: Secret) -> str | None:
        """The hash at today's costs, when the kept one was made with others."""
        if kept is None or not self._passwords.is_outdated(kept):
            return None
        return self._passwords.hash(password)


def log_out(tx: Session, viewer: Viewer, now: datetime) -> None:
    """End the session of this request."""
    if sessions.revoke(tx, viewer.user.id, [viewer.session_id], now):
        trail = viewer.user.domain_id
        audit.record(tx, LoggedOut(), trail=trail, actor=viewer.actor, at=now)


def _finish(
    tx: Session, attempt: _Attempt, right: bool, fresh: str | None, now: datetime
) -> Secret | Refused:
    checked = attempt.user
    user = tx.get(User, checked.id) if checked else None
    if user is None or checked is None:
        return _failed(tx, attempt, LoginFailure.UNKNOWN_ACCOUNT, now)
    # A password that was changed while this one was being checked wins.
    if not right or user.password_hash != checked.password_hash:
        return _failed(tx, attempt, LoginFailure.WRONG_PASSWORD, now)
    if user.disabled:
        return _failed(tx, attempt, LoginFailure.DISABLED, now)
    return _begin(tx, attempt, user, fresh, now)


def _begin(tx: Session, attempt: _Attempt, user: User, fresh: str | None, now: datetime) -> Secret:
    throttle.forgive(tx, attempt.counts)
    user.password_hash = fresh or user.password_hash
    user.last_login_at = now
    is_new = throttle.remember(tx, user.id, attempt.network, now)
    token = sessions.start(tx, user, attempt.client, now)
    event = LoggedIn(public_computer=attempt.client.public_computer, new_network=is_new)
    actor = Actor(user_id=user.id, address=user.address, client_ip=attempt.client.ip)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
    return token


def _attempt(tx: Session, typed: str, client: Client, now: datetime) -> _Attempt:
    try:
        address = EmailAddress.parse(typed.strip())
    except BadAddress:
        address = None
    key = address.key if address else typed
    user = tx.scalars(select(User).where(User.address_key == key)).first() if address else None
    network = network_of(client.ip)
    counts = throttle.counts_for(tx, user.id if user else None, key, network, now)
    return _Attempt(typed, address, client, network, user, counts)


def _already_noted(tx: Session, attempt: _Attempt, now: datetime) -> timedelta:
    wait = throttle.waiting(tx, attempt.counts, now)
    return wait if wait and throttle.is_noted(tx, attempt.counts) else timedelta()


def _failed(tx: Session, attempt: _Attempt, reason: LoginFailure, now: datetime) -> Refused:
    _record_failure(tx, attempt, reason, now)
    return Refused(reason=reason)


def _record_failure(tx: Session, attempt: _Attempt, reason: LoginFailure, now: datetime) -> None:
    user, address = attempt.user, attempt.address
    domain_id = user.domain_id if user else None
    shown = user.address if user else ""
    if user is None and address is not None:
        found = select(Domain.id).where(Domain.name == address.ascii_domain)
        domain_id = tx.scalars(found).first()
        shown = address.text if domain_id else f"@{address.domain}"
    actor = Actor(
        user_id=user.id if user else None,
        address=user.address if user else "",
        client_ip=attempt.client.ip,
    )
    event = LoginFailed(address=shown, reason=reason)
    audit.record(tx, event, trail=domain_id, actor=actor, at=now)
