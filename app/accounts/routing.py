"""Where mail to an address goes: asked at RCPT, before any octet of the mail is read.

`resolve` gives the facts as one frozen value; what SMTP answers is the door's business.
An address is looked up in full, then without its `+tag` (RFC 5233 calls it the detail).
A person's address leads to the mailbox, and so does an identity that receives, even one
of a domain that is not ours: then the person's own domain hands it on. An address that
nobody has may be where journal reports come in.

A local part that names another host (`user%host`, `host!user`, `"user@host"`) is somebody's only
when it is written so in full. Else it is nobody's, also where unknown people's mail is handed on:
a primary that trusts us would send it on to anywhere, and be an open relay behind our back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from app.accounts import feeds
from app.accounts.domains import Mode, UnknownRecipients
from app.accounts.feeds import Feed
from app.models import AddressRoute, Domain, User
from archive_store.address import EmailAddress


class Disposition(StrEnum):
    """What is to become of mail to an address."""

    KEEP = "keep"  # into the mailbox; and on to the primary, in relay mode
    HAND_ON = "hand-on"  # to the primary only: an unknown person, or LiveArchive is off
    REJECT_UNKNOWN = "reject-unknown"  # nobody here has the address: 550 5.1.1
    REJECT_OFF = "reject-off"  # copy mode and LiveArchive is off: nothing can be done with it
    JOURNAL = "journal"  # a report, out of which the mail is taken
    NOT_OURS = "not-ours"  # neither domain nor address is ours: 550 5.7.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The facts about one recipient. `domain_id` is the one whose primary is handed the
    mail; `tenant_id` and `mailbox_id` are where it is kept, with KEEP only.
    """

    disposition: Disposition
    domain_id: bytes | None = None
    domain_name: str = ""
    hands_on: bool = False
    tenant_id: bytes | None = None
    mailbox_id: bytes | None = None
    feeds: tuple[Feed, ...] = ()  # with JOURNAL only


_NAMES_A_HOST = re.compile("[%!@]")
NOT_OURS = Route(disposition=Disposition.NOT_OURS)


# Asked for every recipient while its sender waits: columns, not objects, and built once.
_FACTS = (Domain.id, Domain.name, Domain.mode, Domain.enabled, Domain.unknown_recipients)
_DOMAIN = select(*_FACTS).where(Domain.name == bindparam("name"))
_OWNERS = (
    select(AddressRoute.address_key, AddressRoute.mailbox_id, User.live, *_FACTS)
    .join(User, User.mailbox_id == AddressRoute.mailbox_id)
    .join(Domain, Domain.id == User.domain_id)
    .where(AddressRoute.address_key.in_(bindparam("keys", expanding=True)))
)


def resolve(tx: Session, address: EmailAddress) -> Route:
    """Where mail to this address goes."""
    home = _owner(tx, address)
    if home is None and (found := feeds.at(tx, address)):
        return Route(disposition=Disposition.JOURNAL, feeds=found)
    domain = tx.execute(_DOMAIN, {"name": address.ascii_domain}).first() or home
    if domain is None:
        return NOT_OURS
    route = Route(
        disposition=Disposition.HAND_ON,
        domain_id=domain.id,
        domain_name=domain.name,
        hands_on=domain.mode == Mode.RELAY,
    )
    is_exact = home is not None and home.address_key == address.key
    if _NAMES_A_HOST.search(address.local) and not is_exact:
        return replace(route, disposition=Disposition.REJECT_UNKNOWN, hands_on=False)
    if home is not None and home.live and home.enabled:
        return replace(
            route,
            disposition=Disposition.KEEP,
            tenant_id=home.id,
            mailbox_id=home.mailbox_id,
        )
    if home is None and domain.unknown_recipients == UnknownRecipients.REJECT:
        return replace(route, disposition=Disposition.REJECT_UNKNOWN, hands_on=False)
    if not route.hands_on:
        return replace(route, disposition=Disposition.REJECT_OFF)
    return route


def _owner(tx: Session, address: EmailAddress) -> Row[*tuple[Any, ...]] | None:
    """Who gets the mail to an address: a mailbox, and the domain it belongs to."""
    keys = [address.key]
    base, plus, _tag = address.local.partition("+")
    if plus and base:
        keys.append(EmailAddress(base, address.domain).key)
    found = {row.address_key: row for row in tx.execute(_OWNERS, {"keys": keys})}
    return next((found[key] for key in keys if key in found), None)
