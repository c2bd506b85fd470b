"""Where mail to an address goes: the whole table."""

import pytest

from app.accounts import domains, identities, users
from app.accounts.routing import NOT_OURS, Disposition, Route, resolve
from archive_store.address import EmailAddress
from tests.app.accounts.conftest import NOW, ROOT, Town


def route(town: Town, address: str) -> Route:
    with town.db.read() as tx:
        return resolve(tx, EmailAddress.parse(address))


def switch(town: Town, domain: str, on: bool) -> None:
    with town.db.write() as tx:
        found = domains.find(tx, ROOT, domain)
        if on:
            domains.enable(tx, ROOT, found, NOW, all_users=True)
        else:
            domains.disable(tx, ROOT, found, NOW)


def set_live(town: Town, address: str, live: str) -> None:
    with town.db.write() as tx:
        users.change(tx, ROOT, users.find(tx, ROOT, address), {"live": live}, NOW)


@pytest.mark.parametrize(
    "address",
    ["vlad@acme.example", "VLAD@ACME.Example", "vlad+shop@acme.example", "Vlad+@acme.example"],
)
def test_a_persons_mail_is_kept_and_handed_on(town: Town, address: str) -> None:
    user = town.user("vlad@acme.example")
    assert route(town, address) == Route(
        disposition=Disposition.KEEP,
        domain_id=user.domain_id,
        domain_name="acme.example",
        hands_on=True,
        tenant_id=user.domain_id,
        mailbox_id=user.mailbox_id,
    )


def test_in_copy_mode_it_is_only_kept(town: Town) -> None:
    found = route(town, "eve@other.example")
    assert (found.disposition, found.hands_on) == (Disposition.KEEP, False)


def test_a_full_address_goes_before_its_base(town: Town) -> None:
    with town.db.write() as tx:
        town.add(tx, "vlad+shop@acme.example")
    shop = town.user("vlad+shop@acme.example")
    assert route(town, "vlad+shop@acme.example").mailbox_id == shop.mailbox_id
    assert route(town, "vlad+other@acme.example").mailbox_id != shop.mailbox_id


def test_an_address_that_is_all_tag_has_no_base(town: Town) -> None:
    assert route(town, "+vlad@acme.example").disposition is Disposition.HAND_ON


@pytest.mark.parametrize(
    "address", ["a@elsewhere.example", "vlad@sub.acme.example", "vlad@example"]
)
def test_other_domains_are_not_ours(town: Town, address: str) -> None:
    assert route(town, address) == NOT_OURS


def test_unknown_people_are_handed_on_or_refused_as_the_domain_says(town: Town) -> None:
    found = route(town, "nobody@acme.example")
    assert (found.disposition, found.hands_on) == (Disposition.HAND_ON, True)
    assert found.mailbox_id is None
    with town.db.write() as tx:
        acme = domains.find(tx, ROOT, "acme.example")
        domains.change(tx, ROOT, acme, {"unknown-recipients": "reject"}, NOW)
    found = route(town, "nobody@acme.example")
    assert (found.disposition, found.hands_on) == (Disposition.REJECT_UNKNOWN, False)


def test_in_copy_mode_unknown_people_are_refused(town: Town) -> None:
    assert route(town, "nobody@other.example").disposition is Disposition.REJECT_UNKNOWN


def test_who_has_it_switched_off_is_handed_on_and_not_kept(town: Town) -> None:
    set_live(town, "vlad@acme.example", "off")
    found = route(town, "vlad@acme.example")
    assert (found.disposition, found.hands_on) == (Disposition.HAND_ON, True)
    assert (found.tenant_id, found.mailbox_id) == (None, None)
    set_live(town, "eve@other.example", "off")
    assert route(town, "eve@other.example").disposition is Disposition.REJECT_OFF


def test_a_domain_that_is_switched_off_hands_on_everything(town: Town) -> None:
    switch(town, "acme.example", on=False)
    switch(town, "other.example", on=False)
    assert route(town, "vlad@acme.example").disposition is Disposition.HAND_ON
    assert route(town, "nobody@acme.example").disposition is Disposition.HAND_ON
    assert route(town, "eve@other.example").disposition is Disposition.REJECT_OFF
    switch(town, "acme.example", on=True)
    assert route(town, "vlad@acme.example").disposition is Disposition.KEEP


def test_a_known_person_is_never_unknown(town: Town) -> None:
    """Refusing unknown people must not refuse those for whom it is merely off."""
    with town.db.write() as tx:
        acme = domains.find(tx, ROOT, "acme.example")
        domains.change(tx, ROOT, acme, {"unknown-recipients": "reject"}, NOW)
    set_live(town, "vlad@acme.example", "off")
    assert route(town, "vlad@acme.example").disposition is Disposition.HAND_ON


def test_a_disabled_log_in_does_not_stop_the_mail(town: Town) -> None:
    with town.db.write() as tx:
        users.set_disabled(tx, ROOT, users.find(tx, ROOT, "vlad@acme.example"), True, NOW)
    assert route(town, "vlad@acme.example").disposition is Disposition.KEEP


def test_an_identity_elsewhere_is_handed_on_by_the_persons_own_domain(town: Town) -> None:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        for text, receive in (("vlad@ownwebnow.example", True), ("sales@ownwebnow.example", False)):
            identities.add(tx, ROOT, user, identities.parse(text, receive=receive), NOW)
    found = route(town, "vlad+x@OwnWebNow.example")
    assert (found.disposition, found.domain_name) == (Disposition.KEEP, "acme.example")
    assert (found.mailbox_id, found.hands_on) == (user.mailbox_id, True)
    assert route(town, "sales@ownwebnow.example") == NOT_OURS
    set_live(town, "vlad@acme.example", "off")
    assert route(town, "vlad@ownwebnow.example").disposition is Disposition.HAND_ON


def test_an_identity_in_another_domain_of_ours_is_handed_on_there(town: Town) -> None:
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "eve@other.example")
        new = identities.parse("eve@acme.example", receive=True)
        identities.add(tx, ROOT, user, new, NOW)
    found = route(town, "eve@acme.example")
    assert (found.domain_name, found.hands_on) == ("acme.example", True)
    assert (found.tenant_id, found.mailbox_id) == (user.domain_id, user.mailbox_id)


def test_a_domain_is_found_in_either_script(town: Town) -> None:
    with town.db.write() as tx:
        domain = domains.add(tx, ROOT, "bücher.example", None, NOW)
        domains.enable(tx, ROOT, domain, NOW, all_users=True)
        town.add(tx, "a@bücher.example")
    assert route(town, "A@xn--bcher-kva.example").disposition is Disposition.KEEP


SPELLINGS = [
    "user%evil.example@acme.example",
    "user%evil.example%acme.example@acme.example",
    "evil.example!user@acme.example",
    "acme.example!evil.example!user@acme.example",
    '"user@evil.example"@acme.example',
    '"@evil.example:user"@acme.example',
    '"user%evil.example"@ACME.example',
    '"evil.example!user"@acme.example',
    "vlad+x%evil.example@acme.example",
    '"vlad+x@evil.example"@acme.example',
    "nobody+x!y@acme.example",
]


@pytest.mark.parametrize("address", SPELLINGS)
def test_no_spelling_of_another_host_is_handed_on(town: Town, address: str) -> None:
    found = route(town, address)
    assert (found.disposition, found.hands_on) == (Disposition.REJECT_UNKNOWN, False)


@pytest.mark.parametrize(
    "address",
    [
        "user@evil.example",
        "user@acme.example.evil.example",
        "user@evil-acme.example",
        "user@mail.acme.example",
        '"user@acme.example"@evil.example',
        "acme.example!user@evil.example",
        "user%acme.example@evil.example",
    ],
)
def test_what_only_looks_like_a_domain_of_ours_is_not_ours(town: Town, address: str) -> None:
    assert route(town, address) == NOT_OURS


def test_somebody_whose_address_is_written_so_gets_mail(town: Town) -> None:
    with town.db.write() as tx:
        town.add(tx, "half%half@acme.example")
    assert route(town, "Half%half@acme.example").disposition is Disposition.KEEP
    assert route(town, "half%half+x@acme.example").disposition is Disposition.REJECT_UNKNOWN
