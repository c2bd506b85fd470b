"""What is kept in memory of a live session, and for how long."""

from datetime import date, datetime, timedelta

import pytest

from app.reading import finding
from app.reading.finding import EntryLine, Window
from app.reading.shelf import IDLE, Shelves
from app.secret import Secret
from app.viewer import Viewer
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import PLAIN

SECOND = timedelta(seconds=1)


class Keys:
    """The keys role, counted."""

    def __init__(self, world: World) -> None:
        self.asked = 0
        self._world = world

    def summary_keys(self, token: Secret) -> dict[date, bytes]:
        self.asked += 1
        return self._world.keys.summary_keys(token)


@pytest.fixture
def stocked(world: World) -> World:
    for _ in range(3):
        world.receive(PLAIN)
    world.index()
    return world


def lines(world: World, viewer: Viewer, now: datetime) -> list[EntryLine]:
    with world.db.read() as tx:
        return finding.lines(tx, *Window.of(viewer, now, KEEP).conditions)


def look(world: World, shelves: Shelves, viewer: Viewer, now: datetime) -> int:
    found = lines(world, viewer, now)
    with world.db.read() as tx:
        return len(shelves.summaries(tx, viewer, found, now))


def test_sessions_have_shelves_of_their_own_that_end_with_them(stocked: World) -> None:
    keys = Keys(stocked)
    shelves = Shelves(keys, stocked.public.installation)
    now, first, second = stocked.clock(), stocked.viewer(), stocked.viewer()
    assert [look(stocked, shelves, viewer, now) for viewer in (first, first, second)] == [3] * 3
    assert keys.asked == 2
    shelves.forget(first.session_id)
    look(stocked, shelves, second, now)
    assert keys.asked == 2
    look(stocked, shelves, first, now)
    assert keys.asked == 3


def test_a_shelf_that_nobody_uses_is_dropped(stocked: World) -> None:
    keys = Keys(stocked)
    shelves = Shelves(keys, stocked.public.installation)
    now, viewer = stocked.clock(), stocked.viewer()
    look(stocked, shelves, viewer, now)
    shelves.prune(now + IDLE - SECOND, now - KEEP)
    look(stocked, shelves, viewer, now)
    assert keys.asked == 1
    shelves.prune(now + IDLE, now - KEEP)
    look(stocked, shelves, viewer, now)
    assert keys.asked == 2


def test_days_that_are_over_are_dropped(stocked: World) -> None:
    keys = Keys(stocked)
    shelves = Shelves(keys, stocked.public.installation)
    now, viewer = stocked.clock(), stocked.viewer()
    look(stocked, shelves, viewer, now)
    shelves.prune(now, now + timedelta(days=1))
    look(stocked, shelves, viewer, now)
    assert keys.asked == 2


def test_room_is_made_at_the_shelf_used_longest_ago(stocked: World) -> None:
    keys = Keys(stocked)
    shelves = Shelves(keys, stocked.public.installation, most=4)
    now, first, second = stocked.clock(), stocked.viewer(), stocked.viewer()
    look(stocked, shelves, first, now)
    look(stocked, shelves, second, now)
    look(stocked, shelves, second, now)
    assert keys.asked == 2
    look(stocked, shelves, first, now)
    assert keys.asked == 3


def test_what_was_deleted_is_dropped_everywhere(stocked: World) -> None:
    keys = Keys(stocked)
    shelves = Shelves(keys, stocked.public.installation)
    now, viewer = stocked.clock(), stocked.viewer()
    look(stocked, shelves, viewer, now)
    gone = lines(stocked, viewer, now)[0]
    shelves.drop([gone.seq])
    look(stocked, shelves, viewer, now)
    assert keys.asked == 2
