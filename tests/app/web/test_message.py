"""An open message: what is shown, its frame, its files."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from app.phrase import phrase
from app.views import SenderCheck
from app.web.frame import FRAME_CSP
from archive_store.errors import FrameBroken, SealBroken
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World


def path(number: int, rest: str = "", folder: str = "inbox") -> str:
    return f"/mail/{folder}/{sample.entry_id(number)}{rest}"


def test_a_message_stands_beside_its_list(vlad: Client) -> None:
    page = vlad.get(path(1)).text
    assert re.search(r"<h1[^>]*>Purchase order 4471: delivery moved to Thursday\?</h1>", page)
    assert 'aria-current="true" data-row' in page
    assert page.count("<h1") == 1


def test_the_names_that_scripts_rely_on_are_there(vlad: Client) -> None:
    page = vlad.get(path(1)).text
    assert 'title="Message body"' in page
    assert re.search(r'<a href="[^"]+/original" download>Download original</a>', page)
    for name in ("Reply", "Reply all", "Forward", "Delete"):
        assert f"<span>{name}</span>" in page
    for name in ("PO-4471 signed.pdf", "Packing list 4471.xlsx"):
        assert f">{name}</a>" in page


def test_the_frame_may_not_run_anything(vlad: Client) -> None:
    frame = re.search(r"<iframe[^>]*>", vlad.get(path(1)).text)
    assert frame is not None
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert "allow-scripts" not in frame[0]
    body = vlad.get(path(1, "/body"))
    assert body.headers["content-security-policy"] == FRAME_CSP
    assert body.headers["content-type"] == "text/html; charset=utf-8"
    assert body.headers["cache-control"] == "no-store"


def test_opening_is_once_and_marks_read(world: World, vlad: Client) -> None:
    page = vlad.get(path(2)).text
    vlad.get(path(2, "/body"))
    assert world.reading.calls == [("open_message", sample.entry_id(2))]
    row = page.partition(f'data-id="{sample.entry_id(2)}"')[0].rpartition("<li")[2]
    assert "is-unread" not in row


def test_pictures_that_are_off_are_counted(vlad: Client) -> None:
    assert "3 pictures from outside are off" in vlad.get(path(2)).text
    assert "from outside" not in vlad.get(path(1)).text


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "Only here until your server is back"),
        (3, "On its way to your mail server"),
        (4, "Delivered to your mail server at 08:08"),
        (6, "Your mail server did not take it"),
        (6, "552 5.2.2 mailbox is full"),
        (7, "Not received by this service"),
        (8, "Not all of this message could be read"),
        (8, "nested more than 30 deep"),
        (11, "leaves today"),
        (20, "On its way"),
        (1, "Stays here until Tuesday 1 December, 09:56"),
    ],
)
def test_the_state_of_a_message_is_told(vlad: Client, number: int, words: str) -> None:
    assert words in vlad.get(path(number)).text


def test_many_recipients_are_counted_and_all_are_listed(vlad: Client) -> None:
    page = vlad.get(path(2)).text
    assert "and 20 more" in page
    assert "rosa.roth@northwind.example" in page


def test_a_name_that_poses_as_an_address_gives_way(vlad: Client) -> None:
    head = vlad.get(path(7)).text.partition('class="msg-from"')[2].partition("</p>")[0]
    assert "x81@mailer.example" in head
    assert "your-bank" not in head


def test_nothing_that_turns_text_around_is_printed(vlad: Client) -> None:
    page = vlad.get(path(7)).text
    assert "\u202e" not in page
    assert "<span>Program (EXE)</span>, <span>42 kB</span>" in page  # its real ending


def turns(page: str) -> list[tuple[str, str]]:
    return re.findall(r'href="([^"]+)" aria-label="(Newer|Older)"', page)[:2]


def test_newer_and_older_are_those_of_the_list_that_led_here(vlad: Client) -> None:
    page = vlad.get(path(2)).text
    assert turns(page) == [(path(1), "Newer"), (path(3), "Older")]
    assert "2 of 11" in page
    page = vlad.get(path(2, "?filter=attachments")).text
    assert turns(page) == [
        (path(1, "?filter=attachments"), "Newer"),
        (path(7, "?filter=attachments"), "Older"),
    ]
    assert "2 of 4" in page
    page = vlad.get(path(3, "?to=2")).text  # sales@acme.example
    assert turns(page) == [(path(1, "?to=2"), "Newer"), (path(10, "?to=2"), "Older")]
    assert "2 of 3" in page
    assert vlad.get(path(1, "?to=9")).status_code == 404


def test_the_answer_leaves_from_the_address_it_was_sent_to(vlad: Client) -> None:
    assert "Your answer leaves as sales@acme.example" in vlad.get(path(1)).text


@pytest.mark.parametrize(
    ("do", "goes_to"),
    [
        ("delete", "/mail/inbox?filter=unread"),
        ("archive", "/mail/inbox?filter=unread"),
        ("unread", "/mail/inbox?filter=unread"),
        ("star", f"{path(2)}?filter=unread"),
    ],
)
def test_after_a_deed_the_reader_goes_on(vlad: Client, do: str, goes_to: str) -> None:
    answer = vlad.post(path(2, "?filter=unread"), {"do": do})
    assert (answer.status_code, answer.headers["location"]) == (303, goes_to)


def test_an_answer_that_goes_elsewhere_says_where(world: World, vlad: Client) -> None:
    letter = world.reading.letters[0]
    elsewhere = (sample.Address("", "other@evil.example"),)
    assert "Reply to Hanna Berg" in vlad.get(path(1)).text
    world.reading.letters[0] = replace(letter, parsed=replace(letter.parsed, reply_to=elsewhere))
    page = vlad.get(path(1)).text
    assert "and goes to other@evil.example" in page
    assert "Reply to Hanna Berg" not in page


def test_a_message_without_text_says_so(world: World, vlad: Client) -> None:
    said = "This message has no text."
    assert said not in vlad.get(path(1)).text
    letter = world.reading.letters[0]
    world.reading.letters[0] = replace(letter, parsed=replace(letter.parsed, text=" \n", html=None))
    assert said in vlad.get(path(1)).text


@pytest.mark.parametrize("error", [SealBroken, FrameBroken])
def test_a_damaged_message_is_no_file_to_save(
    world: World, vlad: Client, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise error("what no page may say")

    monkeypatch.setattr(world.reading, "original", broken)
    answer = vlad.get(path(1, "/original"))
    assert answer.status_code == 500
    assert "What is kept here is damaged" in answer.text
    assert "what no page may say" not in answer.text
    assert "retry-after" not in answer.headers


def test_deleting_for_good_asks_first(world: World, vlad: Client) -> None:
    asked = vlad.post(path(21, folder="trash"), {"do": "delete"})
    assert "Delete 1 message for good?" in asked.text
    assert len(world.reading.letters) == 14


def test_the_original_comes_as_it_was_received(vlad: Client) -> None:
    answer = vlad.get(path(1, "/original"))
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert f"{sample.entry_id(1)}.eml" in answer.headers["content-disposition"]
    assert answer.content.endswith(b"\xff\r\n")


def test_the_source_is_text_that_nothing_can_run_in(vlad: Client) -> None:
    assert "/source/text" in vlad.get(path(1, "/source")).text
    text = vlad.get(path(1, "/source/text"))
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    assert text.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert text.headers["x-content-type-options"] == "nosniff"


def test_an_attachment_is_a_file_whatever_it_calls_itself(world: World, vlad: Client) -> None:
    evil = sample.Attachment(
        0, '../"evil"\r\nX-Injected: 1\u202egpj.html', "text/html", 9, octets=b"<script>"
    )
    place = world.reading.place_of(sample.entry_id(1))
    object.__setattr__(world.reading.letters[place], "attachments", (evil,))
    answer = vlad.get(path(1, "/attachments/0"))
    assert answer.content == b"<script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "x-injected" not in answer.headers
    given = answer.headers["content-disposition"]
    assert given.startswith('attachment; filename="_evil_')
    assert unquote(given.partition("UTF-8''")[2]) == '"evil"  X-Injected: 1gpj.html'


@pytest.mark.parametrize(
    "rest", ["/attachments/9", "/attachments/-1", "/attachments/x", "/nothing", "/body/x"]
)
def test_what_is_not_there_is_not_here(vlad: Client, rest: str) -> None:
    assert vlad.get(path(1, rest)).status_code == 404


@pytest.mark.parametrize("bad", ["x", "a" * 27, "a" * 25 + "1", "%00", "..%2f..%2fetc"])
def test_what_is_no_id_is_not_here(vlad: Client, bad: str) -> None:
    for rest in ("", "/body", "/original", "/source/text"):
        assert vlad.get(f"/mail/inbox/{bad}{rest}").status_code == 404


def test_what_is_to_be_known_of_the_sender_is_one_notice(world: World, vlad: Client) -> None:
    told = phrase("It is %(who)s.", who="<b>x</b>@evil.example")
    world.reading.letters[0] = replace(world.reading.letters[0], told=told)
    shown = f"/mail/inbox/{world.reading.letters[0].row.id}"
    assert "It is &lt;b&gt;x&lt;/b&gt;@evil.example." in vlad.get(shown).text
    world.reading.letters[0] = replace(world.reading.letters[0], genuine=False)
    page = vlad.get(shown).text
    assert "Not received by this service" in page
    assert "It is &lt;b&gt;" not in page


CONFIRMED = SenderCheck(
    by="mx.acme.example",
    domain="brightwater.example",
    passed=True,
    failed=False,
    results=(("DMARC", "pass", "brightwater.example"), ("SPF", "fail", "")),
)


def change(world: World, number: int, **changes: object) -> None:
    place = world.reading.place_of(sample.entry_id(number))
    letter: Any = world.reading.letters[place]
    world.reading.letters[place] = replace(letter, **changes)


def test_what_a_checker_found_of_the_sender_is_said_in_words(world: World, vlad: Client) -> None:
    change(world, 1, check=CONFIRMED)
    page = vlad.get(path(1)).text
    assert "brightwater.example confirms this mail." in page
    assert "DMARC pass (brightwater.example), SPF fail" in page
    change(world, 1, check=replace(CONFIRMED, passed=False, failed=True))
    page = vlad.get(path(1)).text
    assert "fails the check of brightwater.example" in page
    assert "confirms this mail" not in page


def test_nothing_reassures_beside_a_warning(world: World, vlad: Client) -> None:
    change(world, 1, check=CONFIRMED, told=phrase("Beware."))
    page = vlad.get(path(1)).text
    assert "Beware." in page
    assert "confirms this mail" not in page
    change(world, 1, told=None, genuine=False)
    assert "confirms this mail" not in vlad.get(path(1)).text


def test_links_that_lead_elsewhere_are_told_above_the_text(world: World, vlad: Client) -> None:
    change(world, 1, marked_links=2)
    assert "2 links in this message do not lead where they seem to." in vlad.get(path(1)).text
    assert "lead where" not in vlad.get(path(2)).text


def test_a_first_mail_has_a_small_note_unless_there_is_a_warning(
    world: World, vlad: Client
) -> None:
    note = "The first mail from this address in the last seven days"
    assert note not in vlad.get(path(1)).text
    change(world, 1, first_time=True)
    assert note in vlad.get(path(1)).text
    change(world, 1, told=phrase("Beware."))
    assert note not in vlad.get(path(1)).text


def test_a_sender_in_punycode_can_be_read(world: World, vlad: Client) -> None:
    sender = sample.Address("Anna", "anna@xn--mller-kva.de")
    parsed = world.reading.letters[world.reading.place_of(sample.entry_id(1))].parsed
    change(world, 1, parsed=replace(parsed, sender=sender))
    page = vlad.get(path(1)).text
    assert "anna@xn--mller-kva.de</span>" in page
    assert "(<bdi>müller.de</bdi>)" in page
