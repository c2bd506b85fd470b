"""Outages on the pages: of the own domain, and of no other."""

import pytest

from app.admin.outage_desk import OutageDesk, OutageParts
from app.views import BadEntry
from archive_store import ids
from archive_store.errors import NotFound
from tests.app.conftest import World


@pytest.fixture
def desk(any_world: World) -> OutageDesk:
    return OutageDesk(OutageParts(db=any_world.db, now=any_world.clock))


def test_an_administrator_opens_and_closes_an_outage(any_world: World, desk: OutageDesk) -> None:
    acme, maria = ids.show(any_world.acme.id), any_world.viewer("maria")
    with pytest.raises(BadEntry):
        desk.open(maria, acme, "", False)
    desk.open(maria, acme, "the disk", True)
    found = desk.page(any_world.viewer("provider"), acme)
    assert found.now is not None
    assert (found.now.state, found.now.opened_by) == ("declared", "maria@acme.example")
    assert found.now.keeps_mail
    desk.close(maria, acme, "done")
    found = desk.page(maria, acme)
    assert found.now is None
    assert [(one.opened_why, one.closed_why) for one in found.lines] == [("the disk", "done")]


@pytest.mark.parametrize("who", ["vlad", "audit", "nora"])
def test_others_see_nothing_and_have_no_word(any_world: World, desk: OutageDesk, who: str) -> None:
    acme, viewer = ids.show(any_world.acme.id), any_world.viewer(who)
    with pytest.raises(NotFound):
        desk.page(viewer, acme)
    with pytest.raises(NotFound):
        desk.open(viewer, acme, "x", False)
    with pytest.raises(NotFound):
        desk.close(viewer, acme, "x")
    assert desk.page(any_world.viewer("maria"), acme).lines == ()
