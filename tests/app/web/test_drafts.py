"""Drafts by their pages: saved as typed, gone on with, put away, and gone when they are sent."""

import html
import re

from app.views import Outgoing
from archive_store.errors import StoreBusy
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

JSON = {"Accept": "application/json"}
FIELDS = {
    "from": "i1",
    "to": "Hanna <hanna@in.exam",
    "cc": "lee@kung.example",
    "bcc": "boss@acme.example",
    "subject": "Half a <thought>",
    "message": "Dear Hanna,\r\n\r\nas",
    "kind": "reply",
    "source": sample.entry_id(1),
}


def save(client: Client, **more: str) -> dict[str, object]:
    answer = client.post("/compose/draft", {**FIELDS, **more}, headers=JSON)
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


def test_a_draft_is_kept_as_it_was_typed(world: World, vlad: Client) -> None:
    saved = save(vlad)
    assert saved["alone"] is True
    assert world.drafts.kept == {
        saved["id"]: Outgoing(
            identity_id="i1",
            to="Hanna <hanna@in.exam",
            cc="lee@kung.example",
            bcc="boss@acme.example",
            subject="Half a <thought>",
            text="Dear Hanna,\n\nas",
            source_entry=sample.entry_id(1),
            source_kind="reply",
        )
    }
    page = vlad.get(str(saved["path"])).text
    assert f'name="draft" value="{saved["id"]}"' in page
    assert 'value="Hanna &lt;hanna@in.exam"' in page
    assert "boss@acme.example" in page
    assert f'action="/compose/reply/{sample.entry_id(1)}"' in page
    assert re.search(r'value="i1" selected', page)
    assert "Dear Hanna,\n\nas</textarea>" in html.unescape(page)


def test_the_list_of_drafts_leads_on_to_writing(vlad: Client) -> None:
    saved = save(vlad)
    assert 'class="nav-count">1<' in vlad.get("/mail/inbox").text
    page = vlad.get("/mail/drafts").text
    assert "Half a &lt;thought&gt;" in page
    assert 'value="inbox"' not in page  # no draft can be filed as mail
    answer = vlad.get(f"/mail/drafts/{saved['id']}")
    assert (answer.status_code, answer.headers["location"]) == (303, saved["path"])


def test_saving_without_a_script_leads_back_and_says_so(vlad: Client) -> None:
    answer = vlad.post("/compose/draft", FIELDS)
    assert answer.status_code == 303
    page = vlad.get(answer.headers["location"]).text
    assert "The draft is saved." in page
    first = answer.headers["location"].rpartition("/")[2]
    vlad.post("/compose/draft", {**FIELDS, "draft": first})
    again = vlad.post("/compose/draft", {**FIELDS, "draft": first})
    assert "also changed or sent on another device" in vlad.get(again.headers["location"]).text


def test_sending_ends_the_draft_and_a_mistake_does_not(world: World, vlad: Client) -> None:
    saved = save(vlad, kind="new", source="")
    form = {**FIELDS, "draft": saved["id"], "to": ""}
    answer = vlad.post("/compose/new", form)
    assert answer.status_code == 422
    assert f'name="draft" value="{saved["id"]}"' in answer.text
    assert list(world.drafts.kept) == [saved["id"]]
    assert vlad.post("/compose/new", {**form, "to": "hanna@in.example"}).status_code == 303
    assert world.drafts.kept == {}
    assert len(world.sending.sent) == 1


def test_what_is_put_away_can_be_put_back(world: World, vlad: Client) -> None:
    saved = save(vlad)
    answer = vlad.post("/compose/discard", {"draft": saved["id"]})
    assert (answer.status_code, answer.headers["location"]) == (303, "/mail/inbox")
    page = vlad.get("/mail/inbox").text
    assert "The draft is in the trash." in page
    assert f'name="ids" value="{saved["id"]}"' in page
    assert 'name="do" value="restore"' in page
    # Put away on another device, or never saved: nothing is left to do.
    assert vlad.post("/compose/discard", {"draft": sample.entry_id(999)}).status_code == 303
    assert vlad.post("/compose/discard", {"draft": ""}).status_code == 303


def test_a_draft_whose_mail_has_left_keeps_its_words(world: World, vlad: Client) -> None:
    saved = save(vlad, source=sample.entry_id(999))
    page = vlad.get(str(saved["path"])).text
    assert 'action="/compose/new"' in page
    assert "Half a &lt;thought&gt;" in page


def test_a_store_that_cannot_save_says_so(world: World, vlad: Client) -> None:
    world.drafts.fails = StoreBusy("locked")
    assert vlad.post("/compose/draft", FIELDS, headers=JSON).status_code == 503


def test_a_kind_or_a_file_that_does_not_exist_is_no_failure(world: World, vlad: Client) -> None:
    saved = save(vlad, kind="explode", keep="-1")
    draft = world.drafts.kept[str(saved["id"])]
    assert (draft.source_kind, draft.keep_attachments) == ("new", ())
