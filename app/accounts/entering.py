"""What every way to log in shares: whose attempt it is, how it counts, and how it ends.

All failures look alike to the person: the same answer, after the same work. The audit trail has
the reason; never a password or code, and what was typed as an address only when it belongs to a
domain of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import devices, sessions, throttle
from app.accounts.networks import network_of
from app.accounts.sessions import Beginning, Client
from app.audit.events import LoggedIn, LoginFailed, LoginFailure
from app.models import Domain, User
from app.secret import Secret
from app.viewer import Actor, Method
from archive_store.address import BadAddress, EmailAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No session. `retry_after` is zero unless it is a matter of waiting."""

    reason: LoginFailure
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is known of an attempt before anything of it is checked."""

    typed: str
    address: EmailAddress | None
    client: Client
    user: User | None
    counts: tuple[throttle.Count, ...]


def attempt_at(tx: Session, typed: str, client: Client, now: datetime) -> Attempt:
    """An attempt by an address as it was typed."""
    try:
        address = EmailAddress.parse(typed.strip())
    except BadAddress:
        address = None
    key = address.key if address else typed
    user = tx.scalars(select(User).where(User.address_key == key)).first() if address else None
    return Attempt(typed, address, client, user, _counts(tx, user, key, client, now))


def attempt_of(tx: Session, user: User, client: Client, now: datetime) -> Attempt:
    """An attempt by somebody who is known already."""
    address = EmailAddress.parse(user.address)
    counts = _counts(tx, user, user.address_key, client, now)
    return Attempt(user.address, address, client, user, counts)


def already_refused(tx: Session, attempt: Attempt, now: datetime) -> Refused | None:
    """What has to wait, and is in the trail for it already. Most refusals are, without a write."""
    wait = throttle.waiting(tx, attempt.counts, now)
    if wait and throttle.is_noted(tx, attempt.counts):
        return Refused(reason=LoginFailure.THROTTLED, retry_after=wait)
    return None


def charge(tx: Session, attempt: Attempt, now: datetime) -> Refused | None:
    """Count the attempt as failed before anything is checked, or refuse it."""
    refusal = throttle.charge(tx, attempt.counts, now)
    if refusal is None:
        return None
    if refusal.first:
        record_failure(tx, attempt, LoginFailure.THROTTLED, now)
    return Refused(reason=LoginFailure.THROTTLED, retry_after=refusal.wait)


def enter(tx: Session, attempt: Attempt, user: User, method: Method, now: datetime) -> Secret:
    """Begin the session; the token of it."""
    client = attempt.client
    throttle.forgive(tx, attempt.counts)
    user.last_login_at = now
    new_network = throttle.remember(tx, user.id, network_of(client.ip), now)
    last_seen = devices.last_seen(tx, user.id, client.device, now)
    if client.device and not client.public_computer:
        devices.remember(tx, user.id, client.device, now)
    told_until = last_seen or user.methods_reset_at
    how = Beginning(method=method, new_device=last_seen is None, told_until=told_until)
    token = sessions.start(tx, user, client, now, how)
    event = LoggedIn(
        public_computer=client.public_computer,
        new_network=new_network,
        new_device=how.new_device,
        method=method,
    )
    actor = Actor(user_id=user.id, address=user.address, client_ip=client.ip)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
    return token


def failed(tx: Session, attempt: Attempt, reason: LoginFailure, now: datetime) -> Refused:
    """Record a failure, and say so."""
    record_failure(tx, attempt, reason, now)
    return Refused(reason=reason)


def record_failure(tx: Session, attempt: Attempt, reason: LoginFailure, now: datetime) -> None:
    """Write a failure into the trail of the domain that it was tried at."""
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


def _counts(
    tx: Session, user: User | None, key: str, client: Client, now: datetime
) -> tuple[throttle.Count, ...]:
    network, user_id = network_of(client.ip), user.id if user else None
    if user and devices.last_seen(tx, user.id, client.device, now):
        return throttle.own_count(user.id, network)
    return throttle.counts_for(tx, user_id, key, network, now)
