"""Folders as lists, what hides an entry, and the side bar."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.keys.client import KeysClient
from app.reading.lists import PAGE_ROWS
from archive_store import ids
from archive_store.errors import NotFound
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import ATTACHED, PLAIN, mail

MICROSECOND = timedelta(microseconds=1)


def test_a_list_has_sender_subject_and_the_address_it_was_sent_to(any_world: World) -> None:
    [entry_id] = any_world.receive(ATTACHED, "sales@acme.example")
    any_world.index()
    viewer = any_world.viewer()
    page = any_world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    assert (page.total, page.unread, page.page, page.pages) == (1, 1, 1, 1)
    [row] = page.rows
    assert (row.id, row.sender_name, row.sender_address) == (
        entry_id,
        "Hanna Berg",
        "hanna@in.example",
    )
    assert row.subject == "The offer"
    assert row.sent_to == "sales@acme.example"
    assert row.has_attachments
    assert not row.seen
    assert row.only_here, "the primary has not got it"


def test_what_is_not_indexed_yet_is_listed(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    [row] = world.reading.list_folder(world.viewer(), "inbox", page=1, filter="all").rows
    assert row.id == entry_id
    assert row.subject
    assert not row.unreadable
    world.index()
    [row] = world.reading.list_folder(world.viewer(), "inbox", page=1, filter="all").rows
    assert row.subject == "Lunch"


def test_newest_first_and_fifty_to_a_page(world: World) -> None:
    now = world.clock()
    given = [
        world.receive(mail(subject=f"No. {n}"), at=now - timedelta(minutes=n))[0]
        for n in range(PAGE_ROWS + 3)
    ]
    world.index()
    viewer = world.viewer()
    first = world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    second = world.reading.list_folder(viewer, "inbox", page=2, filter="all")
    beyond = world.reading.list_folder(viewer, "inbox", page=99, filter="all")
    assert [row.id for row in (*first.rows, *second.rows)] == given
    assert (first.total, first.pages, len(second.rows)) == (PAGE_ROWS + 3, 2, 3)
    assert beyond == second


def test_an_entry_is_hidden_exactly_seven_days_after_it_came(any_world: World) -> None:
    received_at = any_world.clock()
    [entry_id] = any_world.receive(PLAIN, at=received_at)
    any_world.index()
    reading = any_world.reading
    any_world.clock.moment = received_at + KEEP - MICROSECOND
    viewer = any_world.viewer()
    assert reading.list_folder(viewer, "inbox", page=1, filter="all").total == 1
    assert reading.open_message(viewer, entry_id).leaves_on == received_at + KEEP
    any_world.clock.moment = received_at + KEEP
    assert reading.list_folder(viewer, "inbox", page=1, filter="all").rows == ()
    assert sum(reading.counts(viewer).folders.values()) == 0
    assert reading.search(viewer, "lunch", 1).page.total == 0
    for use in (
        lambda: reading.open_message(viewer, entry_id),
        lambda: reading.body_html(viewer, entry_id),
        lambda: reading.original(viewer, entry_id),
        lambda: reading.delete(viewer, [entry_id]),
    ):
        with pytest.raises(NotFound):
            use()


def test_filters(world: World) -> None:
    [seen] = world.receive(mail(subject="Seen"))
    [starred] = world.receive(mail(subject="Starred"))
    [attached] = world.receive(ATTACHED)
    world.index()
    viewer, reading = world.viewer(), world.reading
    reading.mark(viewer, [seen], seen=True)
    reading.mark(viewer, [starred], starred=True)

    def found(filter: str, folder: str = "inbox") -> set[str]:
        page = reading.list_folder(viewer, folder, page=1, filter=filter)  # type: ignore[arg-type]  # a literal
        return {row.id for row in page.rows}

    assert found("unread") == {starred, attached}
    assert found("starred") == {starred}
    assert found("attachments") == {attached}
    assert found("all", "starred") == {starred}
    reading.delete(viewer, [starred])
    assert found("all", "starred") == set()


def test_what_was_sent_to_one_identity(world: World) -> None:
    world.receive(PLAIN)
    [to_sales] = world.receive(ATTACHED, "Sales@ACME.example")
    world.index()
    viewer = world.viewer()
    page = world.reading.list_folder(viewer, "inbox", page=1, filter="all", to="sales@acme.example")
    assert [row.id for row in page.rows] == [to_sales]
    assert (page.total, page.unread) == (1, 1)


def test_the_side_bar_counts_unread_and_days(any_world: World) -> None:
    world = any_world
    world.receive(PLAIN)
    world.receive(PLAIN)
    [read] = world.receive(ATTACHED, "sales@acme.example")
    world.receive(ATTACHED, "sales@acme.example")
    world.index()
    viewer = world.viewer()
    world.reading.mark(viewer, [read], seen=True, starred=True)
    sidebar = world.reading.counts(viewer)
    assert sidebar.folders["inbox"] == 3
    assert sidebar.folders["starred"] == 0
    assert sidebar.identities == (
        ("vlad@acme.example", 2),
        ("sales@acme.example", 1),
        ("vlad@ownwebnow.example", 0),
    )
    days = [day for day, _ in sidebar.week]
    assert len(days) == 7
    assert days == sorted(days)
    assert [count for _, count in sidebar.week] == [0] * 6 + [4]


def test_somebody_elses_list_is_empty_and_nobody_without_mailbox_has_one(world: World) -> None:
    world.receive(PLAIN)
    world.index()
    page = world.reading.list_folder(world.viewer("maria"), "inbox", page=1, filter="all")
    assert page.rows == ()
    with pytest.raises(NotFound):
        world.reading.list_folder(world.viewer("provider"), "inbox", page=1, filter="all")
    with pytest.raises(NotFound):
        world.reading.list_folder(world.viewer(), "basement", page=1, filter="all")


def test_a_list_is_opened_once_and_forgotten_at_the_end_of_the_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    ask = KeysClient.summary_keys

    def counted(self: KeysClient, *arguments: object) -> object:
        asked.append("asked")
        return ask(self, *arguments)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(KeysClient, "summary_keys", counted)
    world.receive(PLAIN)
    world.index()
    viewer = world.viewer()
    for _ in range(3):
        world.reading.list_folder(viewer, "inbox", page=1, filter="all")
        world.reading.counts(viewer)
    assert len(asked) == 1
    world.reading.forget(viewer.session_id)
    world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    assert len(asked) == 2


def test_a_summary_that_does_not_open_hides_nothing_else(world: World) -> None:
    [broken] = world.receive(mail(subject="Broken"))
    [whole] = world.receive(mail(subject="Whole"))
    world.index()
    seq = world.entry(broken).seq
    with world.db.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE entry_index SET summary = zeroblob(400) WHERE entry_seq = ?", (seq,)
        )
    page = world.reading.list_folder(world.viewer(), "inbox", page=1, filter="all")
    rows = {row.id: row for row in page.rows}
    assert rows[broken].unreadable
    assert rows[whole].subject == "Whole"
    assert ids.read(broken) != ids.read(whole)


def test_the_counts_of_a_mailbox_look_at_no_row(world: World) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.append((statement, parameters))

    viewer = world.viewer()
    event.listen(world.db.engine, "before_cursor_execute", note)
    world.reading.counts(viewer)
    world.reading.list_folder(viewer, "inbox", page=1, filter="unread")
    event.remove(world.db.engine, "before_cursor_execute", note)
    counts = [one for one in asked if "count(*)" in one[0]]
    assert len(counts) >= 3
    with world.db.engine.connect() as connection:
        for statement, parameters in counts:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            assert "COVERING INDEX ix_entry_mailbox_folder" in str(plan.all()), statement
