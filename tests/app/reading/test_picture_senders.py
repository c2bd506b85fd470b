"""Pictures of a sender are always shown once somebody chose that, and only while he is proven."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.accounts import sessions
from app.accounts.sessions import Beginning
from app.login_views import NotConfirmed
from app.models import Domain, PictureSender, User
from app.reading.picture_senders import PictureSenders
from app.viewer import Method
from archive_store.errors import NotFound
from tests.app.conftest import CLIENT, World
from tests.app.reading.mail import mail

CHECKER = "mx.acme.example 192.0.2.0/24"
FOUND = (
    "Authentication-Results: mx.acme.example; dmarc=%s header.from=shop.com\r\n"
    "Received: from x by mx.acme.example; now\r\n"
)
SHOP = mail(sender="Shop <news@shop.com>")
Receive = Callable[..., str]


@pytest.fixture
def receive(world: World) -> Receive:
    """Receive a mail that the checker has judged; the entry of Vlad's."""
    with world.db.write() as tx:
        tx.execute(update(Domain).values(checked_by=CHECKER))

    def one(octets: bytes = SHOP, verdict: str = "pass", to: str = "vlad@acme.example") -> str:
        judged = (FOUND % verdict).encode() + octets
        [entry_id] = world.receive(judged, to, client_ip="192.0.2.1")
        return entry_id

    return one


@pytest.fixture
def senders(world: World) -> PictureSenders:
    return PictureSenders(world.db, world.keys, world.reading, world.clock)


def test_what_was_chosen_counts_for_this_sender_and_person_alone(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    vlad, maria = world.viewer(), world.viewer("maria")
    first, later = receive(), receive(SHOP.replace(b"news@shop.com", b"NEWS@shop.com"))
    another = receive(SHOP.replace(b"news@shop", b"sales@shop"))
    hers = receive(to="maria@acme.example")
    assert not senders.shows_in(vlad, first)
    senders.choose(vlad, first)
    senders.choose(vlad, later)
    assert senders.count(vlad) == 1
    assert senders.shows_in(vlad, later)
    assert senders.shows(vlad, world.reading.open_message(vlad, later))
    assert not senders.shows_in(vlad, another)
    assert not senders.shows_in(maria, hers)


def test_who_only_writes_the_address_gets_no_picture_shown(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    vlad = world.viewer()
    senders.choose(vlad, receive())
    [by_another_way] = world.receive((FOUND % "pass").encode() + SHOP)
    for forged in (receive(verdict="fail"), receive(verdict="none"), by_another_way):
        assert not senders.shows_in(vlad, forged)
        assert not senders.shows(vlad, world.reading.open_message(vlad, forged))
        with pytest.raises(NotFound):
            senders.choose(vlad, forged)


def test_a_choice_can_be_taken_back_one_by_one_and_all_together(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    vlad, shop = world.viewer(), receive()
    sales = receive(SHOP.replace(b"news@shop", b"sales@shop"))
    for one in (shop, sales):
        senders.choose(vlad, one)
    senders.refuse(vlad, shop)
    assert (senders.shows_in(vlad, shop), senders.shows_in(vlad, sales)) == (False, True)
    senders.refuse_all(vlad)
    assert senders.count(vlad) == 0


def test_another_persons_message_chooses_nothing(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    hers = receive(to="maria@acme.example")
    for act in (senders.choose, senders.refuse):
        with pytest.raises(NotFound):
            act(world.viewer(), hers)


def test_a_one_time_code_chooses_nothing_that_outlasts_its_session(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    vlad, entry_id = world.viewer(), receive()
    with world.db.write() as tx:
        user, how = tx.get_one(User, vlad.user.id), Beginning(method=Method.GIVEN_CODE)
        token = sessions.start(tx, user, CLIENT, world.clock(), how)
    limited = world.seen_by(token)
    with pytest.raises(NotConfirmed):
        senders.choose(limited, entry_id)
    assert senders.count(vlad) == 0
    senders.choose(vlad, entry_id)
    with pytest.raises(NotConfirmed):
        senders.refuse(limited, entry_id)
    with pytest.raises(NotConfirmed):
        senders.refuse_all(limited)
    assert senders.shows_in(limited, entry_id)


def test_the_database_has_no_address_and_nothing_to_test_a_guess_with(
    world: World, senders: PictureSenders, receive: Receive
) -> None:
    vlad, maria = world.viewer(), world.viewer("maria")
    senders.choose(vlad, receive())
    senders.choose(maria, receive(to="maria@acme.example"))
    with world.db.read() as tx:
        digests = tx.scalars(select(PictureSender.digest)).all()
    assert len(set(digests)) == 2  # of the same address: each person's is another
    assert {len(one) for one in digests} == {32}
