"""Journal feeds: a secret address, from whom it takes reports, and whose mailboxes it reaches."""

import pytest
from sqlalchemy import select

from app.accounts import domains, feeds, identities, users
from app.accounts.errors import Forbidden, Invalid, Taken
from app.accounts.feeds import NewFeed
from app.accounts.routing import Disposition, resolve
from app.models import AuditEvent, JournalFeed
from archive_store.address import EmailAddress
from tests.app.accounts.conftest import NOW, ROOT, Town

SECRET = "reports-58e1c1d77aab01cd5d@in.acme.example"


def switch_on(town: Town, domain: str = "acme.example", wish: NewFeed | None = None) -> str:
    with town.db.write() as tx:
        found = domains.find(tx, ROOT, domain)
        return feeds.switch_on(tx, ROOT, found, wish or NewFeed(), NOW)


def switch_off(town: Town) -> None:
    with town.db.write() as tx:
        feeds.switch_off(tx, ROOT, domains.find(tx, ROOT, "acme.example"), NOW)


def disposition(town: Town, address: str) -> Disposition:
    with town.db.read() as tx:
        return resolve(tx, EmailAddress.parse(address)).disposition


def test_reports_come_in_at_the_new_address_until_it_is_switched_off(town: Town) -> None:
    address = switch_on(town)
    assert disposition(town, address) is Disposition.JOURNAL
    assert disposition(town, address.upper()) is Disposition.JOURNAL
    newer = switch_on(town)
    assert newer != address
    assert disposition(town, address) is Disposition.NOT_OURS
    switch_off(town)
    assert disposition(town, newer) is Disposition.NOT_OURS


def test_the_address_stands_nowhere(town: Town) -> None:
    address = switch_on(town, wish=NewFeed(networks="192.0.2.0/24 2001:db8::/32", login="exch"))
    with town.db.read() as tx:
        [row] = tx.scalars(select(JournalFeed))
        kept = [row.networks, row.login, row.address_hash.decode("latin-1")]
        kept += [octets.decode() for octets in tx.scalars(select(AuditEvent.octets))]
    assert not any(address.partition("@")[0] in text for text in kept)
    [(kind, details)] = [one for one in town.events("acme.example") if "journal" in one[0]]
    assert (kind, details["networks"], details["login"]) == (
        "journal.started",
        "192.0.2.0/24,2001:db8::/32",
        "exch",
    )


@pytest.mark.parametrize(
    ("wish", "client", "login", "taken"),
    [
        (NewFeed(), "198.51.100.7", "", True),
        (NewFeed(networks="192.0.2.0/24"), "192.0.2.9", "", True),
        (NewFeed(networks="192.0.2.0/24"), "198.51.100.7", "exchange", False),
        (NewFeed(login="exchange"), "198.51.100.7", "exchange", True),
        (NewFeed(login="exchange"), "198.51.100.7", "", False),
        (NewFeed(networks="192.0.2.0/24", login="exchange"), "192.0.2.9", "other", False),
    ],
)
def test_from_whom_reports_are_taken(
    town: Town, wish: NewFeed, client: str, login: str, taken: bool
) -> None:
    address = EmailAddress.parse(switch_on(town, wish=wish))
    with town.db.read() as tx:
        [feed] = feeds.at(tx, address)
    assert feed.comes_from(client, login) is taken


def test_an_address_that_can_be_guessed_needs_a_network_or_a_login(town: Town) -> None:
    with pytest.raises(Invalid, match="guessed"):
        switch_on(town, wish=NewFeed(address="journal@in.acme.example"))
    for more in ({"networks": "192.0.2.1"}, {"login": "exchange"}):
        wish = NewFeed(address="journal@in.acme.example", **more)
        assert switch_on(town, wish=wish) == "journal@in.acme.example"


@pytest.mark.parametrize("address", ["no address", "vlad+58e1c1d77aab01cd5d58e1c1@acme.example"])
def test_what_can_be_no_address_of_a_feed(town: Town, address: str) -> None:
    with pytest.raises(Invalid):
        switch_on(town, wish=NewFeed(address=address))
    with pytest.raises(Invalid):
        switch_on(town, wish=NewFeed(networks="everybody"))


def test_nobody_has_the_address_of_a_feed_and_no_feed_has_somebodys(town: Town) -> None:
    wish = NewFeed(address="vlad@acme.example", login="exchange")
    with pytest.raises(Taken):
        switch_on(town, wish=wish)
    switch_on(town, wish=NewFeed(address="reports@acme.example", login="exchange"))
    with town.db.write() as tx:
        with pytest.raises(Taken):
            town.add(tx, "reports@acme.example")
        maria = users.find(tx, ROOT, "maria@acme.example")
        new = identities.parse("reports@acme.example", receive=True)
        with pytest.raises(Taken):
            identities.add(tx, ROOT, maria, new, NOW)


def test_nobody_gets_the_mailbox_of_what_could_not_be_read(town: Town) -> None:
    with town.db.write() as tx, pytest.raises(Taken):
        town.add(tx, "livearchive-journal-quarantine@acme.example")
    switch_on(town)
    with town.db.write() as tx, pytest.raises(Taken):
        town.add(tx, "livearchive-journal-quarantine@acme.example")
    assert disposition(town, "livearchive-journal-quarantine@acme.example") is Disposition.HAND_ON


def test_switching_on_again_keeps_the_quarantine(town: Town) -> None:
    found = []
    for _ in range(2):
        address = switch_on(town)
        with town.db.read() as tx:
            found.append(feeds.at(tx, EmailAddress.parse(address))[0].quarantine_id)
        switch_off(town)
    assert found[0] == found[1]


def test_domains_may_share_an_address(town: Town) -> None:
    for domain in ("acme.example", "other.example"):
        switch_on(town, domain, NewFeed(address=SECRET))
    with town.db.read() as tx:
        both = feeds.at(tx, EmailAddress.parse(SECRET))
    assert [feed.domain_name for feed in both] == ["acme.example", "other.example"]
    assert len({feed.quarantine_id for feed in both}) == 2


@pytest.mark.parametrize("who", ["vlad@acme.example", "maria@acme.example", "audit@acme.example"])
def test_only_a_provider_sets_up_a_feed(town: Town, who: str) -> None:
    viewer = town.viewer(who)
    with town.db.write() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
        with pytest.raises(Forbidden):
            feeds.switch_on(tx, viewer, domain, NewFeed(), NOW)
        with pytest.raises(Forbidden):
            feeds.switch_off(tx, viewer, domain, NOW)
