"""What the pages show of a domain, a person, an event of the trail and a queue item."""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import dkim, feeds
from app.accounts.domains import Mode
from app.admin_views import (
    AuditLine,
    DkimLine,
    DomainLine,
    DomainMode,
    PersonLine,
    QueueLine,
    QueueState,
    UnknownRecipients,
)
from app.audit.canonical import AuditEntry
from app.audit.wording import is_refusal, sentence
from app.config_kinds import HostPort
from app.delivery import primaries
from app.delivery.desk import QueueRow
from app.delivery.queue import PRIMARY, QUEUED
from app.delivery.sealed import open_envelope, open_reply
from app.models import DkimKey, Domain, User
from app.phrase import phrase
from app.viewer import Actor, Role, Via
from archive_store import ids
from archive_store.errors import SealBroken

SEALED = phrase("(sealed)")
RECEIVERS = phrase("the receiver's server")


def domain_line(tx: Session, domain: Domain, since: datetime | None = None) -> DomainLine:
    """A domain with its figures. Unread journal reports are counted from `since`, if at all."""
    facts = primaries.facts(tx, domain.id)
    people = select(func.count()).select_from(User).where(User.domain_id == domain.id)
    return DomainLine(
        id=ids.show(domain.id),
        name=domain.name,
        mode=cast(DomainMode, domain.mode),
        relay=relay_of(domain),
        smarthost=domain.smarthost,
        unknown_recipients=cast(UnknownRecipients, domain.unknown_recipients),
        enabled=domain.enabled,
        people=tx.scalar(people) or 0,
        waiting=facts.waiting.messages,
        server=facts.state,
        server_since=facts.since,
        server_error=facts.last_error,
        relay_tls=domain.relay_tls,
        smarthost_tls=domain.smarthost_tls,
        journal=feeds.of(tx, domain.id) is not None,
        unread_reports=feeds.waiting_in_quarantine(tx, domain, since) if since else 0,
        quarantine=feeds.quarantine_of(domain),
        checked_by=domain.checked_by,
        second_factor=domain.second_factor,
        dkim=tuple(_dkim_line(key, domain) for key in domain.dkim_keys),
    )


def _dkim_line(key: DkimKey, domain: Domain) -> DkimLine:
    record = dkim.record_of(key, domain)
    signs = key.name == domain.dkim
    return DkimLine(selector=key.selector, signs=signs, host=record.host, value=record.value)


def relay_of(domain: Domain) -> str:
    """HOST:PORT of the domain's own mail server; empty in copy mode."""
    if domain.mode == Mode.COPY:
        return ""
    return str(HostPort(domain.relay_host, domain.relay_port))


def person_line(user: User, domain_names: Mapping[bytes | None, str]) -> PersonLine:
    """A person."""
    return PersonLine(
        id=ids.show(user.id),
        address=user.address,
        name=user.name,
        role=Role(user.role),
        domain=domain_names.get(user.domain_id, ""),
        live=user.live,
        disabled=user.disabled,
        created_at=user.created_at,
        last_login_at=user.last_login_at,
    )


def audit_line(entry: AuditEntry) -> AuditLine:
    """An event of the trail."""
    return AuditLine(
        seq=entry.seq,
        at=entry.at,
        actor=actor_name(entry.actor),
        name=entry.event,
        text=sentence(entry),
        client_ip=entry.actor.client_ip,
        refused=is_refusal(entry),
    )


def actor_name(actor: Actor) -> str:
    """Who it was, in words."""
    if actor.via is Via.COMMAND:
        return phrase("%(who)s (command line)", who=actor.address)
    if actor.via is Via.SYSTEM:
        return f"LiveArchive ({actor.address})"
    return actor.address


def queue_line(row: QueueRow, installation: bytes, key: bytes | None) -> QueueLine:
    """A queue item; sender and recipient show when the item's key was to be had."""
    item = row.item
    mail_from: str = SEALED
    rcpt_to: str = SEALED
    reply = ""
    if key is not None:
        try:
            envelope = open_envelope(installation, item, key)
            mail_from, rcpt_to = envelope.mail_from, envelope.rcpt_to
            reply = open_reply(installation, item, key)
        except SealBroken:
            pass  # the line stays, so that it can be dropped
    return QueueLine(
        id=ids.show(item.id),
        domain=row.domain.name,
        destination=_destination(row),
        mail_from=mail_from,
        rcpt_to=rcpt_to,
        size=row.size,
        state=cast(QueueState, item.state),
        attempts=item.attempts,
        queued_at=item.queued_at,
        next_attempt_at=item.next_attempt_at if item.state == QUEUED else None,
        last_reply=reply,
    )


def _destination(row: QueueRow) -> str:
    if row.item.kind == PRIMARY:
        return relay_of(row.domain)
    return row.domain.smarthost or RECEIVERS
