"""A check of the store opens what is under a legal hold, wherever it lies."""

from collections.abc import Iterator

import pytest

from tests.app.conftest import World
from tests.app.fsck.conftest import checked
from tests.app.keys.test_holding import MAIL, VLAD, Holds, holding


def with_mail(holds: Holds) -> Holds:
    for _ in range(2):
        holds.world.receive(MAIL)
    holds.desk.hold_mailbox(VLAD)
    return holds


@pytest.fixture
def holds(world: World) -> Iterator[Holds]:
    yield from map(with_mail, holding(world))


@pytest.fixture
def any_holds(any_world: World) -> Iterator[Holds]:
    yield from map(with_mail, holding(any_world))


def test_held_mail_is_opened_in_its_day_and_after_it(any_holds: Holds) -> None:
    found = checked(any_holds.world)
    assert (found.held, found.problems) == (2, [])
    any_holds.sweep(any_holds.over())
    found = checked(any_holds.world)
    assert (found.messages, found.held, found.problems) == (0, 2, [])


def test_a_damaged_octet_of_held_mail_is_found(holds: Holds) -> None:
    holds.sweep(holds.over())
    [path] = holds.world.config.objects_dir.rglob("*.seg")
    octets = bytearray(path.read_bytes())
    octets[-1] ^= 1
    path.write_bytes(octets)
    assert checked(holds.world).wrong == {"messages under a legal hold": 1}


def test_without_its_key_held_mail_is_named(holds: Holds) -> None:
    holds.world.agent.keyring.holds = {}
    assert checked(holds.world).wrong == {"messages under a legal hold": 2}
