"""A search is held by an auditor who is told how much it finds, and nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from app.keys.hold_verbs import OPENS_PER_MINUTE, SEARCHES_PER_MINUTE
from app.models import Hold
from app.secret import Secret
from app.viewer import Role
from archive_store import ids
from archive_store.errors import NotFound, TooMany
from tests.app.conftest import World
from tests.app.keys.test_holding import MAIL, OTHER, VLAD, WHY, Holds, holding


@pytest.fixture
def holds(world: World) -> Iterator[Holds]:
    yield from holding(world)


@pytest.fixture
def any_holds(any_world: World) -> Iterator[Holds]:
    yield from holding(any_world)


def test_an_auditor_counts_what_a_search_finds_and_holds_that(any_holds: Holds) -> None:
    holds, world = any_holds, any_holds.world
    world.receive(MAIL)
    [trashed] = world.receive(MAIL + b"to the trash\r\n")
    world.receive(OTHER)
    world.receive(MAIL, "maria@acme.example")
    world.receive(MAIL, at=world.clock() - world.config.keep - timedelta(seconds=1))
    world.index()
    world.reading.delete(world.viewer(), [trashed])
    token, box = world.viewer("audit").token, world.mailbox(VLAD).id
    for words, count in (
        ("canary", 2),
        ("subject:contract -in:trash", 1),
        ("to:vlad@acme.example smaller:1m", 3),
        ("cardinal", 0),
    ):
        found = world.keys.count_found(token, "192.0.2.7", WHY, box, words)
        assert (words, found[0]) == (words, count)
    for words, why in (("cardinal", "nothing"), (" ", "sense"), ("after:yesterdy", "sense")):
        with pytest.raises(NotFound, match=why):
            world.keys.place_found(token, "192.0.2.7", WHY, box, words)
    assert holds.rows(Hold) == 0
    hold = world.keys.place_found(token, "192.0.2.7", WHY, box, "canary")
    holds.sweep(holds.over())
    assert sorted(holds.octets(ids.show(hold))) == sorted([MAIL, MAIL + b"to the trash\r\n"])
    assert len(world.agent.keyring.holds) == holds.rows(Hold) == 1
    searched, [placed] = world.events("hold.searched"), world.events("hold.placed")
    assert len(searched) == 5  # one of them of the hold that found nothing
    for event in (*searched, placed):
        assert b"audit@acme.example" in event
        assert b"canary" not in event
        assert VLAD.encode() in event


def test_only_the_auditor_of_the_domain_searches_for_a_hold(holds: Holds) -> None:
    world = holds.world
    world.add_person("ivo@other.example", "Ivo", Role.AUDITOR)
    world.receive(MAIL)
    world.index()
    box = world.mailbox(VLAD).id
    for name in ("ivo", "vlad", "maria", "nora", "provider"):
        token = world.viewer(name).token
        for ask in (world.keys.count_found, world.keys.place_found):
            with pytest.raises(NotFound):
                ask(token, "192.0.2.7", WHY, box, "canary")
    with pytest.raises(NotFound):
        world.keys.count_found(Secret("x"), "192.0.2.7", WHY, box, "canary")
    assert world.events("hold.searched") == world.events("hold.placed") == []


def test_an_account_opens_and_searches_only_so_much_in_a_minute(holds: Holds) -> None:
    world = holds.world
    [shown] = world.receive(MAIL)
    entry_id, box = ids.read(shown), world.mailbox(VLAD).id
    world.index()
    hold = world.keys.place_hold(world.viewer("audit").token, "192.0.2.7", WHY, box)

    def often(ask: Callable[[Secret], object], most: int) -> None:
        for _ in range(most):
            ask(world.viewer("audit").token)  # a session each: it is the account that counts
        with pytest.raises(TooMany):
            ask(world.viewer("audit").token)

    often(lambda it: world.keys.open_held(it, "192.0.2.7", hold, [entry_id]), OPENS_PER_MINUTE)
    assert len(world.events("hold.opened")) == OPENS_PER_MINUTE
    words = (WHY, box, "canary")
    often(lambda it: world.keys.count_found(it, "192.0.2.7", *words), SEARCHES_PER_MINUTE)
    world.clock.moment += timedelta(minutes=1)
    assert world.keys.open_held(world.viewer("audit").token, "192.0.2.7", hold, [entry_id])
    many = [entry_id] * (OPENS_PER_MINUTE + 1)
    with pytest.raises(TooMany):
        world.keys.open_held(world.viewer("audit").token, "192.0.2.7", hold, many)
