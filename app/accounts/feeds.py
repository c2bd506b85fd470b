"""Journal feeds: the address at which a domain's journal reports come in, and from whom.

Whoever can send there can put mail into the domain's mailboxes. So the address is a secret, made
here and shown once; one that was chosen needs a list of networks or a login with it, unless it
is as hard to guess. An address may belong to several domains: one feed of one organisation.

Reports that cannot be read go to a mailbox of nobody, in the domain's name (`quarantine_of`).
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import audit
from app.accounts.errors import Invalid, Taken
from app.accounts.permissions import Permission, require
from app.audit.events import JournalStarted, JournalStopped
from app.models import AddressRoute, Domain, JournalFeed, User
from app.viewer import Actor, Viewer
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress
from archive_store.models import Entry, Mailbox
from smtp_ingest.trust import Networks, covers

LONG_ENOUGH = 24  # characters of a local part that nobody guesses, if it is random
QUARANTINE = "livearchive-journal-quarantine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One domain's feed, as the door asks for it."""

    domain_id: bytes
    domain_name: str
    quarantine_id: bytes
    networks: Networks
    login: str

    def comes_from(self, client_ip: str, login: str) -> bool:
        """Whether a client may send its reports."""
        if self.networks and not covers(self.networks, client_ip):
            return False
        return not self.login or self.login == login


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFeed:
    """A feed as wished for."""

    address: str = ""  # empty: one is made
    networks: str = ""
    login: str = ""


def switch_on(
    tx: Session, who: Viewer | Actor, domain: Domain, wish: NewFeed, now: datetime
) -> str:
    """Take reports at a new address, and at no older one; returns it, for the only time.

    The caller has the day keys of the quarantine made.
    """
    actor = require(who, Permission.ROUTE_DOMAIN, domain.id)
    networks, login = ",".join(map(str, _networks(wish.networks))), wish.login.strip()
    if wish.address:
        address = _chosen(wish.address, narrowed=bool(networks or login))
    else:
        address = _made(domain)
    _require_nobodys(tx, address.key)
    tx.execute(delete(JournalFeed).where(JournalFeed.domain_id == domain.id))
    tx.add(
        JournalFeed(
            domain_id=domain.id,
            address_hash=_hash(address.key),
            networks=networks,
            login=login,
            quarantine_id=_quarantine(tx, domain, now),
            created_at=now,
        )
    )
    event = JournalStarted(domain_id=domain.id, domain=domain.name, networks=networks, login=login)
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)
    return address.text


def switch_off(tx: Session, who: Viewer | Actor, domain: Domain, now: datetime) -> None:
    """Take no more reports. What is in quarantine stays until its days are over."""
    actor = require(who, Permission.ROUTE_DOMAIN, domain.id)
    if of(tx, domain.id) is None:
        return
    tx.execute(delete(JournalFeed).where(JournalFeed.domain_id == domain.id))
    event = JournalStopped(domain_id=domain.id, domain=domain.name)
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)


def of(tx: Session, domain_id: bytes) -> JournalFeed | None:
    """The feed of a domain."""
    return tx.get(JournalFeed, domain_id)


def at(tx: Session, address: EmailAddress) -> tuple[Feed, ...]:
    """The feeds that come in at an address, the oldest domain first."""
    rows = tx.execute(
        select(JournalFeed, Domain.name)
        .join(Domain, Domain.id == JournalFeed.domain_id)
        .where(JournalFeed.address_hash == _hash(address.key))
        .order_by(Domain.created_at, Domain.name)
    )
    return tuple(
        Feed(
            domain_id=row.domain_id,
            domain_name=name,
            quarantine_id=row.quarantine_id,
            networks=_networks(row.networks),
            login=row.login,
        )
        for row, name in rows
    )


def quarantine_of(domain: Domain) -> str:
    """The address by which commands name the reports that could not be read."""
    return f"{QUARANTINE}@{domain.name}"


def require_no_feed(tx: Session, address_key: str) -> None:
    """Taken when reports come in at this address, or lie there: they name Bcc recipients."""
    if address_key.startswith(f"{QUARANTINE}@"):
        raise Taken("the address is kept for journal reports")
    taken = select(JournalFeed.domain_id).where(JournalFeed.address_hash == _hash(address_key))
    if tx.scalars(taken).first() is not None:
        raise Taken("journal reports come in at this address")


def waiting_in_quarantine(tx: Session, domain: Domain, since: datetime) -> int:
    """How many reports received after `since` could not be read."""
    unread = (
        select(func.count())
        .select_from(Entry)
        .join(Mailbox, Mailbox.id == Entry.mailbox_id)
        .where(Mailbox.address == quarantine_of(domain), Entry.folder == "inbox")
        .where(Entry.received_at > since)
    )
    return tx.scalar(unread) or 0


def _made(domain: Domain) -> EmailAddress:
    # Not in the domain itself: Exchange keeps mail to its own domains, and routes the others.
    return EmailAddress.parse(f"journal-{secrets.token_hex(16)}@journal.{domain.name}")


def _chosen(text: str, *, narrowed: bool) -> EmailAddress:
    try:
        address = EmailAddress.parse(text.strip())
    except BadAddress as error:
        raise Invalid("address", f"not an e-mail address: {error}") from error
    if "+" in address.local:
        raise Invalid("address", "a tag (+) belongs to a person's address")
    if len(address.local) < LONG_ENOUGH and not narrowed:
        raise Invalid(
            "address",
            f"an address that can be guessed (fewer than {LONG_ENOUGH} characters before the @) "
            "needs --from or --login with it",
        )
    return address


def _networks(text: str) -> Networks:
    try:
        return tuple(ip_network(part) for part in re.split(r"[,\s]+", text) if part)
    except ValueError as error:
        raise Invalid("networks", "expected networks such as 192.0.2.0/24") from error


def _require_nobodys(tx: Session, address_key: str) -> None:
    taken = tx.get(AddressRoute, address_key) is not None
    if taken or tx.scalars(select(User.id).where(User.address_key == address_key)).first():
        raise Taken("somebody receives the mail to this address")


def _hash(address_key: str) -> bytes:
    return hashlib.sha256(address_key.encode()).digest()


def _quarantine(tx: Session, domain: Domain, now: datetime) -> bytes:
    """The domain's mailbox for them, made when first wanted; its route is for commands."""
    key = quarantine_of(domain)
    mailbox_id = tx.scalar(select(Mailbox.id).where(Mailbox.address == key))
    if mailbox_id is None:
        mailbox_id = ids.new_id()
        tx.add(Mailbox(id=mailbox_id, tenant_id=domain.id, address=key, created_at=now))
        tx.flush()
    elif tx.scalars(select(User.id).where(User.mailbox_id == mailbox_id)).first():
        raise Taken(f"a person has the address {key}")
    if tx.get(AddressRoute, key) is None:
        tx.add(AddressRoute(address_key=key, mailbox_id=mailbox_id))
        tx.flush()
    return mailbox_id
