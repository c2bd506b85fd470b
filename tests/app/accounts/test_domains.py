"""Domains: adding, the LiveArchive switch, their settings."""

import pytest

from app.accounts import domains, users
from app.accounts.domains import Mode, UnknownRecipients, parse_name, parse_relay, relay_of
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown
from app.config_kinds import HostPort
from app.viewer import Viewer
from tests.app.accounts.conftest import NOW, ROOT, Town


def live(town: Town, address: str) -> bool:
    return town.user(address).live


def test_a_domain_is_added_switched_off(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.add(tx, ROOT, "New.Example", HostPort("mx.new.example", 25), NOW)
    assert (domain.name, domain.enabled, domain.mode) == ("new.example", False, Mode.RELAY)
    assert domain.unknown_recipients == UnknownRecipients.RELAY
    assert relay_of(domain) == "mx.new.example:25"
    assert town.events("new.example")[0][0] == "domain.added"


def test_without_a_relay_it_only_keeps_copies(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.add(tx, ROOT, "new.example", None, NOW)
    assert (domain.mode, domain.unknown_recipients) == (Mode.COPY, UnknownRecipients.REJECT)
    assert relay_of(domain) == "none"


def test_a_name_is_taken_once_in_any_spelling(town: Town) -> None:
    with town.db.write() as tx:
        domains.add(tx, ROOT, "bücher.example", None, NOW)
        for name in ("ACME.example", "acme.example.", "xn--bcher-kva.example"):
            with pytest.raises(Taken):
                domains.add(tx, ROOT, name, None, NOW)


@pytest.mark.parametrize("name", ["", "a b", "192.0.2.1", "[192.0.2.1]", "-a.example", "a@b.c"])
def test_what_is_no_domain_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        parse_name(name)


@pytest.mark.parametrize("who", ["vlad@acme.example", "maria@acme.example", "audit@acme.example"])
def test_only_a_provider_adds_domains(town: Town, who: str) -> None:
    viewer = town.viewer(who)
    with town.db.write() as tx, pytest.raises(Forbidden):
        domains.add(tx, viewer, "new.example", None, NOW)


def test_without_all_users_only_people_added_later_get_it(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.add(tx, ROOT, "new.example", None, NOW)
        town.add(tx, "early@new.example")
        domains.enable(tx, ROOT, domain, NOW, all_users=False)
        town.add(tx, "late@new.example")
    assert (live(town, "early@new.example"), live(town, "late@new.example")) == (False, True)


def test_with_all_users_everybody_gets_it(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.add(tx, ROOT, "new.example", None, NOW)
        town.add(tx, "early@new.example")
        domains.enable(tx, ROOT, domain, NOW, all_users=True)
    assert live(town, "early@new.example")
    assert live(town, "vlad@acme.example")
    details = town.events("new.example")[-1][1]
    assert details["all_users"] is True


def test_switching_off_and_on_leaves_each_persons_own_switch(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
        user = users.find(tx, ROOT, "audit@acme.example")
        users.change(tx, ROOT, user, {"live": "off"}, NOW)
        domains.disable(tx, ROOT, domain, NOW)
        town.add(tx, "meanwhile@acme.example")
        domains.enable(tx, ROOT, domain, NOW, all_users=False)
    people = ("vlad", "audit", "meanwhile")
    assert [live(town, f"{name}@acme.example") for name in people] == [True, False, False]


def test_an_administrator_switches_the_own_domain_only(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with town.db.write() as tx:
        acme = domains.find(tx, maria, "acme.example")
        other = domains.find(tx, ROOT, "other.example")
        domains.disable(tx, maria, acme, NOW)
        domains.enable(tx, maria, acme, NOW, all_users=True)
        with pytest.raises(Forbidden):
            domains.disable(tx, maria, other, NOW)
        with pytest.raises(Forbidden):
            domains.enable(tx, maria, other, NOW, all_users=False)
        with pytest.raises(Unknown):
            domains.find(tx, maria, "other.example")
        with pytest.raises(Unknown):
            domains.find(tx, maria, other.id)


def test_domains_are_listed_as_far_as_one_sees_them(town: Town) -> None:
    def listed(who: Viewer | None) -> list[str]:
        with town.db.read() as tx:
            return [domain.name for domain in domains.list_all(tx, who or ROOT)]

    assert listed(None) == ["acme.example", "other.example"]
    assert listed(town.viewer("maria@acme.example")) == ["acme.example"]
    assert listed(town.viewer("provider@livearchive.example")) == ["acme.example", "other.example"]


def change(town: Town, who: Viewer | None, **changes: str) -> None:
    with town.db.write() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
        values = {key.replace("_", "-"): value for key, value in changes.items()}
        domains.change(tx, who or ROOT, domain, values, NOW)


def test_settings_are_changed_and_recorded(town: Town) -> None:
    change(town, None, relay="[::1]:2526", smarthost="out.example:587", unknown_recipients="reject")
    change(town, None, relay="[::1]:2526", smarthost="out.example:587", unknown_recipients="reject")
    with town.db.read() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
    assert (domain.relay_host, domain.relay_port) == ("::1", 2526)
    assert (domain.smarthost, domain.unknown_recipients) == ("out.example:587", "reject")
    told = [d for kind, d in town.events("acme.example") if kind == "domain.changed"]
    assert [(d["setting"], d["old"], d["new"]) for d in told] == [
        ("relay", "mx.acme.example:25", "[::1]:2526"),
        ("smarthost", "none", "out.example:587"),
        ("unknown-recipients", "relay", "reject"),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("relay", "mx.acme.example"),
        ("relay", "mx:99999"),
        ("smarthost", "::1:25"),
        ("relay-tls", "always"),
        ("smarthost-tls", ""),
        ("unknown-recipients", "bounce"),
        ("name", "new.example"),
        ("enabled", "true"),
    ],
)
def test_an_unknown_setting_or_value_is_refused(town: Town, key: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        change(town, None, **{key: value})
    assert caught.value.field == key


def test_in_copy_mode_unknown_people_are_always_refused(town: Town) -> None:
    change(town, None, relay="none")
    with town.db.read() as tx:
        assert domains.find(tx, ROOT, "acme.example").unknown_recipients == "reject"
    with pytest.raises(Invalid):
        change(town, None, unknown_recipients="relay")
    change(town, None, relay="mx:25")
    with town.db.read() as tx:
        assert domains.find(tx, ROOT, "acme.example").unknown_recipients == "relay"


def test_where_mail_goes_is_for_the_provider_to_say(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    change(town, maria, unknown_recipients="reject", relay="mx.acme.example:25")
    for changes in ({"relay": "inside.example:25"}, {"smarthost": "inside.example:25"}):
        with pytest.raises(Forbidden, match="domain:route"):
            change(town, maria, **changes)
    change(town, town.viewer("provider@livearchive.example"), relay="inside.example:25")


def test_a_relay_is_a_host_and_port_or_none() -> None:
    assert parse_relay("mx.acme.example:25") == HostPort("mx.acme.example", 25)
    assert parse_relay("none") is None
    with pytest.raises(Invalid):
        parse_relay("mx.acme.example")
