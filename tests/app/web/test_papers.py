"""A PDF among the files of a message: its pages as pictures of ours, a few at a time."""

import re
from dataclasses import replace

import pytest

from app.file_views import LARGEST_PICTURE
from tests.app.drawn import made_paper
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"
PDF, UNTYPED = "application/pdf", "application/octet-stream"
PLACE = f"{MESSAGE}/attachments/0/pages"
FILES = (
    sample.Attachment(
        0, "offer.pdf", PDF, 900, octets=made_paper(*(f"Clause {n}" for n in range(1, 8)))
    ),
    sample.Attachment(1, "order.PDF", UNTYPED, 900, octets=made_paper("x")),
    sample.Attachment(2, "broken.pdf", PDF, 900, octets=b"no PDF"),
    sample.Attachment(3, "huge.pdf", PDF, LARGEST_PICTURE + 1),
    sample.Attachment(4, "offer.pdf.exe", PDF, 900),
    sample.Attachment(5, "offer.txt", "text/plain", 900),
)


@pytest.fixture(autouse=True)
def files(world: World) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    world.reading.letters[place] = replace(world.reading.letters[place], attachments=FILES)


def test_a_pdf_that_says_so_or_is_called_so_can_be_looked_at(vlad: Client) -> None:
    offered = re.findall(r'href="[^"]*/attachments/(\d)/pages"', vlad.get(MESSAGE).text)
    assert offered == ["0", "1", "2"]


def test_its_pages_come_a_few_at_a_time_with_their_text(vlad: Client) -> None:
    page = vlad.get(PLACE).text
    assert re.findall(rf'src="{PLACE}/(\d+)"', page) == list("12345")
    assert 'alt="Page 1 of 7"' in page
    assert "Clause 5" in page
    assert "Clause 6" not in page
    [more] = re.findall(r'rel="next" href="([^"]+)"', page)
    rest = vlad.get(more).text
    assert re.findall(rf'src="{PLACE}/(\d+)"', rest) == list("67")
    assert f'rel="prev" href="{PLACE}?from=1"' in rest
    assert 'rel="next"' not in rest


def test_a_page_is_a_picture_of_ours_and_kept_by_this_browser_alone(vlad: Client) -> None:
    answer = vlad.get(f"{PLACE}/7")
    assert answer.headers["content-type"] == "image/png"
    assert int.from_bytes(answer.content[20:24], "big") == 1600  # height, of the IHDR chunk
    assert answer.headers["cache-control"] == "private, max-age=600"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_what_cannot_be_shown_is_said_so(vlad: Client) -> None:
    page = vlad.get(f"{MESSAGE}/attachments/2/pages").text
    assert "This file cannot be shown here" in page
    assert f'href="{MESSAGE}/attachments/2"' in page  # it can be saved
    for path in (f"{MESSAGE}/attachments/2/pages/1", f"{PLACE}/8"):
        answer = vlad.get(path)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["cache-control"] == "no-store"
    for path in (f"{PLACE}?from=0", f"{PLACE}?from=x", f"{PLACE}/0", f"{PLACE}/99999"):
        assert vlad.get(path).status_code == 404
