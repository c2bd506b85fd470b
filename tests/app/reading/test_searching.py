"""Searching one's own mail."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import update

from app.reading import finding
from app.reading.finding import Window
from app.reading.words import IDLE, WordShelves
from archive_store.models import EntryIndex
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import ATTACHED, PLAIN, mail

FOUND = {
    "noon": {"lunch"},
    "NOON lunch": {"lunch"},
    "noon offer": set(),
    "from:hanna": {"lunch", "offer", "umlaut"},
    "to:sales": {"offer"},
    "has:attachment": {"offer"},
    "filename:angebot": {"offer"},
    "strasse": {"umlaut"},
    "subject:gruße -lunch": {"umlaut"},
    "is:unread lunch OR offer": {"lunch", "offer"},
    "(to:sales OR subject:gruße) -lunch": {"offer", "umlaut"},
    "to:ownwebnow": set(),
    "from:(hanna) has:attachment": {"offer"},
    '""': set(),
}


def test_what_is_found(any_world: World) -> None:
    given = {
        "lunch": any_world.receive(PLAIN)[0],
        "offer": any_world.receive(ATTACHED, "sales@acme.example")[0],
        "umlaut": any_world.receive(mail(subject="Grüße", text="Schöne Straße\n"))[0],
        "hers": any_world.receive(PLAIN, "maria@acme.example")[0],
    }
    any_world.index()
    viewer = any_world.viewer()
    for words, expected in FOUND.items():
        found = any_world.reading.search(viewer, words, 1).page
        assert {row.id for row in found.rows} == {given[name] for name in expected}, words
        assert found.total == len(expected)


def test_a_search_is_on_the_record_without_its_words(world: World) -> None:
    world.receive(PLAIN)
    world.index()
    page = world.reading.search(world.viewer(), "from:hanna nonexistent:x", 1)
    assert [(chip.name, chip.value) for chip in page.chips] == [
        ("from", "hanna"),
        ("", "nonexistent:x"),
    ]
    [event] = world.events("mailbox.searched")
    assert b"hanna" not in event
    assert b'"found":0' in event


def test_the_trash_is_searched_only_when_asked_for(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    world.index()
    viewer = world.viewer()
    world.reading.delete(viewer, [entry_id])
    assert world.reading.search(viewer, "noon", 1).page.total == 0
    assert world.reading.search(viewer, "noon in:trash", 1).page.total == 1
    assert world.reading.search(viewer, "noon in:anywhere", 1).page.total == 1
    assert world.reading.search(viewer, "noon in:sent", 1).page.total == 0


def test_results_come_in_pages(world: World) -> None:
    for n in range(53):
        world.receive(mail(subject=f"Number {n}"))
    world.index()
    viewer = world.viewer()
    first = world.reading.search(viewer, "number", 1).page
    second = world.reading.search(viewer, "number", 2).page
    assert (first.total, first.pages, len(first.rows), len(second.rows)) == (53, 2, 50, 3)
    assert first.rows[0].subject == "Number 52"


def test_the_row_shows_the_text_around_the_hit(world: World) -> None:
    text = "A long beginning. " * 20 + "Schöne Straße am See. " + "And on it goes. " * 20
    world.receive(mail(text=text))
    world.index()
    viewer = world.viewer()
    [row] = world.reading.search(viewer, "strasse", 1).page.rows
    assert "… " in row.preview
    assert "Schöne Straße am See." in row.preview
    for words in ("lunch", "beginning", "is:unread"):  # the row shows it anyway
        [row] = world.reading.search(viewer, words, 1).page.rows
        assert row.preview.startswith("A long beginning.")


def test_what_makes_no_sense_is_told_and_what_is_marked(world: World) -> None:
    page = world.reading.search(world.viewer(), "before:never Größe", 1)
    assert [problem.kind for problem in page.problems] == ["day"]
    assert page.needles == ("before:never", "grosse")


def test_days_are_those_of_the_reader(world: World) -> None:
    evening = (world.clock() - timedelta(days=1)).replace(hour=23, minute=30)
    world.receive(PLAIN, at=evening)
    world.index()
    viewer = world.viewer()
    berlin = ZoneInfo("Europe/Berlin")  # where it came after midnight
    following = (evening + timedelta(days=1)).date()
    assert world.reading.search(viewer, f"on:{following}", 1).page.total == 0
    assert world.reading.search(viewer, f"on:{following}", 1, berlin).page.total == 1


def test_words_are_opened_once_in_a_session_and_forgotten_with_it(world: World) -> None:
    world.receive(PLAIN)
    world.index()
    viewer = world.viewer()
    assert world.reading.search(viewer, "noon", 1).page.total == 1
    with world.db.write() as tx:
        tx.execute(update(EntryIndex).values(words=b"gone"))
    assert world.reading.search(viewer, "noon", 1).page.total == 1
    world.reading.forget(viewer.session_id)
    assert world.reading.search(viewer, "noon", 1).page.total == 0


def test_what_is_deleted_is_gone_from_memory(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    world.index()
    first, second = world.viewer(), world.viewer()
    for viewer in (first, second):
        assert world.reading.search(viewer, "noon", 1).page.total == 1
    held = world.reading._words
    assert held.octets()
    world.reading.delete(first, [entry_id])
    world.reading.delete(first, [entry_id])
    assert not held.octets()
    assert not any(shelf.by_day[day] for shelf in held._shelves.values() for day in shelf.by_day)


def test_words_past_their_days_or_unused_are_dropped(world: World) -> None:
    world.receive(PLAIN)
    world.index()
    viewer = world.viewer()
    held = world.reading._words
    for later in (IDLE, KEEP + timedelta(days=1)):
        world.reading.search(viewer, "noon", 1)
        assert held.octets()
        now = world.clock() + later
        held.prune(now, (world.clock() if later is IDLE else now) - KEEP)
        assert not held.octets()


def test_the_memory_for_words_is_bounded(world: World) -> None:
    for n in range(6):
        world.receive(mail(subject=f"Number {n}", text="x" * 200))
    world.index()
    held = WordShelves(most=700)
    viewers = [world.viewer() for _ in range(2)]
    for viewer in viewers * 2:
        with world.db.read() as tx:
            now = world.clock()
            lines = finding.lines(tx, *Window.of(viewer, now, KEEP).conditions)
            sealers = partial(world.reading._shelves.sealers, viewer)
            found = held.words(tx, viewer.session_id, lines, sealers, now)
        assert len(found) == 6
        assert 0 < held.octets() <= 700
