"""Conversations of a mailbox: in a list, opened as a page, and acted on as one."""

from datetime import timedelta

import pytest

from app.audit.kinds import Kind
from app.reading.conversations import MOST_OPENED, MOST_SHOWN
from app.reading.lists import PAGE_ROWS
from app.viewer import Viewer
from app.views import FolderPage, Outgoing
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.reading.mail import mail

MINUTE = timedelta(minutes=1)


def listed(world: World, viewer: Viewer, folder: str = "inbox", **how: object) -> FolderPage:
    page: FolderPage = world.reading.list_conversations(
        viewer,
        folder,
        **{"page": 1, "filter": "all", **how},  # type: ignore[arg-type]  # its own
    )
    return page


def receive(world: World, name: str, answers: str = "", *, at: int, **more: str) -> str:
    """A message of this name that came `at` minutes after an hour ago."""
    header = {"References": " ".join(f"<{one}@x>" for one in answers.split())} if answers else {}
    octets = mail(**header, **more).replace(b"<lunch@in.example>", f"<{name}@x>".encode())
    return world.receive(octets, at=world.clock() - 60 * MINUTE + at * MINUTE)[0]


def opened(world: World) -> int:
    return len(world.events(Kind.MESSAGE_OPENED))


def test_a_conversation_is_one_row_by_its_newest_message(any_world: World) -> None:
    world = any_world
    first = receive(world, "a", at=0, subject="Ramp", sender="Anna Lind <anna@x.example>")
    other = receive(world, "z", at=1, subject="Re: Ramp", sender="Zoe <zoe@x.example>")
    last = receive(world, "b", "a", at=2, subject="Re: Ramp", sender="Bo <bo@x.example>")
    world.index()
    viewer = world.viewer()
    world.reading.mark(viewer, [last], seen=True)
    world.reading.mark(viewer, [first], starred=True)
    page = listed(world, viewer)
    assert [row.id for row in page.rows] == [last, other], "the same subject joins nothing"
    row = page.rows[0]
    assert [face.name for face in row.faces] == ["Anna Lind", "Bo"]
    assert (row.count, row.seen, row.starred) == (2, False, True), "what is true of any of them"
    assert (page.total, page.unread) == (2, 2)
    flat = world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    assert [one.id for one in flat.rows] == [last, other, first]
    assert [one.id for one in listed(world, viewer, filter="starred").rows] == [last]
    assert [one.id for one in listed(world, viewer, "starred").rows] == [first]


def test_own_sent_mail_is_in_it_and_what_was_filed_too_but_not_the_trash(world: World) -> None:
    first = receive(world, "a", at=0)
    world.index()
    viewer = world.viewer()
    [me, *_] = world.sending.identities(viewer)
    answer = Outgoing(
        identity_id=me.id,
        to="hanna@in.example",
        cc="",
        bcc="",
        subject="Re: Lunch",
        text="Yes.",
        source_entry=first,
        source_kind="reply",
    )
    sent = world.sending.send(viewer, answer).entry_id
    world.index()
    [row] = listed(world, viewer).rows
    assert (row.id, row.count, row.answered) == (first, 2, True)
    assert [face.own for face in row.faces] == [False, True]
    [row] = listed(world, viewer, "sent").rows
    assert (row.id, row.count) == (sent, 2)
    talk = world.reading.open_conversation(viewer, "inbox", first)
    assert [one.id for one in talk.rows] == [first, sent]
    world.reading.move(viewer, [sent], "trash")
    assert listed(world, viewer).rows[0].count == 1
    assert [one.id for one in world.reading.open_conversation(viewer, "inbox", first).rows] == [
        first
    ]
    world.reading.move(viewer, [first], "archive")
    world.reading.restore(viewer, [sent])
    assert listed(world, viewer).rows == ()
    assert listed(world, viewer, "archive").rows[0].count == 2


def test_only_what_is_shown_open_is_an_access(world: World) -> None:
    names = [receive(world, str(n), "0" if n else "", at=n) for n in range(6)]
    world.index()
    viewer = world.viewer()
    world.reading.mark(viewer, [one for one in names if one != names[2]], seen=True)
    before = opened(world)
    talk = world.reading.open_conversation(viewer, "inbox", names[1])
    assert [row.id for row in talk.rows] == names, "oldest first"
    assert set(talk.opened) == {names[1], names[2], names[5]}, "asked for, unread, newest"
    assert opened(world) - before == 3
    assert all(row.seen for row in listed(world, viewer).rows)
    assert talk.position[:2] == (1, 1)


def test_what_is_opened_at_once_and_shown_at_all_is_bounded(world: World) -> None:
    [oldest, *_] = [receive(world, str(n), "0", at=0) for n in range(MOST_SHOWN + 3)]
    world.index()
    viewer = world.viewer()
    [row] = listed(world, viewer).rows
    assert row.count == MOST_SHOWN + 3
    talk = world.reading.open_conversation(viewer, "inbox", row.id)
    assert (len(talk.rows), talk.left_out) == (MOST_SHOWN, 3)
    assert len(talk.opened) == MOST_OPENED
    assert len(world.reading.whole(viewer, "inbox", [row.id])) == MOST_SHOWN + 3
    talk = world.reading.open_conversation(viewer, "inbox", oldest)
    assert (talk.rows[0].id, len(talk.rows), talk.left_out) == (oldest, MOST_SHOWN + 1, 2)


def test_a_deed_is_done_to_all_of_it_in_that_folder_that_could_be_seen(any_world: World) -> None:
    world = any_world
    first = receive(world, "a", at=0)
    filed = receive(world, "b", "a", at=1)
    second = receive(world, "c", "b", at=2)
    other = receive(world, "z", at=3)
    world.index()
    viewer = world.viewer()
    world.reading.move(viewer, [filed], "archive")
    row = listed(world, viewer).rows[1]
    assert row.id == second
    later = receive(world, "d", "a", at=4)
    world.index()
    whole = world.reading.whole
    assert set(whole(viewer, "inbox", [row.id])) == {first, second}, "not what came since"
    assert set(whole(viewer, "inbox", [later, other])) == {first, second, later, other}
    assert set(whole(viewer, "inbox", [second, later])) == {first, second, later}
    assert set(whole(viewer, "archive", [filed])) == {filed}
    for theirs in (world.viewer("maria"), world.viewer("nora")):
        with pytest.raises(NotFound):
            whole(theirs, "inbox", [first])
        with pytest.raises(NotFound):
            world.reading.open_conversation(theirs, "inbox", first)


def test_pages_and_places_count_conversations(world: World) -> None:
    for n in range(PAGE_ROWS + 1):
        receive(world, f"{n}", at=n // 2)
        receive(world, f"re{n}", str(n), at=n // 2)
    world.index()
    viewer = world.viewer()
    pages = [listed(world, viewer, page=number) for number in (1, 2)]
    assert [(page.total, page.pages, len(page.rows)) for page in pages] == [
        (PAGE_ROWS + 1, 2, PAGE_ROWS),
        (PAGE_ROWS + 1, 2, 1),
    ]
    [*_, above, last] = [row.id for page in pages for row in page.rows]
    position = world.reading.open_conversation(viewer, "inbox", last).position
    assert position == (PAGE_ROWS + 1, PAGE_ROWS + 1, above, None)


def test_new_and_deleted_mail_is_heard_of_and_what_has_no_summary_is_alone(world: World) -> None:
    first = receive(world, "a", at=0)
    world.index()
    viewer = world.viewer()
    assert [row.count for row in listed(world, viewer).rows] == [1]
    second = receive(world, "b", "a", at=1)
    assert [row.id for row in listed(world, viewer).rows] == [second, first]
    world.index()
    assert [(row.id, row.count) for row in listed(world, viewer).rows] == [(second, 2)]
    world.reading.delete(viewer, [second])
    world.reading.delete(viewer, [second])
    assert [(row.id, row.count) for row in listed(world, viewer).rows] == [(first, 1)]
    world.reading.forget(viewer.session_id)
    assert [row.id for row in listed(world, viewer).rows] == [first]


def test_a_conversation_ends_with_its_days(world: World) -> None:
    old = world.receive(mail(subject="Old"), at=world.clock() - timedelta(days=6))[0]
    new = world.receive(mail(subject="Re: Old", References="<lunch@in.example>"))[0]
    world.index()
    viewer = world.viewer()
    assert listed(world, viewer).rows[0].count == 2
    world.clock.moment += timedelta(days=1, minutes=1)
    viewer = world.viewer()
    [row] = listed(world, viewer).rows
    assert (row.id, row.count) == (new, 1)
    with pytest.raises(NotFound):
        world.reading.open_conversation(viewer, "inbox", old)
