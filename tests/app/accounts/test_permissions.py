"""Who may do what: the whole table, written out."""

import pytest

from app.accounts.errors import Forbidden
from app.accounts.permissions import Permission, allows, require, require_grant
from app.audit import INSTALLATION
from app.secret import Secret
from app.viewer import Actor, Person, Role, Viewer

MINE, OTHER = b"m" * 16, b"o" * 16
OF_OWN_DOMAIN = {
    Role.USER: set[Permission](),
    Role.AUDITOR: {Permission.READ_AUDIT, Permission.SEE_HOLDS, Permission.HOLD_MAIL},
    Role.DOMAIN_ADMIN: {
        Permission.CHANGE_DOMAIN,
        Permission.MANAGE_PEOPLE,
        Permission.SEE_QUEUE,
        Permission.MANAGE_QUEUE,
        Permission.SEARCH_MAILLOG,
        Permission.READ_AUDIT,
        Permission.SEE_HOLDS,
    },
    Role.PROVIDER: set(Permission) - {Permission.HOLD_MAIL},
}


def person(role: Role) -> Person:
    domain_id = None if role is Role.PROVIDER else MINE
    return Person(id=b"p" * 16, address="p@d.example", name="P", role=role, domain_id=domain_id)


def viewer(role: Role) -> Viewer:
    return Viewer(user=person(role), mailbox_id=None, token=Secret("t"), client_ip="192.0.2.1")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_may_do_in_its_own_domain_what_the_table_says(
    role: Role, permission: Permission
) -> None:
    assert allows(person(role), permission, MINE) == (permission in OF_OWN_DOMAIN[role])


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("domain_id", [OTHER, None, INSTALLATION])
def test_only_a_provider_reaches_beyond_the_own_domain(
    role: Role, permission: Permission, domain_id: bytes | None
) -> None:
    expected = role is Role.PROVIDER and permission is not Permission.HOLD_MAIL
    assert allows(person(role), permission, domain_id) == expected


def test_the_gate_gives_the_actor_or_raises() -> None:
    admin = viewer(Role.DOMAIN_ADMIN)
    assert require(admin, Permission.MANAGE_PEOPLE, MINE) == admin.actor
    with pytest.raises(Forbidden, match="people:manage"):
        require(admin, Permission.MANAGE_PEOPLE, OTHER)


def test_the_command_line_passes_and_an_unchecked_actor_of_the_web_does_not() -> None:
    root = Actor.command_line("root")
    assert require(root, Permission.MANAGE_INSTALLATION, None) is root
    with pytest.raises(Forbidden):
        require(Actor(user_id=b"p" * 16), Permission.MANAGE_PEOPLE, MINE)


@pytest.mark.parametrize(
    ("giver", "role", "allowed"),
    [
        (Role.DOMAIN_ADMIN, Role.USER, True),
        (Role.DOMAIN_ADMIN, Role.DOMAIN_ADMIN, True),
        (Role.DOMAIN_ADMIN, Role.AUDITOR, True),
        (Role.DOMAIN_ADMIN, Role.PROVIDER, False),
        (Role.AUDITOR, Role.USER, False),
        (Role.USER, Role.USER, False),
        (Role.PROVIDER, Role.PROVIDER, True),
    ],
)
def test_nobody_gives_a_role_above_the_own(giver: Role, role: Role, allowed: bool) -> None:
    if allowed:
        require_grant(viewer(giver), role)
    else:
        with pytest.raises(Forbidden):
            require_grant(viewer(giver), role)
