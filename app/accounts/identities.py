"""Identities: the addresses and names that a person may send as.

Each person has the own address as primary identity, which stays. A further one is added
by an administrator; with `receive` the mail to that address goes into this mailbox, and
then nobody else can have that. An address of a domain of ours that is not the person's own
domain is another customer's: only a provider, or the command line, may hand it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import domains, feeds
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown
from app.accounts.names import clean_name
from app.accounts.permissions import Permission, require
from app.accounts.users import parse_address
from app.audit.events import IdentityAdded, IdentityRemoved
from app.models import AddressRoute, Identity, User
from app.viewer import Actor, Role, Viewer
from archive_store import ids
from archive_store.address import EmailAddress

MOST_IDENTITIES = 50
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewIdentity:
    """A name and an address, parsed."""

    display_name: str  # empty: the person's own name
    address: EmailAddress
    receive: bool = False


def parse(text: str, *, receive: bool = False) -> NewIdentity:
    """Read `Display Name <address>`, or an address alone; raises Invalid."""
    named = _NAMED.fullmatch(text.strip())
    name = named["name"].strip() if named else ""
    if len(name) >= 2 and name.startswith('"') and name.endswith('"'):
        name = name[1:-1]
    address = parse_address(named["address"] if named else text)
    return NewIdentity(
        display_name=clean_name(name, "identity") if name.strip() else "",
        address=address,
        receive=receive,
    )


def add(tx: Session, who: Viewer | Actor, user: User, new: NewIdentity, now: datetime) -> Identity:
    """Let a person send as a further address."""
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    if user.mailbox_id is None:
        raise Invalid("identity", "this person has no mailbox to send from")
    _require_in_reach(tx, who, user, new.address)
    key = new.address.key
    mine = list_of(tx, user.id)
    if key in {identity.address_key for identity in mine}:
        raise Taken("this person has the identity already")
    if len(mine) >= MOST_IDENTITIES:
        raise Invalid("identity", f"a person has at most {MOST_IDENTITIES} identities")
    owner = tx.scalars(select(User.id).where(User.address_key == key)).first()
    if owner is not None:
        raise Taken("the address is another person's own")
    if new.receive:
        _route(tx, key, user.mailbox_id)
    identity = Identity(
        id=ids.new_id(),
        user_id=user.id,
        address=new.address.text,
        address_key=key,
        display_name=new.display_name or user.name,
        receive=new.receive,
        primary=False,
        created_at=now,
    )
    tx.add(identity)
    tx.flush()
    event = IdentityAdded(
        user_id=user.id, address=user.address, identity=identity.address, receive=new.receive
    )
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
    return identity


def remove(
    tx: Session, who: Viewer | Actor, user: User, wanted: str | bytes, now: datetime
) -> None:
    """Take an identity away, by address or id, and its mail with it."""
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    key = parse_address(wanted).key if isinstance(wanted, str) else None
    for identity in list_of(tx, user.id):
        if wanted in (identity.id,) or key == identity.address_key:
            break
    else:
        raise Unknown("no such identity")
    if identity.primary:
        raise Invalid("identity", "the own address stays")
    if identity.receive and (route := tx.get(AddressRoute, identity.address_key)):
        tx.delete(route)
    tx.delete(identity)
    tx.flush()
    event = IdentityRemoved(user_id=user.id, address=user.address, identity=identity.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def list_of(tx: Session, user_id: bytes) -> tuple[Identity, ...]:
    """A person's identities: the own address first, then in the order they were given."""
    return tuple(
        tx.scalars(
            select(Identity)
            .where(Identity.user_id == user_id)
            .order_by(Identity.primary.desc(), Identity.created_at, Identity.address_key)
        )
    )


def own(tx: Session, viewer: Viewer, identity_id: bytes) -> Identity:
    """One of the viewer's own identities, for sending; Unknown for anybody else's."""
    identity = tx.get(Identity, identity_id)
    if identity is None or identity.user_id != viewer.user.id:
        raise Unknown("no such identity")
    return identity


def _require_in_reach(tx: Session, who: Viewer | Actor, user: User, address: EmailAddress) -> None:
    domain = domains.by_name(tx, address.ascii_domain)
    if domain is None or domain.id == user.domain_id or not isinstance(who, Viewer):
        return
    if who.user.role is not Role.PROVIDER:
        raise Forbidden("identity:of-another-domain")


def _route(tx: Session, address_key: str, mailbox_id: bytes) -> None:
    feeds.require_no_feed(tx, address_key)
    if tx.get(AddressRoute, address_key) is not None:
        raise Taken("somebody else receives the mail to this address")
    tx.add(AddressRoute(address_key=address_key, mailbox_id=mailbox_id))
