"""Identities: who may send as what, and whose mail goes where."""

import pytest

from app.accounts import identities, routing, users
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown
from app.accounts.identities import NewIdentity, parse
from app.models import Identity
from app.viewer import Viewer
from archive_store.address import EmailAddress
from tests.app.accounts.conftest import NOW, ROOT, Town


def give(
    town: Town, to: str, text: str, *, receive: bool = False, who: Viewer | None = None
) -> Identity:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, to)
        return identities.add(tx, who or ROOT, user, parse(text, receive=receive), NOW)


def of(town: Town, address: str) -> list[str]:
    with town.db.read() as tx:
        user = users.find(tx, ROOT, address)
        return [identity.address for identity in identities.list_of(tx, user.id)]


def receiver(town: Town, address: str) -> bytes | None:
    with town.db.read() as tx:
        return routing.resolve(tx, EmailAddress.parse(address)).mailbox_id


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("Sales <sales@acme.example>", "Sales", "sales@acme.example"),
        ('"Sales, Acme" <sales@acme.example>', "Sales, Acme", "sales@acme.example"),
        ("sales@acme.example", "", "sales@acme.example"),
        ("<sales@acme.example>", "", "sales@acme.example"),
        ("Grüße  vom Amt <a@bücher.example>", "Grüße vom Amt", "a@bücher.example"),
    ],
)
def test_a_name_and_an_address_are_read(text: str, name: str, address: str) -> None:
    assert parse(text) == NewIdentity(display_name=name, address=EmailAddress.parse(address))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sales",
        "Sales <>",
        "Sales <sales@acme.example> x",
        "<a@b.example> <c@d.example>",
        "Sales\r\nBcc: x@y.example <sales@acme.example>",
        "Sales\u202e <sales@acme.example>",
        f"{'x' * 101} <sales@acme.example>",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse(text)


def test_an_identity_is_for_sending_and_with_receive_for_its_mail_too(town: Town) -> None:
    vlad = town.user("vlad@acme.example")
    give(town, "vlad@acme.example", "Sales <sales@acme.example>")
    give(town, "vlad@acme.example", "Vlad <vlad@ownwebnow.example>", receive=True)
    assert of(town, "vlad@acme.example") == [
        "vlad@acme.example",
        "sales@acme.example",
        "vlad@ownwebnow.example",
    ]
    assert receiver(town, "sales@acme.example") is None
    assert receiver(town, "vlad@ownwebnow.example") == vlad.mailbox_id
    kinds = [kind for kind, _ in town.events("acme.example")]
    assert kinds.count("identity.added") == 2


def test_without_a_name_it_goes_by_the_persons(town: Town) -> None:
    identity = give(town, "vlad@acme.example", "sales@acme.example")
    assert identity.display_name == "Vlad Ivanov"


def test_two_people_may_send_as_one_address_but_one_receives_it(town: Town) -> None:
    give(town, "vlad@acme.example", "Sales <sales@acme.example>", receive=True)
    give(town, "maria@acme.example", "Sales <sales@acme.example>")
    with pytest.raises(Taken):
        give(town, "audit@acme.example", "Sales <sales@acme.example>", receive=True)


@pytest.mark.parametrize("receive", [True, False])
def test_nobody_gets_another_persons_own_address(town: Town, receive: bool) -> None:
    with pytest.raises(Taken):
        give(town, "vlad@acme.example", "Boss <MARIA@acme.example>", receive=receive)


def test_nobody_is_added_with_an_address_whose_mail_goes_elsewhere(town: Town) -> None:
    give(town, "vlad@acme.example", "Sales <sales@acme.example>", receive=True)
    with town.db.write() as tx, pytest.raises(Taken):
        town.add(tx, "sales@acme.example")


def test_the_same_identity_is_given_once(town: Town) -> None:
    give(town, "vlad@acme.example", "Sales <sales@acme.example>")
    with pytest.raises(Taken):
        give(town, "vlad@acme.example", "Sales <Sales@acme.example>")
    with pytest.raises(Taken):
        give(town, "vlad@acme.example", "vlad@acme.example")


def test_identities_are_not_without_number(town: Town) -> None:
    for number in range(identities.MOST_IDENTITIES - 1):
        give(town, "vlad@acme.example", f"x{number}@acme.example")
    with pytest.raises(Invalid):
        give(town, "vlad@acme.example", "more@acme.example")


def test_who_has_no_mailbox_has_no_identity(town: Town) -> None:
    with pytest.raises(Invalid):
        give(town, "provider@livearchive.example", "sales@acme.example")


@pytest.mark.parametrize("who", ["vlad@acme.example", "audit@acme.example", "eve@other.example"])
def test_identities_are_given_by_the_administrator(town: Town, who: str) -> None:
    viewer = town.viewer(who)
    with pytest.raises(Forbidden):
        give(town, "vlad@acme.example", "sales@acme.example", who=viewer)


def test_an_address_of_another_customer_is_not_an_administrators_to_give(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    with pytest.raises(Forbidden):
        give(town, "vlad@acme.example", "ceo@other.example", receive=True, who=maria)
    give(town, "vlad@acme.example", "vlad@nobody-of-ours.example", who=maria)
    provider = town.viewer("provider@livearchive.example")
    give(town, "vlad@acme.example", "ceo@other.example", receive=True, who=provider)


def test_an_identity_is_taken_away_with_its_mail(town: Town) -> None:
    given = give(town, "vlad@acme.example", "Sales <sales@acme.example>", receive=True)
    give(town, "vlad@acme.example", "Info <info@acme.example>", receive=True)
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        identities.remove(tx, ROOT, user, "SALES@acme.example", NOW)
        with pytest.raises(Unknown):
            identities.remove(tx, ROOT, user, given.id, NOW)
    assert of(town, "vlad@acme.example") == ["vlad@acme.example", "info@acme.example"]
    assert receiver(town, "sales@acme.example") is None
    assert receiver(town, "info@acme.example") is not None
    assert town.events("acme.example")[-1][0] == "identity.removed"


def test_taking_one_persons_identity_leaves_the_mail_of_who_receives_it(town: Town) -> None:
    give(town, "vlad@acme.example", "sales@acme.example", receive=True)
    give(town, "maria@acme.example", "sales@acme.example")
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "maria@acme.example")
        identities.remove(tx, ROOT, user, "sales@acme.example", NOW)
    assert receiver(town, "sales@acme.example") == town.user("vlad@acme.example").mailbox_id


def test_the_own_address_stays(town: Town) -> None:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        with pytest.raises(Invalid):
            identities.remove(tx, ROOT, user, "vlad@acme.example", NOW)


def test_a_person_sends_only_as_an_own_identity(town: Town) -> None:
    given = give(town, "vlad@acme.example", "sales@acme.example")
    vlad, maria = town.viewer("vlad@acme.example"), town.viewer("maria@acme.example")
    with town.db.read() as tx:
        assert identities.own(tx, vlad, given.id).address == "sales@acme.example"
        for viewer, wanted in ((maria, given.id), (vlad, bytes(16))):
            with pytest.raises(Unknown):
                identities.own(tx, viewer, wanted)
