"""Who may do what, and domains and people: on a whole installation."""

from dataclasses import replace

import pytest

from app.viewer import Role
from app.views import BadEntry
from archive_store import ids
from archive_store.directory import Owner
from archive_store.errors import KeysUnavailable, NotFound
from archive_store.models import DayKey, Mailbox
from tests.app.admin.office import (
    FORM,
    NEW,
    NOTHING,
    acme,
    administration,
    as_it_is,
    everything,
    people_of,
)
from tests.app.conftest import World
from tests.app.reading.mail import PLAIN

ALLOWED = {
    "vlad": set[str](),
    "audit": {"audit", "audit_export"},
    "maria": {
        "overview", "domains", "domain", "set_domain", "people", "add_person", "set_disabled",
        "reset_password", "queue", "flush", "hold", "release", "drop", "maillog", "maillog_detail",
        "audit", "audit_export",
    },
    "nora": {"overview", "domains", "queue", "flush", "maillog", "audit", "audit_export"},
}  # fmt: skip
OWN_ACCOUNT = {"set_disabled"}


def test_each_role_has_what_it_may_and_nothing_else(any_world: World) -> None:
    """Nora administers another domain: for her acme.example is not there."""
    world, admin = any_world, administration(any_world)
    world.receive(PLAIN)
    for name, allowed in ALLOWED.items():
        for use, act in everything(world, admin).items():
            viewer = world.viewer(name)
            if use in allowed:
                try:
                    act(viewer)
                except BadEntry:
                    assert use in OWN_ACCOUNT
            elif use == "add_person" and name == "nora":
                with pytest.raises(BadEntry):
                    act(viewer)
            else:
                with pytest.raises(NotFound):
                    act(viewer)
    assert world.events("access.refused")


def test_a_provider_may_everything_but_see_a_customers_trail(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    world.receive(PLAIN)
    viewer = world.viewer("provider")
    for act in everything(world, admin).values():
        act(viewer)
    texts = [line.text for line in admin.audit(viewer, NOTHING).rows]
    assert not [text for text in texts if "message" in text]
    assert {line.name for line in admin.domains(viewer)} == {
        "acme.example",
        "other.example",
        "new.example",
    }


def test_a_domain_is_added_with_its_keys(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    provider = world.viewer("provider")
    form = replace(FORM, smarthost="out.example:587", unknown_recipients="reject")
    line = admin.domain(provider, admin.add_domain(provider, form))
    assert (line.name, line.relay, line.smarthost) == (
        "new.example",
        "mail.new.example:25",
        "out.example:587",
    )
    assert (line.mode, line.unknown_recipients, line.enabled, line.people, line.server) == (
        "relay",
        "reject",
        True,
        0,
        "unknown",
    )
    with world.db.read() as tx:
        keys = tx.query(DayKey).filter_by(owner_id=ids.read(line.id)).all()
    assert {key.series for key in keys} == {"mailbag", "log"}
    admin.set_domain(provider, line.id, replace(form, mode="copy", relay="", enabled=False))
    line = admin.domain(provider, line.id)
    assert (line.mode, line.relay, line.unknown_recipients, line.enabled) == (
        "copy",
        "",
        "reject",
        False,
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "acme.example"}, "name"),
        ({"name": "not a domain"}, "name"),
        ({"relay": ""}, "relay"),
        ({"relay": "no port"}, "relay"),
        ({"smarthost": "no port"}, "smarthost"),
        ({"unknown_recipients": "shred"}, "unknown_recipients"),
    ],
)
def test_what_a_domain_cannot_be_is_said_beside_its_field(
    world: World, changed: dict[str, str], field: str
) -> None:
    admin, provider = administration(world), world.viewer("provider")
    with pytest.raises(BadEntry) as error:
        admin.add_domain(provider, replace(FORM, **changed))  # type: ignore[arg-type]  # texts
    assert error.value.field == field
    assert error.value.message.endswith(".")
    assert len(admin.domains(provider)) == 2


def test_a_domain_administrator_sets_all_but_where_mail_goes(world: World) -> None:
    admin, maria = administration(world), world.viewer("maria")
    admin.set_domain(maria, acme(world), replace(as_it_is(world), unknown_recipients="reject"))
    assert admin.domain(maria, acme(world)).unknown_recipients == "reject"
    with pytest.raises(BadEntry) as error:
        admin.set_domain(maria, acme(world), replace(as_it_is(world), relay="evil.example:25"))
    assert error.value.field == "relay"
    assert admin.domain(maria, acme(world)).relay == "127.0.0.1:2526"
    assert b"domain:route" in world.events("access.refused")[-1]


def test_a_person_is_added_with_keys_and_a_password_shown_once(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    maria = world.viewer("maria")
    new = admin.add_person(maria, replace(NEW, address="anna"))
    assert new.address == "anna@acme.example"
    assert len(new.password) >= 20
    page = admin.people(maria, domain_id="", page=1)
    [line] = [row for row in page.rows if row.address == "anna@acme.example"]
    assert (line.name, line.role, line.domain, line.live, line.disabled) == (
        "Anna",
        Role.USER,
        "acme.example",
        True,
        False,
    )
    with world.db.read() as tx:
        box = tx.query(Mailbox).filter_by(address="anna@acme.example").one()
        owner = Owner.mailbox(box.tenant_id, box.id)
        assert tx.query(DayKey).filter_by(owner_id=owner.owner_id).count() >= 15
    again = admin.reset_password(maria, line.id)
    assert again.password != new.password
    admin.set_disabled(maria, line.id, True)
    [line] = [r for r in admin.people(maria, domain_id="", page=1).rows if r.name == "Anna"]
    assert line.disabled
    trail = b"".join(world.events("user.added") + world.events("user.password-reset"))
    assert new.password.encode() not in trail


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"address": "vlad@acme.example"}, "address"),
        ({"address": "anna@other.example"}, "address"),
        ({"address": "anna@nowhere.example"}, "address"),
        ({"address": "anna@@acme.example"}, "address"),
        ({"address": ""}, "address"),
        ({"name": ""}, "name"),
        ({"role": "king"}, "role"),
    ],
)
def test_what_a_person_cannot_be_is_said_beside_its_field(
    world: World, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(BadEntry) as error:
        administration(world).add_person(world.viewer("maria"), replace(NEW, **changed))
    assert error.value.field == field


def test_nobody_makes_a_provider_or_disables_oneself(world: World) -> None:
    admin, maria = administration(world), world.viewer("maria")
    with pytest.raises(NotFound):
        admin.add_person(maria, replace(NEW, role="service-provider"))
    with pytest.raises(BadEntry):
        admin.set_disabled(maria, people_of(world)["maria@acme.example"], True)


def test_without_the_keys_role_a_person_is_added_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> int:
        raise KeysUnavailable("the keys role does not answer")

    monkeypatch.setattr(world.keys, "ensure_keys", away)
    admin, maria = administration(world), world.viewer("maria")
    assert admin.add_person(maria, NEW).address == "anna@acme.example"
