"""Who may do what: one table of roles, and the gate in front of every use case.

A permission holds for a domain, or for the installation (`domain_id` None, or the id of
the installation's audit trail). Reading mail is none of these: that is each person's own
mailbox and nothing else, whatever the role.
"""

from __future__ import annotations

from enum import StrEnum

from app.accounts.errors import Forbidden
from app.audit import INSTALLATION
from app.viewer import Actor, Person, Role, Via, Viewer


class Permission(StrEnum):
    """What can be allowed: the object, a colon, the act."""

    MANAGE_INSTALLATION = "installation:manage"
    ADD_DOMAIN = "domain:add"
    ROUTE_DOMAIN = "domain:route"  # where its mail goes: relay and smarthost
    CHANGE_DOMAIN = "domain:change"
    MANAGE_PEOPLE = "people:manage"
    SEE_QUEUE = "queue:see"
    MANAGE_QUEUE = "queue:manage"
    SEARCH_MAILLOG = "maillog:search"
    READ_AUDIT = "audit:read"
    SEE_HOLDS = "hold:see"
    HOLD_MAIL = "hold:place"  # and release it, and open what is held


_OF_OWN_DOMAIN = {
    Role.USER: frozenset[Permission](),
    Role.AUDITOR: frozenset({Permission.READ_AUDIT, Permission.SEE_HOLDS, Permission.HOLD_MAIL}),
    Role.DOMAIN_ADMIN: frozenset(
        {
            Permission.CHANGE_DOMAIN,
            Permission.MANAGE_PEOPLE,
            Permission.SEE_QUEUE,
            Permission.MANAGE_QUEUE,
            Permission.SEARCH_MAILLOG,
            Permission.READ_AUDIT,
            Permission.SEE_HOLDS,
        }
    ),
}

_GRANTED_BY = {
    Role.PROVIDER: frozenset(Role),
    Role.DOMAIN_ADMIN: frozenset({Role.USER, Role.DOMAIN_ADMIN, Role.AUDITOR}),
}


def allows(person: Person, permission: Permission, domain_id: bytes | None) -> bool:
    """Whether a person may do something to a domain, or to the installation (None)."""
    if person.role is Role.PROVIDER:
        return permission is not Permission.HOLD_MAIL  # which opens mail
    if domain_id is None or domain_id == INSTALLATION or domain_id != person.domain_id:
        return False
    return permission in _OF_OWN_DOMAIN[person.role]


def require(who: Viewer | Actor, permission: Permission, domain_id: bytes | None) -> Actor:
    """The actor for the audit event, or Forbidden."""
    if isinstance(who, Viewer):
        if not allows(who.user, permission, domain_id):
            raise Forbidden(permission)
        return who.actor
    if who.via is Via.WEB:
        # From the web a Viewer must come: an Actor there has not been checked.
        raise Forbidden(permission)
    return who


def require_grant(who: Viewer | Actor, role: Role) -> None:
    """Forbidden unless `who` may give this role, or take it from somebody."""
    if isinstance(who, Viewer) and role not in _GRANTED_BY.get(who.user.role, frozenset()):
        raise Forbidden(f"role:{role}")


def reachable_domain(person: Person) -> bytes | None:
    """The one domain whose administration a person sees; None: every one (a provider)."""
    return None if person.role is Role.PROVIDER else person.domain_id
