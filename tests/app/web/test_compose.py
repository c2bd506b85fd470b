"""Writing, answering, forwarding."""

import re

import pytest

from app.sending.limits import TooManySent
from archive_store.errors import KeysUnavailable
from tests.app.web import sample
from tests.app.web.client import TOKEN, Client
from tests.app.web.double import World

REPLY = f"/compose/reply/{sample.entry_id(1)}"
FORWARD = f"/compose/forward/{sample.entry_id(1)}"
FORM = {
    "from": "i1",
    "to": "Hanna Berg <hanna.berg@brightwater.example>",
    "cc": "lars@acme.example",
    "bcc": "boss@acme.example",
    "subject": "Re: Purchase order",
    "message": "Confirmed.\r\n\r\nVlad",
}


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    return found[1] if found else ""


@pytest.mark.parametrize("kind", ["new", "reply", "reply-all", "forward"])
def test_every_field_has_the_label_that_scripts_rely_on(vlad: Client, kind: str) -> None:
    page = vlad.get(f"/compose/{kind}" if kind == "new" else REPLY.replace("reply", kind)).text
    labels = dict(re.findall(r'<label[^>]* for="f-(\w+)">([^<]+)</label>', page))
    assert labels == {
        "from": "From",
        "to": "To",
        "cc": "Cc",
        "bcc": "Bcc",
        "subject": "Subject",
        "message": "Message",
        "attachments": "Attachments",
        "at": "Day and time",
    }
    assert re.search(r"<button[^>]*data-send>.*Send</button>", page)


def test_an_answer_begins_with_the_right_identity_and_the_quoted_text(vlad: Client) -> None:
    page = vlad.get(REPLY).text
    assert '<option value="i1" selected>Vlad Mazek, Acme Sales, sales@acme.example' in page
    assert value_of(page, "to") == "Hanna Berg &lt;hanna.berg@brightwater.example&gt;"
    assert value_of(page, "subject") == "Re: Purchase order 4471: delivery moved to Thursday?"
    assert "&gt; Thank you Vlad, Thursday before noon works for the driver." in page


def test_the_first_line_of_the_text_is_not_lost(vlad: Client) -> None:
    # HTML drops one newline after <textarea>; the draft begins with two of its own.
    page = vlad.get(REPLY).text
    assert re.search(r"<textarea[^>]*>\n\n\nOn Tuesday", page)


def test_a_message_is_sent_as_typed(world: World, vlad: Client) -> None:
    files = [
        ("attachments", ("plan.png", b"\x89PNG", "image/png")),
        ("attachments", ("größe.txt", b"abc", "text/plain")),
    ]
    answer = vlad.raw_post(REPLY, data={"csrf": vlad.token(), **FORM}, files=files)
    assert (answer.status_code, answer.headers["location"]) == (303, "/mail/inbox")
    (sent,) = world.sending.sent
    assert (sent.identity_id, sent.to, sent.cc, sent.bcc) == (
        "i1",
        FORM["to"],
        FORM["cc"],
        FORM["bcc"],
    )
    assert (sent.subject, sent.text) == (FORM["subject"], "Confirmed.\n\nVlad")
    assert sent.attachments == (
        ("plan.png", "image/png", b"\x89PNG"),
        ("größe.txt", "text/plain", b"abc"),
    )
    assert (sent.source_entry, sent.source_kind) == (sample.entry_id(1), "reply")


def test_over_the_limit_of_sending_the_page_says_so_and_keeps_every_word(
    world: World, vlad: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TooManySent("message", "Not sent: you may send to 3 recipients in an hour.")

    monkeypatch.setattr(world.sending, "send", refuse)
    answer = vlad.post(REPLY, FORM | {"message": "kept & safe"})
    assert answer.status_code == 429
    assert "you may send to 3 recipients" in answer.text
    assert "kept &amp; safe" in answer.text


def test_what_happens_next_is_said_after_sending(vlad: Client) -> None:
    vlad.post("/compose/new", FORM)
    page = vlad.get("/mail/inbox").text
    assert "Sent as sales@acme.example." in page
    assert "A copy will be in your own Sent folder" in page


@pytest.mark.parametrize(
    ("to", "words"), [("", "Say who shall get it."), ("hanna", "lacks its ending")]
)
def test_what_is_wrong_stands_beside_its_field_and_every_word_is_kept(
    world: World, vlad: Client, to: str, words: str
) -> None:
    answer = vlad.post(REPLY, FORM | {"to": to, "message": "<b>kept & safe</b>"})
    assert answer.status_code == 422
    assert world.sending.sent == []
    beside = answer.text.partition('id="e-to"')[2].partition("</div>")[0]
    assert words in beside
    assert re.search(r'id="f-to"[^>]*aria-invalid="true" aria-describedby="e-to"', answer.text)
    assert "&lt;b&gt;kept &amp; safe&lt;/b&gt;" in answer.text
    assert value_of(answer.text, "bcc") == FORM["bcc"]
    assert '<option value="i1" selected>' in answer.text


@pytest.mark.parametrize("token", ["", "of another session"])
def test_a_form_of_an_earlier_session_is_not_sent_but_kept(
    world: World, vlad: Client, token: str
) -> None:
    answer = vlad.raw_post(REPLY, data=FORM | {"csrf": token})
    assert answer.status_code == 422
    assert world.sending.sent == []
    assert "you signed in anew since you began" in answer.text
    assert "Confirmed." in answer.text
    again = TOKEN.search(answer.text)
    assert again is not None
    vlad.raw_post(REPLY, data=FORM | {"csrf": again[1]})
    assert len(world.sending.sent) == 1


def test_a_forward_keeps_the_files_that_stay_ticked(world: World, vlad: Client) -> None:
    page = vlad.get(FORWARD).text
    assert len(re.findall(r'name="keep" value="\d+" checked', page)) == 2
    vlad.post(FORWARD, FORM | {"keep": "1"})
    assert world.sending.sent[-1].keep_attachments == (1,)
    vlad.post(FORWARD, FORM)
    assert not world.sending.sent[-1].keep_attachments


def test_a_file_that_the_message_does_not_have_cannot_be_kept(world: World, vlad: Client) -> None:
    vlad.post(FORWARD, FORM | {"keep": ["0", "77", "x", "-1"]})
    assert world.sending.sent[-1].keep_attachments == (0,)


def test_unticked_files_stay_unticked_after_an_error(vlad: Client) -> None:
    page = vlad.post(FORWARD, FORM | {"to": "", "keep": "1"}).text
    assert 'value="0">' in page
    assert 'value="1" checked>' in page


@pytest.mark.parametrize(
    "path", ["/compose/resend/" + sample.entry_id(1), "/compose/reply/x", "/compose/"]
)
def test_other_ways_of_writing_are_not_here(vlad: Client, path: str) -> None:
    assert vlad.get(path).status_code == 404


def test_answering_somebody_elses_mail_is_not_here(vlad: Client) -> None:
    assert vlad.get(f"/compose/reply/{sample.entry_id(99)}").status_code == 404
    assert vlad.post(f"/compose/reply/{sample.entry_id(99)}", FORM).status_code == 404


def test_who_writes_when_the_session_ends_is_told_how_to_go_on(world: World, vlad: Client) -> None:
    token = vlad.token("/compose/new")
    world.accounts.visits.clear()
    answer = vlad.raw_post("/compose/new", data={"csrf": token, "message": "an hour of work"})
    assert answer.status_code == 401
    assert "nothing you wrote is lost" in answer.text
    assert 'href="/" target="_blank"' in answer.text
    other = vlad.raw_post("/settings/look", data={"csrf": token})
    assert (other.status_code, "target=" in other.text) == (401, False)


def test_while_the_answered_mail_cannot_be_opened_every_word_and_tick_is_kept(
    world: World, vlad: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise KeysUnavailable("away")

    monkeypatch.setattr(world.sending, "draft_for", away)
    answer = vlad.post(FORWARD, FORM | {"message": "kept & safe", "keep": "1"})
    assert answer.status_code == 503
    assert world.sending.sent == []
    assert "cannot be opened just now, and nothing was sent" in answer.text
    assert "kept &amp; safe" in answer.text
    assert '<input type="hidden" name="keep" value="1">' in answer.text
    monkeypatch.undo()
    vlad.post(FORWARD, FORM | {"keep": "1"})
    assert world.sending.sent[-1].keep_attachments == (1,)


def test_a_forgotten_attachment_is_asked_for_once_without_a_script(
    world: World, vlad: Client
) -> None:
    words = FORM | {"message": "The plan is attached & so on."}
    answer = vlad.post(REPLY, words)
    assert answer.status_code == 422
    assert world.sending.sent == []
    assert "You write of an attachment, and there is none." in answer.text
    assert "attached &amp; so on" in answer.text
    assert 'name="unattached" value="1"' in answer.text
    vlad.post(REPLY, words | {"unattached": "1"})
    assert len(world.sending.sent) == 1
    files = [("attachments", ("plan.png", b"x", "image/png"))]
    vlad.raw_post(REPLY, data={"csrf": vlad.token(), **words}, files=files)
    vlad.post(FORWARD, words | {"keep": "0"})
    assert len(world.sending.sent) == 3


def test_whom_one_may_mean_is_told_to_the_script(vlad: Client) -> None:
    answer = vlad.post("/compose/people", {"typed": "hanna"})
    [one] = answer.json()["people"]
    assert one == {
        "name": "Hanna Berg",
        "address": "hanna.berg@brightwater.example",
        "text": "Hanna Berg <hanna.berg@brightwater.example>",
    }
    assert vlad.post("/compose/people", {"typed": ""}).json() == {"people": []}
