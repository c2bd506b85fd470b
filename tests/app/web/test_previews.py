"""Pictures among the files of a message: small in the list, large when asked for."""

import re
from dataclasses import replace

import pytest

from app.file_views import LARGEST_PICTURE, MOST_PREVIEWED
from tests.app.drawn import made_picture
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"
FILES = (
    sample.Attachment(0, "gate.png", "image/png", 900, octets=made_picture(2000, 1000) + b"hidden"),
    sample.Attachment(1, "broken.png", "image/png", 900, octets=b"no picture"),
    sample.Attachment(2, "drawing.svg", "image/svg+xml", 900),
    sample.Attachment(3, "gate.png", "application/octet-stream", 900),
    sample.Attachment(4, "huge.png", "image/png", LARGEST_PICTURE + 1),
    sample.Attachment(5, "gate.exe", "image/png", 900),  # its warning must not give way
)


@pytest.fixture(autouse=True)
def files(world: World) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    world.reading.letters[place] = replace(world.reading.letters[place], attachments=FILES)


def images(page: str) -> list[str]:
    return re.findall(r'<img src="([^"]+)"[^>]* loading="lazy"', page)


def test_what_says_it_is_a_picture_is_shown_small_and_large(vlad: Client) -> None:
    place = f"{MESSAGE}/attachments"
    assert images(vlad.get(MESSAGE).text) == [
        f"{place}/{index}/preview/{size}" for size in ("small", "large") for index in (0, 1)
    ]
    assert images(vlad.get(f"{place}/0/mail").text)[0] == f"{place}/0.0/preview/small"


def test_it_is_drawn_anew_and_kept_by_this_browser_alone(vlad: Client) -> None:
    for size, longest in (("small", 160), ("large", 1600)):
        answer = vlad.get(f"{MESSAGE}/attachments/0/preview/{size}")
        assert answer.headers["content-type"] == "image/png"
        assert int.from_bytes(answer.content[16:20], "big") == longest  # width, of the IHDR chunk
        assert b"hidden" not in answer.content
        assert answer.headers["cache-control"] == "private, max-age=600"
        assert answer.headers["vary"] == "Cookie"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert vlad.get(f"{MESSAGE}/attachments/0/preview/original").status_code == 404
    assert vlad.get(f"{MESSAGE}/attachments/9/preview/small").status_code == 404


def test_what_cannot_be_drawn_is_a_picture_of_ours_and_not_kept(vlad: Client) -> None:
    answer = vlad.get(f"{MESSAGE}/attachments/1/preview/small")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b"no picture" not in answer.content
    assert answer.headers["cache-control"] == "no-store"


def test_on_a_public_computer_nothing_is_kept(world: World, vlad: Client) -> None:
    (visit,) = world.accounts.visits.values()
    object.__setattr__(visit, "public_computer", True)
    answer = vlad.get(f"{MESSAGE}/attachments/0/preview/small")
    assert answer.headers["cache-control"] == "no-store"


def test_only_the_first_ones_are_shown(world: World, vlad: Client) -> None:
    many = tuple(replace(FILES[0], index=number) for number in range(MOST_PREVIEWED + 5))
    place = world.reading.place_of(sample.entry_id(1))
    world.reading.letters[place] = replace(world.reading.letters[place], attachments=many)
    assert len(images(vlad.get(MESSAGE).text)) == 2 * MOST_PREVIEWED
