"""A mail that is a file of another one, as a page."""

import re
from dataclasses import replace

import pytest

from app.file_views import MOST_DEEP
from app.web.frame import FRAME_CSP
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"
FILES = (
    sample.Attachment(0, "order.eml", "message/rfc822", 900),
    sample.Attachment(1, "list.pdf", "application/pdf", 900),
)


@pytest.fixture(autouse=True)
def files(world: World) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    world.reading.letters[place] = replace(world.reading.letters[place], attachments=FILES)


def opens(page: str) -> list[str]:
    return re.findall(r'class="btn file-open" href="([^"]+)"', page)


def test_a_mail_among_the_files_can_be_opened_and_nothing_else(vlad: Client) -> None:
    page = vlad.get(f"{MESSAGE}?filter=attachments").text
    assert opens(page) == [f"{MESSAGE}/attachments/0/mail?filter=attachments"]


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
    assert opens(page) == [f"{MESSAGE}/attachments/0.0/mail?filter=unread"]
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
