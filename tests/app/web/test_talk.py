"""Conversations: the list with a row for each, one as a page, and deeds for all of one."""

import pytest

from app.views import Face
from app.web.showing import faces
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.app.web.test_mailbox import ROW, folder_of, ids, links

SENT, TOMAS, HANNA = 20, 4, 1  # the sample's conversation, oldest first


@pytest.fixture
def grouped(vlad: Client) -> Client:
    look = {"theme": "dark", "density": "compact", "view": "conversations"}
    vlad.post("/settings/look", look)
    assert vlad.cookies["look"] == "dark.compact..conversations.right..delete.on.off"
    return vlad


def opened(world: World) -> list[object]:
    return [what for call, what in world.reading.calls if call == "open_message"]


def test_a_conversation_is_one_row_with_its_people(grouped: Client, vlad: Client) -> None:
    page = grouped.get("/mail/inbox").text
    assert f"/mail/inbox/{sample.entry_id(HANNA)}" in links(page)
    assert f"/mail/inbox/{sample.entry_id(TOMAS)}" not in links(page)
    row = next(found[0] for found in ROW.finditer(page) if sample.entry_id(HANNA) in found[1])
    assert "me, Tomás, Hanna" in row
    assert '<span class="row-count">3<span class="sr"> messages</span></span>' in row
    for folder in ("drafts", "trash"):
        assert 'name="whole"' not in vlad.get(f"/mail/{folder}").text, "a row for each thing there"


def test_its_page_opens_the_newest_and_folds_what_was_read(grouped: Client, world: World) -> None:
    page = grouped.get(f"/mail/inbox/{sample.entry_id(HANNA)}").text
    assert opened(world) == [sample.entry_id(HANNA)]
    order = [page.index(f'id="m-{one}"') for one in ids(SENT, TOMAS, HANNA)]
    assert order == sorted(order)
    assert page.count("<iframe") == 1
    for folded in ids(SENT, TOMAS):
        assert f'data-fold="/mail/inbox/{folded}/card"' in page
        assert f'<a class="btn" href="/mail/inbox/{folded}">Open this message</a>' in page
    assert f'action="/mail/inbox/{sample.entry_id(HANNA)}"' in page
    assert page.count('name="whole"') == 2, "in the list and beside the message"


def test_a_folded_one_is_opened_by_itself_and_only_then(grouped: Client, world: World) -> None:
    answer = grouped.get(f"/mail/inbox/{sample.entry_id(TOMAS)}/card")
    assert answer.status_code == 200
    assert answer.text.count("<article") == answer.text.count("<iframe") == 1
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert opened(world) == [sample.entry_id(TOMAS)]
    assert grouped.get(f"/mail/inbox/{sample.entry_id(99)}/card").status_code == 404


def test_the_page_of_an_older_one_has_both_open(grouped: Client, world: World) -> None:
    page = grouped.get(f"/mail/inbox/{sample.entry_id(TOMAS)}").text
    assert set(opened(world)) == set(ids(TOMAS, HANNA))
    assert page.count("<iframe") == 2
    assert f"/compose/reply/{sample.entry_id(HANNA)}" in page, "an answer is to the last one"


def test_a_deed_is_for_all_of_it_in_that_folder(grouped: Client, world: World) -> None:
    fields = {"do": "archive", "ids": sample.entry_id(HANNA), "whole": "yes"}
    assert grouped.post("/mail/inbox", fields).status_code == 303
    assert [folder_of(world, n) for n in (HANNA, TOMAS, SENT)] == ["archive", "archive", "sent"]
    undo = grouped.get("/mail/inbox").text
    assert all(f'name="ids" value="{one}"' in undo for one in ids(HANNA, TOMAS))
    grouped.post("/mail/inbox", {"do": "inbox", "ids": sample.entry_id(HANNA)})
    assert [folder_of(world, n) for n in (HANNA, TOMAS)] == ["inbox", "archive"], "as it is asked"
    grouped.post(f"/mail/inbox/{sample.entry_id(HANNA)}", {"do": "delete", "whole": "yes"})
    assert [folder_of(world, n) for n in (HANNA, TOMAS)] == ["trash", "archive"]


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ("Anna Lind <a@x>, me", "Anna, me"),
        ("me, Anna Lind <a@x>, me", "me, Anna"),
        ("Anna Lind <a@x>, Anna Lind <A@X>", "Anna Lind"),
        ("me, me", "me"),
        ("Berg, Hanna <h@x>; <b@x>", "Berg, Hanna, b@x"),
        ("Dr. No <d@x>; Q <q@x>", "Dr. No, Q"),
        ("boss@bank.example <x@y>; Q <q@x>", "x@y, Q"),
    ],
)
def test_people_are_named_once_and_nobody_poses(people: str, said: str) -> None:
    found = []
    for one in people.split("; " if ";" in people else ", "):
        name, _, address = one.removesuffix(">").rpartition("<")
        found.append(Face(name.strip(), address, one == "me"))
    assert faces(found, "me") == said
