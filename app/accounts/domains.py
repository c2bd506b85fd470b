"""Domains: a customer's mail domain, where its own mail server is, and the LiveArchive switch.

The switch: a domain is added switched off. While it is on, mail of the people for whom
it is on is kept; people added meanwhile get it. Switching on for all sets it for those
who were there before, too. Switching off leaves each person's own switch as it is.
A domain's id is the tenant of all that belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.accounts import checking
from app.accounts.checking import Checker
from app.accounts.demand import Demand
from app.accounts.errors import Invalid, Taken, Unknown
from app.accounts.permissions import Permission, reachable_domain, require
from app.audit.events import DomainAdded, DomainChanged, DomainDisabled, DomainEnabled
from app.config_kinds import HostPort, parse_host_port
from app.models import Domain, User
from app.phrase import phrase
from app.viewer import Actor, Viewer
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress


class Mode(StrEnum):
    """Whether mail is handed on to a primary, or only kept."""

    RELAY = "relay"
    COPY = "copy"


class UnknownRecipients(StrEnum):
    """What becomes of mail to an address of the domain that nobody here has."""

    RELAY = "relay"
    REJECT = "reject"


class Tls(StrEnum):
    """How the connection to another server is protected (RFC 7435, RFC 3207)."""

    MAY = "may"  # where it is offered, whatever the certificate; else in clear
    ENCRYPT = "encrypt"  # always, whatever the certificate
    VERIFY = "verify"  # always, and the certificate is valid for the server's name


@dataclass(frozen=True, slots=True)
class Change:
    """A setting of a domain that can be changed: how it is read, checked and set."""

    permission: Permission
    expects: str
    read: Callable[[Domain], str]
    write: Callable[[Domain, str], None]


def add(
    tx: Session, who: Viewer | Actor, name: str, relay: HostPort | None, now: datetime
) -> Domain:
    """Add a domain; without a relay in copy mode. The caller has its day keys made."""
    actor = require(who, Permission.ADD_DOMAIN, None)
    clean = parse_name(name)
    if by_name(tx, clean) is not None:
        raise Taken(phrase("the domain %(domain)s is there already", domain=clean))
    domain = Domain(
        id=ids.new_id(),
        name=clean,
        mode="",
        relay_host="",
        relay_port=0,
        enabled=False,
        all_users=False,
        unknown_recipients=UnknownRecipients.RELAY,
        smarthost="",
        created_at=now,
    )
    _set_relay(domain, relay)
    tx.add(domain)
    tx.flush()
    event = DomainAdded(domain_id=domain.id, domain=clean, mode=domain.mode, relay=relay_of(domain))
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)
    return domain


def by_name(tx: Session, name: str) -> Domain | None:
    """The domain of a name in A-labels and lower case."""
    return tx.scalars(select(Domain).where(Domain.name == name)).first()


def find(tx: Session, who: Viewer | Actor, wanted: str | bytes) -> Domain:
    """A domain by name or id; Unknown when it is not there, or not for this person to see."""
    if isinstance(wanted, bytes):
        domain = tx.get(Domain, wanted)
    else:
        domain = by_name(tx, parse_name(wanted))
    reach = reachable_domain(who.user) if isinstance(who, Viewer) else None
    if domain is None or (reach is not None and reach != domain.id):
        raise Unknown("no such domain")
    return domain


def list_all(tx: Session, who: Viewer | Actor) -> tuple[Domain, ...]:
    """The domains that this person administers, by name."""
    found = select(Domain).order_by(Domain.name)
    if isinstance(who, Viewer) and (reach := reachable_domain(who.user)) is not None:
        found = found.where(Domain.id == reach)
    return tuple(tx.scalars(found))


def enable(
    tx: Session, who: Viewer | Actor, domain: Domain, now: datetime, *, all_users: bool
) -> None:
    """Switch LiveArchive on; with `all_users` for everybody who is there already."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    domain.enabled = True
    domain.all_users = all_users
    if all_users:
        tx.execute(update(User).where(User.domain_id == domain.id).values(live=True))
    event = DomainEnabled(domain_id=domain.id, domain=domain.name, all_users=all_users)
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)


def disable(tx: Session, who: Viewer | Actor, domain: Domain, now: datetime) -> None:
    """Switch LiveArchive off: mail is handed on and no longer kept."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    domain.enabled = False
    event = DomainDisabled(domain_id=domain.id, domain=domain.name)
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)


def change(
    tx: Session, who: Viewer | Actor, domain: Domain, changes: Mapping[str, str], now: datetime
) -> None:
    """Set some of CHANGES. What is as it was is no change; all or none are set."""
    for key, text in changes.items():
        change = CHANGES.get(key)
        if change is None:
            raise Invalid(key, f"no such setting of a domain: {key} (one of {', '.join(CHANGES)})")
        old = change.read(domain)
        if text.strip() == old:
            continue
        actor = require(who, change.permission, domain.id)
        try:
            change.write(domain, text.strip())
        except ValueError as error:
            raise Invalid(
                key, phrase("%(key)s: expected %(what)s", key=key, what=change.expects)
            ) from error
        event = DomainChanged(
            domain_id=domain.id, domain=domain.name, setting=key, old=old, new=change.read(domain)
        )
        audit.record(tx, event, trail=domain.id, actor=actor, at=now)
    if domain.mode == Mode.COPY and domain.unknown_recipients != UnknownRecipients.REJECT:
        raise Invalid("unknown-recipients", phrase("in copy mode unknown recipients are refused"))


def parse_name(text: str) -> str:
    """A domain name in A-labels and lower case; raises Invalid."""
    try:
        return EmailAddress.parse(f"x@{text.strip().removesuffix('.')}").ascii_domain
    except BadAddress as error:
        raise Invalid(
            "name", phrase("not a mail domain: %(text)s", text=repr(text.strip()[:80]))
        ) from error


def parse_relay(text: str) -> HostPort | None:
    """HOST:PORT of a primary, or `none` for copy mode; raises Invalid."""
    try:
        return _relay(text)
    except ValueError as error:
        raise Invalid("relay", phrase("relay: expected HOST:PORT, or none")) from error


def relay_of(domain: Domain) -> str:
    """HOST:PORT of the primary; `none` in copy mode."""
    if domain.mode == Mode.COPY:
        return "none"
    return str(HostPort(domain.relay_host, domain.relay_port))


def _relay(text: str) -> HostPort | None:
    return None if text.strip().lower() in ("none", "") else parse_host_port(text)


def _set_relay(domain: Domain, relay: HostPort | None) -> None:
    if relay is None:
        # There is nobody to hand unknown people's mail on to.
        domain.mode, domain.unknown_recipients = Mode.COPY, UnknownRecipients.REJECT
        domain.relay_host, domain.relay_port = "", 0
        return
    if domain.mode != Mode.RELAY:
        domain.unknown_recipients = UnknownRecipients.RELAY
    domain.mode = Mode.RELAY
    domain.relay_host, domain.relay_port = relay.host, relay.port


def _write_smarthost(domain: Domain, text: str) -> None:
    found = _relay(text)
    domain.smarthost = str(found) if found else ""


def _write_relay_tls(domain: Domain, text: str) -> None:
    domain.relay_tls = Tls(text.lower())


def _write_smarthost_tls(domain: Domain, text: str) -> None:
    domain.smarthost_tls = Tls(text.lower())


def _write_unknown(domain: Domain, text: str) -> None:
    domain.unknown_recipients = UnknownRecipients(text.lower())


def _write_dkim(domain: Domain, text: str) -> None:
    names = [key.name for key in domain.dkim_keys]
    wanted = {"off": "", "on": domain.dkim or next(reversed(names), None)}.get(text.lower(), text)
    if wanted is None or (wanted and wanted not in names):
        raise ValueError("no such keys")
    domain.dkim = wanted


def _write_outside_notices(domain: Domain, text: str) -> None:
    if text.lower() not in ("on", "off"):
        raise ValueError(text)
    domain.outside_notices = text.lower() == "on"


def _write_sent_copies(domain: Domain, text: str) -> None:
    if text.lower() not in ("imap", "smtp", "off"):
        raise ValueError(text)
    domain.sent_copies = text.lower()


def _write_second_factor(domain: Domain, text: str) -> None:
    domain.second_factor = Demand(text.lower())


def _write_checked_by(domain: Domain, text: str) -> None:
    domain.checked_by = str(Checker.parse(text) or "")


CHANGES: Mapping[str, Change] = {
    "relay": Change(
        Permission.ROUTE_DOMAIN,
        "HOST:PORT of the primary mail server, or none",
        relay_of,
        lambda domain, text: _set_relay(domain, _relay(text)),
    ),
    "smarthost": Change(
        Permission.ROUTE_DOMAIN,
        "HOST:PORT of the server for mail to the outside, or none",
        lambda domain: domain.smarthost or "none",
        _write_smarthost,
    ),
    "relay-tls": Change(
        Permission.ROUTE_DOMAIN,
        "may, encrypt or verify",
        lambda domain: domain.relay_tls,
        _write_relay_tls,
    ),
    "smarthost-tls": Change(
        Permission.ROUTE_DOMAIN,
        "may, encrypt or verify",
        lambda domain: domain.smarthost_tls,
        _write_smarthost_tls,
    ),
    "dkim": Change(
        Permission.CHANGE_DOMAIN,
        "off, on (the newest keys), or the selector of keys that `livearchive domain dkim` shows",
        lambda domain: domain.dkim or "off",
        _write_dkim,
    ),
    "sent-copies": Change(
        Permission.ROUTE_DOMAIN,
        "imap, smtp or off",
        lambda domain: domain.sent_copies,
        _write_sent_copies,
    ),
    "checked-by": Change(
        Permission.CHANGE_DOMAIN,
        checking.EXPECTS,
        lambda domain: domain.checked_by or "none",
        _write_checked_by,
    ),
    "outside-notices": Change(
        Permission.CHANGE_DOMAIN,
        "on or off: whether people are told of an outage at their addresses outside",
        lambda domain: "on" if domain.outside_notices else "off",
        _write_outside_notices,
    ),
    "second-factor": Change(
        Permission.CHANGE_DOMAIN,
        "nobody, administrators or everybody",
        lambda domain: domain.second_factor,
        _write_second_factor,
    ),
    "unknown-recipients": Change(
        Permission.CHANGE_DOMAIN,
        "relay or reject",
        lambda domain: domain.unknown_recipients,
        _write_unknown,
    ),
}
"""What `domain set NAME KEY=VALUE` and the domain's page can change."""
