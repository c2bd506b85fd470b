"""A mail that is a file of another one, as a page."""

import re
from dataclasses import replace

import pytest

from app.file_views import MOST_DEEP
from app.phrase import phrase
from app.web.frame import FRAME_CSP
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"
FILES = (
    sample.Attachment(0, "order.eml", "message/rfc822", 900),
    sample.Attachment(1, "list.pdf", "application/pdf", 900),
    sample.Attachment(2, "named.EML", "application/octet-stream", 900),
    sample.Attachment(3, "not.eml", "text/html", 900),
)


@pytest.fixture(autouse=True)
def files(world: World) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    world.reading.letters[place] = replace(world.reading.letters[place], attachments=FILES)


def opens(page: str) -> list[str]:
    return re.findall(r'class="btn file-open" href="([^"]+/mail[^"]*)"', page)


def test_a_mail_among_the_files_can_be_opened_and_nothing_else(vlad: Client) -> None:
    page = vlad.get(f"{MESSAGE}?filter=attachments").text
    assert opens(page) == [f"{MESSAGE}/attachments/{n}/mail?filter=attachments" for n in (0, 2)]


def test_its_page_has_head_frame_and_files_of_its_own(vlad: Client, world: World) -> None:
    page = vlad.get(f"{MESSAGE}/attachments/0/mail?filter=unread").text
    assert world.reading.calls == [("attachment", (sample.entry_id(1), (0,)))]
    assert re.search(r"<h1[^>]*>Purchase order 4471: delivery moved to Thursday\?</h1>", page)
    assert f'href="{MESSAGE}?filter=unread" title="Back"' in page
    assert f'src="{MESSAGE}/attachments/0/mail/body"' in page
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame is not None
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    assert f'href="{MESSAGE}/attachments/0.1" download' in page
    assert opens(page) == [f"{MESSAGE}/attachments/0.{n}/mail?filter=unread" for n in (0, 2)]
    for verb in ("act_on_one", "/compose/reply", 'value="delete"'):
        assert verb not in page
    body = vlad.get(f"{MESSAGE}/attachments/0/mail/body")
    assert body.headers["content-security-policy"] == FRAME_CSP


def test_one_in_another_leads_back_to_it_and_so_deep_and_no_deeper(vlad: Client) -> None:
    page = vlad.get(f"{MESSAGE}/attachments/0.0/mail").text
    assert f'href="{MESSAGE}/attachments/0/mail" title="Back"' in page
    deepest = ".".join("0" * (MOST_DEEP - 1))
    page = vlad.get(f"{MESSAGE}/attachments/{deepest}/mail").text
    assert opens(page) == []
    assert f'href="{MESSAGE}/attachments/{deepest}.0" download' in page
    assert vlad.get(f"{MESSAGE}/attachments/{deepest}.0.0").status_code == 404


@pytest.mark.parametrize("section", ["0.", ".0", "0..0", "x", "-1", "0.x", "1" * 7, "%30%0a", "9"])
def test_what_is_no_place_of_a_file_is_not_here(vlad: Client, section: str) -> None:
    for rest in ("", "/mail", "/mail/body"):
        assert vlad.get(f"{MESSAGE}/attachments/{section}{rest}").status_code == 404
    unknown = MESSAGE.replace(sample.entry_id(1), sample.entry_id(99))
    assert vlad.get(f"{unknown}/attachments/0/mail").status_code == 404


def test_it_can_be_printed_and_says_who_poses(vlad: Client, world: World) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    letter = world.reading.letters[place]
    world.reading.letters[place] = replace(letter, told=phrase("It is somebody else."))
    page = vlad.get(f"{MESSAGE}/attachments/0/mail").text
    assert "It is somebody else." in page
    assert f'href="{MESSAGE}/attachments/0/mail/print"' in page
    answer = vlad.get(f"{MESSAGE}/attachments/0/mail/print")
    assert answer.headers["content-security-policy"] == FRAME_CSP
    head = answer.text[: answer.text.index("</section>")]
    for words in ("Purchase order 4471", "Dated", "This mail is an attachment of another one"):
        assert words in head
    assert "Arrived" not in head
