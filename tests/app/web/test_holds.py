"""The pages of legal holds: the auditor acts, administrators look, the held person knows."""

import pytest

from app.web import create_app
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.app.web.hold_double import HoldDouble

HOLD = f"/admin/holds/{sample.entry_id(600)}"
AUDITOR, ADMIN, VLAD = "audit@acme.example", "maria@acme.example", "vlad@acme.example"


@pytest.fixture
def held(world: World) -> World:
    world.holds = HoldDouble()
    return world


def client(world: World, who: str) -> Client:
    return Client(create_app(world.services(), world.settings)).sign_in(who)


def test_an_auditor_places_a_mailbox_under_hold_and_releases_it(held: World) -> None:
    auditor = client(held, AUDITOR)
    assert "Matter 2026-7" in auditor.get("/admin/holds").text
    placed = auditor.post("/admin/holds/new", {"address": ADMIN, "reason": "Matter 8"})
    assert placed.status_code == 303
    listed = auditor.get("/admin/holds").text
    assert "maria@acme.example is under legal hold" in listed
    assert "Matter 8" in listed
    assert "key is destroyed" in auditor.get(f"{HOLD}/release").text
    assert auditor.post(f"{HOLD}/release", {"reason": ""}).status_code == 422
    assert auditor.post(f"{HOLD}/release", {"reason": "settled"}).status_code == 303
    assert "Matter 2026-7" not in auditor.get("/admin/holds").text


def test_what_cannot_be_held_is_said_beside_its_field(held: World) -> None:
    answer = client(held, AUDITOR).post(
        "/admin/holds/new", {"address": "x@other.example", "reason": "y"}
    )
    assert answer.status_code == 422
    assert "Nobody of your domain" in answer.text
    assert "x@other.example" in answer.text


SEARCH = {"address": VLAD, "words": "from:anna <b>offer</b>", "reason": "Matter 9"}


def test_a_search_is_counted_first_and_held_when_the_auditor_confirms(held: World) -> None:
    auditor = client(held, AUDITOR)
    counted = auditor.post("/admin/holds/new", SEARCH)
    assert counted.status_code == 200
    assert "Place 12 messages under hold?" in counted.text
    assert "from:anna &lt;b&gt;offer&lt;/b&gt;" in counted.text
    assert "Matter 9" not in auditor.get("/admin/holds").text
    changed = auditor.post("/admin/holds/found", {**SEARCH, "do": "change"}).text
    assert 'value="from:anna &lt;b&gt;offer&lt;/b&gt;"' in changed
    assert "12 messages" not in changed
    placed = auditor.post("/admin/holds/found", {**SEARCH, "do": "place"})
    assert placed.headers["location"] == "/admin/holds"
    listed = auditor.get("/admin/holds").text
    assert "What the search found in vlad@acme.example is under legal hold" in listed
    assert "Matter 9" in listed


@pytest.mark.parametrize("path", ["/admin/holds/new", "/admin/holds/found"])
def test_a_search_that_makes_no_sense_comes_back_with_what_was_typed(
    held: World, path: str
) -> None:
    answer = client(held, AUDITOR).post(path, {**SEARCH, "words": "befor:2026"})
    assert answer.status_code == 422
    assert 'value="befor:2026"' in answer.text
    assert "makes sense as a search" in answer.text


def test_who_opens_too_much_in_a_minute_is_told_to_wait(held: World) -> None:
    held.holds.empty_pace = True
    answer = client(held, AUDITOR).get(f"{HOLD}/{sample.entry_id(1)}")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert "too much for one minute" in answer.text


def test_held_mail_leaves_as_a_file_to_save(held: World) -> None:
    answer = client(held, AUDITOR).get(f"{HOLD}/{sample.entry_id(1)}")
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.content.startswith(b"Subject: held")


def test_an_administrator_sees_holds_and_nothing_to_act_with(held: World) -> None:
    admin = client(held, ADMIN)
    for path in ("/admin/holds", HOLD):
        text = admin.get(path).text
        assert "Matter 2026-7" in text
        assert "/release" not in text
        assert "Download original" not in text
    assert "Place under hold" not in admin.get("/admin/holds").text


def test_whose_mail_is_held_sees_it_and_not_why(held: World) -> None:
    vlad = client(held, VLAD)
    text = vlad.get("/settings").text
    assert "under a legal hold" in text
    assert "Matter" not in text
    sure = vlad.post("/mail/trash", {"do": "delete", "ids": sample.entry_id(21)}).text
    assert "under a legal hold" in sure
    assert "no other copy" not in sure
    assert "under a legal hold" not in client(held, ADMIN).get("/settings").text
