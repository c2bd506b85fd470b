"""Users: adding, changing, disabling; each with a mailbox of its own.

A user's address belongs to a domain of ours; only a service provider may have one
elsewhere, and then has no mailbox. Passwords come as hashes: `prepare` makes one
outside of any transaction.

Disabling ends every session and stops log-ins; mail goes on being kept. Whether it is
kept is the switch `live`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import domains, feeds, sessions
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown
from app.accounts.names import clean_name
from app.accounts.passwords import Passwords, require_good
from app.accounts.permissions import Permission, reachable_domain, require, require_grant
from app.address_faults import why
from app.audit.events import (
    PasswordChanged,
    PasswordReset,
    UserAdded,
    UserChanged,
    UserDisabled,
    UserEnabled,
)
from app.models import AddressRoute, Domain, Identity, User
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Actor, Role, Viewer
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress
from archive_store.models import Mailbox

PAGE_SIZE = 50
_SWITCH = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A person to add, checked as far as can be without the database."""

    address: EmailAddress
    name: str
    role: Role
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPage:
    """One page of users, by address."""

    users: tuple[User, ...]
    total: int
    page: int
    pages: int


def prepare(passwords: Passwords, address: str, name: str, role: str, password: Secret) -> NewUser:
    """Check a new person's values and hash the password; raises Invalid. Slow: see Passwords."""
    parsed = parse_address(address)
    clean = clean_name(name)
    require_good(password, address=parsed.text, name=clean)
    return NewUser(
        address=parsed,
        name=clean,
        role=parse_role(role),
        password_hash=passwords.hash(password),
    )


def add(tx: Session, who: Viewer | Actor, new: NewUser, now: datetime) -> User:
    """Add a person with mailbox, route and own identity. The caller has the day keys made."""
    domain = domains.by_name(tx, new.address.ascii_domain)
    if domain is None and new.role is not Role.PROVIDER:
        raise Unknown(f"no such domain: {new.address.ascii_domain}")
    actor = require(who, Permission.MANAGE_PEOPLE, domain.id if domain else None)
    require_grant(who, new.role)
    key = new.address.key
    require_free(tx, key)
    user = User(
        id=ids.new_id(),
        domain_id=domain.id if domain else None,
        mailbox_id=_add_mailbox(tx, domain, key, now) if domain else None,
        address=new.address.text,
        address_key=key,
        name=new.name,
        role=new.role,
        password_hash=new.password_hash,
        live=domain is not None and domain.enabled,
        disabled=False,
        created_at=now,
        last_login_at=None,
    )
    tx.add(user)
    tx.flush()
    if user.mailbox_id is not None:
        tx.add(AddressRoute(address_key=key, mailbox_id=user.mailbox_id))
        tx.add(_own_identity(user, now))
    event = UserAdded(user_id=user.id, address=user.address, role=new.role)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
    return user


def by_address(tx: Session, address: str) -> User | None:
    """The user of an address in any spelling; None also for what is no address."""
    try:
        key = EmailAddress.parse(address.strip()).key
    except BadAddress:
        return None
    return tx.scalars(select(User).where(User.address_key == key)).first()


def find(tx: Session, who: Viewer | Actor, wanted: str | bytes) -> User:
    """A user by address or id; Unknown when not there, or not for this person to see."""
    user = tx.get(User, wanted) if isinstance(wanted, bytes) else by_address(tx, wanted)
    reach = reachable_domain(who.user) if isinstance(who, Viewer) else None
    if user is None or (reach is not None and reach != user.domain_id):
        raise Unknown("no such user")
    return user


def list_page(
    tx: Session,
    who: Viewer | Actor,
    *,
    domain_id: bytes | None = None,
    page: int = 1,
    size: int = PAGE_SIZE,
) -> UserPage:
    """Users of a domain, or of all domains that this person administers."""
    if isinstance(who, Viewer):
        domain_id = domain_id or reachable_domain(who.user)
        require(who, Permission.MANAGE_PEOPLE, domain_id)
    condition = User.domain_id == domain_id if domain_id else User.id.is_not(None)
    total = tx.scalar(select(func.count()).select_from(User).where(condition)) or 0
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    found = select(User).where(condition).order_by(User.address_key)
    users = tuple(tx.scalars(found.limit(size).offset((page - 1) * size)))
    return UserPage(users=users, total=total, page=page, pages=pages)


def change(
    tx: Session, who: Viewer | Actor, user: User, changes: Mapping[str, str], now: datetime
) -> None:
    """Set `name`, `role`, `live` (on, off) or `disabled` (on, off). All or none are set."""
    require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    for key, text in changes.items():
        if key == "disabled":
            set_disabled(tx, who, user, _switch(key, text), now)
        elif key == "role":
            _set_role(tx, who, user, parse_role(text), now)
        elif key == "name":
            _set(tx, who, user, "name", clean_name(text), now)
        elif key == "live":
            _set(tx, who, user, "live", _switch(key, text), now)
        else:
            keys = "name, role, live, disabled"
            raise Invalid(key, f"no such setting of a user: {key} (one of {keys})")


def set_disabled(
    tx: Session, who: Viewer | Actor, user: User, disabled: bool, now: datetime
) -> None:
    """Stop a person's log-ins and end every session, or allow them again."""
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    require_grant(who, Role(user.role))
    if isinstance(who, Viewer) and who.user.id == user.id:
        raise Invalid("disabled", phrase("you cannot disable yourself"))
    if user.disabled == disabled:
        return
    user.disabled = disabled
    if disabled:
        sessions.revoke_all(tx, user.id, now)
    kind = UserDisabled if disabled else UserEnabled
    event = kind(user_id=user.id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def reset_password(
    tx: Session, who: Viewer | Actor, user: User, password_hash: str, now: datetime
) -> None:
    """Give somebody a new password and end every session. An administrator never chooses
    it: the caller takes `passwords.generate`, or on the command line what comes in there.
    """
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    require_grant(who, Role(user.role))
    user.password_hash = password_hash
    sessions.revoke_all(tx, user.id, now)
    event = PasswordReset(user_id=user.id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def change_own_password(
    tx: Session, viewer: Viewer, checked_hash: str, password_hash: str, now: datetime
) -> None:
    """Set a person's own new password and end the other sessions. `checked_hash` is the one
    that the old password was found right against: if it is no longer the kept one, Forbidden.
    """
    user = tx.get_one(User, viewer.user.id)
    if user.password_hash != checked_hash:
        raise Forbidden("password:change")
    user.password_hash = password_hash
    sessions.revoke_all(tx, user.id, now, keep=viewer.session_id)
    event = PasswordChanged(user_id=user.id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=viewer.actor, at=now)


def require_free(tx: Session, address_key: str) -> None:
    """Raise Taken when somebody has this address, or receives its mail."""
    feeds.require_no_feed(tx, address_key)
    taken = tx.get(AddressRoute, address_key) is not None
    if taken or tx.scalars(select(User.id).where(User.address_key == address_key)).first():
        raise Taken(phrase("the address %(address)s is taken", address=address_key))


def parse_address(text: str) -> EmailAddress:
    """An address in strict form; raises Invalid."""
    try:
        return EmailAddress.parse(text.strip())
    except BadAddress as error:
        raise Invalid(
            "address", phrase("not an e-mail address: %(why)s", why=why(error))
        ) from error


def parse_role(text: str) -> Role:
    """A role by its name; raises Invalid."""
    try:
        return Role(text.strip().lower())
    except ValueError as error:
        raise Invalid(
            "role", phrase("role: expected one of %(roles)s", roles=", ".join(Role))
        ) from error


def _add_mailbox(tx: Session, domain: Domain, address_key: str, now: datetime) -> bytes:
    # One without a person came back by `fsck --repair`: the person finds the mail again.
    nobodys = Mailbox.id.not_in(select(User.mailbox_id).where(User.mailbox_id.is_not(None)))
    of_address = Mailbox.address == address_key, Mailbox.tenant_id == domain.id
    left = tx.scalar(select(Mailbox.id).where(*of_address, nobodys))
    if left is not None:
        return left
    mailbox_id = ids.new_id()
    tx.add(Mailbox(id=mailbox_id, tenant_id=domain.id, address=address_key, created_at=now))
    tx.flush()
    return mailbox_id


def _own_identity(user: User, now: datetime) -> Identity:
    return Identity(
        id=ids.new_id(),
        user_id=user.id,
        address=user.address,
        address_key=user.address_key,
        display_name=user.name,
        receive=True,
        primary=True,
        created_at=now,
    )


def _set_role(tx: Session, who: Viewer | Actor, user: User, role: Role, now: datetime) -> None:
    require_grant(who, Role(user.role))
    require_grant(who, role)
    if role is not Role.PROVIDER and user.domain_id is None:
        raise Invalid("role", phrase("%(role)s needs a domain", role=role.value))
    if isinstance(who, Viewer) and who.user.id == user.id:
        raise Invalid("role", phrase("you cannot change your own role"))
    _set(tx, who, user, "role", role.value, now)


def _set(
    tx: Session, who: Viewer | Actor, user: User, key: str, value: str | bool, now: datetime
) -> None:
    actor = require(who, Permission.MANAGE_PEOPLE, user.domain_id)
    old = getattr(user, key)
    if old == value:
        return
    setattr(user, key, value)
    if key == "name":
        # The own identity goes by the person's name.
        own = select(Identity).where(Identity.user_id == user.id, Identity.primary)
        for identity in tx.scalars(own):
            identity.display_name = str(value)
    event = UserChanged(
        user_id=user.id, address=user.address, setting=key, old=_shown(old), new=_shown(value)
    )
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def _shown(value: str | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value


def _switch(key: str, text: str) -> bool:
    try:
        return _SWITCH[text.strip().lower()]
    except KeyError:
        raise Invalid(key, f"{key}: expected on or off") from None
