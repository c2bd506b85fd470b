"""Legal holds on the pages: who sees them, who acts, and that another's look like none."""

from collections.abc import Iterator

import pytest

from app.admin.hold_service import HoldParts, Holds
from app.admin_views import FoundToHold
from app.viewer import Role
from app.views import BadEntry
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.keys.test_holding import MAIL, VLAD, WHY, holding
from tests.app.keys.test_holding import Holds as Placed


@pytest.fixture
def placed(any_world: World) -> Iterator[Placed]:
    yield from holding(any_world)


def test_the_auditor_acts_the_others_look_and_strangers_find_nothing(placed: Placed) -> None:
    world = placed.world
    holds = Holds(HoldParts(db=world.db, keys=world.keys, reader=placed.reader, now=world.clock))
    world.add_person("ivo@other.example", "Ivo", Role.AUDITOR)
    auditor, ivo = world.viewer("audit"), world.viewer("ivo")
    [entry] = world.receive(MAIL)
    assert holds.held_since(world.viewer("vlad")) is None
    hold = holds.place(auditor, VLAD, WHY)
    assert holds.original(auditor, hold, entry) == MAIL

    for name in ("audit", "maria", "provider"):
        viewer = world.viewer(name)
        [line] = holds.list_holds(viewer)
        assert (line.id, line.address, line.reason) == (hold, VLAD, WHY)
        [row] = holds.hold(viewer, hold).rows
        assert (row.id, row.address) == (entry, VLAD)
    for name in ("maria", "provider", "vlad", "nora"):
        for act in (holds.place, holds.release, holds.original):
            with pytest.raises(NotFound):
                act(world.viewer(name), hold, WHY)
    assert holds.list_holds(ivo) == ()
    with pytest.raises(NotFound):
        holds.hold(ivo, hold)
    with pytest.raises(NotFound):
        holds.release(ivo, hold, WHY)
    with pytest.raises(NotFound):
        holds.original(ivo, hold, entry)
    with pytest.raises(BadEntry):
        holds.place(ivo, VLAD, WHY)

    world.index()
    for name in ("maria", "provider", "vlad", "nora"):
        for ask in (holds.count_found, holds.place_found):
            with pytest.raises(NotFound):
                ask(world.viewer(name), VLAD, "canary", WHY)
    for ask in (holds.count_found, holds.place_found):
        with pytest.raises(BadEntry):
            ask(ivo, VLAD, "canary", WHY)
        for words in (" ", "after:yesterdy"):
            with pytest.raises(BadEntry):
                ask(auditor, VLAD, words, WHY)
        with pytest.raises(BadEntry):
            ask(auditor, VLAD, "canary", " ")
    with pytest.raises(BadEntry):
        holds.count_found(auditor, VLAD, "cardinal", WHY)
    assert holds.count_found(auditor, VLAD, "canary", WHY) == FoundToHold(
        messages=1, octets=len(MAIL)
    )
    found = holds.place_found(auditor, VLAD, "canary", WHY)
    assert holds.original(auditor, found, entry) == MAIL
    holds.release(auditor, found, "settled")

    assert holds.held_since(world.viewer("vlad")) == line.placed_at
    assert holds.held_since(world.viewer("maria")) is None
    with pytest.raises(BadEntry):
        holds.release(auditor, hold, " ")
    holds.release(auditor, hold, "settled")
    assert holds.held_since(world.viewer("vlad")) is None
    assert holds.list_holds(auditor) == ()
