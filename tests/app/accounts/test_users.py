"""Adding, changing and disabling people; what each role may do to whom."""

import pytest
from sqlalchemy import select

from app.accounts import domains, routing, sessions, users
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown
from app.models import Identity, User
from app.secret import Secret
from app.viewer import Role
from archive_store.address import EmailAddress
from archive_store.models import Mailbox
from tests.app.accounts.conftest import NOW, PASSWORD, ROOT, Town


def test_a_person_comes_with_mailbox_route_and_own_identity(town: Town) -> None:
    with town.db.write() as tx:
        user = town.add(tx, "Anna.Lee@ACME.example", name="Anna  Lee")
    with town.db.read() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
        mailbox = tx.get_one(Mailbox, user.mailbox_id)
        identity = tx.scalars(select(Identity).where(Identity.user_id == user.id)).one()
        route = routing.resolve(tx, EmailAddress.parse("anna.lee@acme.example"))
    assert (user.address, user.name) == ("Anna.Lee@acme.example", "Anna Lee")
    assert (mailbox.tenant_id, mailbox.address) == (domain.id, "anna.lee@acme.example")
    assert (identity.address, identity.display_name) == ("Anna.Lee@acme.example", "Anna Lee")
    assert identity.primary
    assert identity.receive
    assert route.mailbox_id == user.mailbox_id
    kind, details = town.events("acme.example")[-1]
    assert kind == "user.added"
    assert details["address"] == "Anna.Lee@acme.example"


def test_a_provider_elsewhere_has_no_mailbox(town: Town) -> None:
    user = town.user("provider@livearchive.example")
    assert (user.domain_id, user.mailbox_id, user.live) == (None, None, False)


@pytest.mark.parametrize("address", ["vlad@acme.example", "VLAD@acme.example"])
def test_one_address_has_one_person(town: Town, address: str) -> None:
    with town.db.write() as tx, pytest.raises(Taken):
        town.add(tx, address)


def test_a_person_of_no_domain_of_ours_is_refused(town: Town) -> None:
    with town.db.write() as tx, pytest.raises(Unknown, match=r"elsewhere\.example"):
        town.add(tx, "a@elsewhere.example")


@pytest.mark.parametrize(
    ("address", "name", "role", "password", "field"),
    [
        ("no address", "A B", "user", PASSWORD, "address"),
        ("a@acme.example", "", "user", PASSWORD, "name"),
        ("a@acme.example", "A\r\nBcc: x@y.example", "user", PASSWORD, "name"),
        ("a@acme.example", "A \u202e B", "user", PASSWORD, "name"),
        ("a@acme.example", "A" * 101, "user", PASSWORD, "name"),
        ("a@acme.example", "A B", "boss", PASSWORD, "role"),
        ("a@acme.example", "A B", "user", Secret("short"), "password"),
        ("a@acme.example", "A B", "user", Secret("password1234"), "password"),
    ],
)
def test_bad_values_are_refused_before_anything_is_written(
    town: Town, address: str, name: str, role: str, password: Secret, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        users.prepare(town.passwords, address, name, role, password)
    assert caught.value.field == field
    assert password.reveal() not in str(caught.value)


@pytest.mark.parametrize(
    ("who", "address", "role", "allowed"),
    [
        ("maria@acme.example", "new@acme.example", "user", True),
        ("maria@acme.example", "new@acme.example", "domain-admin", True),
        ("maria@acme.example", "new@acme.example", "service-provider", False),
        ("maria@acme.example", "new@other.example", "user", False),
        ("maria@acme.example", "new@nowhere.example", "service-provider", False),
        ("vlad@acme.example", "new@acme.example", "user", False),
        ("audit@acme.example", "new@acme.example", "user", False),
        ("provider@livearchive.example", "new@other.example", "service-provider", True),
    ],
)
def test_who_may_add_whom(town: Town, who: str, address: str, role: str, allowed: bool) -> None:
    viewer = town.viewer(who)
    new = users.prepare(town.passwords, address, "New", role, PASSWORD)
    if allowed:
        with town.db.write() as tx:
            assert users.add(tx, viewer, new, NOW).role == role
        return
    with town.db.write() as tx, pytest.raises(Forbidden):
        users.add(tx, viewer, new, NOW)


@pytest.mark.parametrize("who", ["vlad@acme.example", "audit@acme.example", "eve@other.example"])
def test_nobody_without_the_right_changes_a_person(town: Town, who: str) -> None:
    viewer = town.viewer(who)
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        for changes in ({"name": "X"}, {"role": "user"}, {"live": "off"}, {"disabled": "on"}):
            with pytest.raises(Forbidden):
                users.change(tx, viewer, user, changes, NOW)
        with pytest.raises(Forbidden):
            users.reset_password(tx, viewer, user, "hash", NOW)
        with pytest.raises(Forbidden):
            users.set_disabled(tx, viewer, user, True, NOW)
    assert [kind for kind, _ in town.events("acme.example") if "user.ch" in kind] == []


def test_an_administrator_sees_only_the_own_domain(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with town.db.read() as tx:
        eve = users.find(tx, ROOT, "eve@other.example").id
        for wanted in (eve, "eve@other.example", "nobody@acme.example", "nonsense", bytes(16)):
            with pytest.raises(Unknown):
                users.find(tx, maria, wanted)
        page = users.list_page(tx, maria)
        assert [u.address for u in page.users] == [
            "audit@acme.example",
            "maria@acme.example",
            "vlad@acme.example",
        ]
        with pytest.raises(Forbidden):
            users.list_page(tx, maria, domain_id=users.find(tx, ROOT, eve).domain_id)


def test_a_provider_and_the_command_line_see_everybody_by_page(town: Town) -> None:
    provider = town.viewer("provider@livearchive.example")
    with town.db.read() as tx:
        assert users.list_page(tx, ROOT).total == 5
        page = users.list_page(tx, provider, page=99, size=2)
    assert (page.page, page.pages, len(page.users)) == (3, 3, 1)


@pytest.mark.parametrize("who", ["vlad@acme.example", "audit@acme.example"])
def test_a_list_of_people_is_for_administrators(town: Town, who: str) -> None:
    viewer = town.viewer(who)
    with town.db.read() as tx, pytest.raises(Forbidden):
        users.list_page(tx, viewer)


def test_disabling_ends_every_session_and_can_be_undone(town: Town) -> None:
    viewer = town.viewer("vlad@acme.example")
    maria = town.viewer("maria@acme.example")
    for disabled in (True, True, False):
        with town.db.write() as tx:
            user = users.find(tx, maria, "vlad@acme.example")
            users.set_disabled(tx, maria, user, disabled, NOW)
        with town.db.read() as tx:
            assert sessions.current(tx, viewer.token, NOW) is None
    kinds = [kind for kind, _ in town.events("acme.example")]
    assert kinds[-2:] == ["user.disabled", "user.enabled"]


def test_nobody_locks_oneself_out(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with town.db.write() as tx:
        user = users.find(tx, maria, "maria@acme.example")
        for changes in ({"disabled": "on"}, {"role": "user"}):
            with pytest.raises(Invalid):
                users.change(tx, maria, user, changes, NOW)


def test_a_domain_administrator_cannot_touch_a_provider(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with town.db.write() as tx:
        boss = town.add(tx, "boss@acme.example", "service-provider")
        with pytest.raises(Forbidden):
            users.reset_password(tx, maria, boss, "hash", NOW)
        with pytest.raises(Forbidden):
            users.change(tx, maria, boss, {"role": "user"}, NOW)
        with pytest.raises(Forbidden):
            users.set_disabled(tx, maria, boss, True, NOW)


def test_a_change_is_recorded_with_old_and_new(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with town.db.write() as tx:
        user = users.find(tx, maria, "vlad@acme.example")
        changes = {"name": "Vlad I.", "role": "auditor", "live": "off"}
        users.change(tx, maria, user, changes, NOW)
        users.change(tx, maria, user, changes, NOW)
    told = [d for kind, d in town.events("acme.example") if kind == "user.changed"]
    assert [(d["setting"], d["old"], d["new"]) for d in told] == [
        ("name", "Vlad Ivanov", "Vlad I."),
        ("role", "user", "auditor"),
        ("live", "on", "off"),
    ]
    user = town.user("vlad@acme.example")
    assert (user.name, user.role, user.live) == ("Vlad I.", Role.AUDITOR, False)
    with town.db.read() as tx:
        found = select(Identity.display_name).where(Identity.user_id == user.id)
        assert tx.scalars(found).one() == "Vlad I."


@pytest.mark.parametrize(
    "changes", [{"live": "perhaps"}, {"password": "x"}, {"role": "king"}, {"name": "\0"}]
)
def test_an_unknown_setting_or_value_is_refused(town: Town, changes: dict[str, str]) -> None:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        with pytest.raises(Invalid) as caught:
            users.change(tx, ROOT, user, changes, NOW)
    assert caught.value.field == next(iter(changes))


def test_a_person_of_no_domain_stays_a_provider(town: Town) -> None:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "provider@livearchive.example")
        with pytest.raises(Invalid):
            users.change(tx, ROOT, user, {"role": "user"}, NOW)


def test_a_password_given_by_another_ends_every_session(town: Town) -> None:
    viewer = town.viewer("vlad@acme.example")
    maria = town.viewer("maria@acme.example")
    with town.db.write() as tx:
        user = users.find(tx, maria, "vlad@acme.example")
        users.reset_password(tx, maria, user, "hash", NOW)
    with town.db.read() as tx:
        assert sessions.current(tx, viewer.token, NOW) is None
    assert town.events("acme.example")[-1][0] == "user.password-reset"


def test_the_own_password_changes_only_from_the_one_that_was_checked(town: Town) -> None:
    viewer, other = town.viewer("vlad@acme.example"), town.viewer("vlad@acme.example")
    checked = town.user("vlad@acme.example").password_hash
    with town.db.write() as tx:
        users.change_own_password(tx, viewer, checked, "new hash", NOW)
    with town.db.write() as tx, pytest.raises(Forbidden):
        users.change_own_password(tx, viewer, checked, "newer hash", NOW)
    with town.db.read() as tx:
        assert sessions.current(tx, viewer.token, NOW) is not None
        assert sessions.current(tx, other.token, NOW) is None
        assert tx.get_one(User, viewer.user.id).password_hash == "new hash"
    assert town.events("acme.example")[-1][0] == "user.password-changed"
