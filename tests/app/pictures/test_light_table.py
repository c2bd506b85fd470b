"""Pages of PDF files drawn in a child: what goes in, hostile or not, and what can come out."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from app.pictures.light_table import LightTable
from app.pictures.picture import Picture
from app.pictures.sheets import AT_ONCE
from archive_store.mime.worker import PoolLimits
from tests.app.drawn import made_paper


@pytest.fixture(scope="module")
def table() -> Iterator[LightTable]:
    made = LightTable()
    yield made
    made.close()


def seen(picture: Picture | None) -> Image.Image:
    assert picture is not None
    image = Image.open(io.BytesIO(picture.octets))
    assert image.size == (picture.width, picture.height)
    return image.convert("RGB")


def test_pages_are_told_and_drawn(table: LightTable) -> None:
    octets = made_paper(*(f"This is page {number}" for number in range(1, 9)))
    found = table.look(octets, 1)
    assert found is not None
    assert (found.count, len(found.sheets)) == (8, AT_ONCE)
    assert (found.sheets[0].width, found.sheets[0].height) == (612, 792)
    assert [one.text.strip() for one in found.sheets][:2] == ["This is page 1", "This is page 2"]
    rest = table.look(octets, AT_ONCE + 1)
    assert rest is not None
    assert rest.sheets[-1].text.strip() == "This is page 8"
    image = seen(table.draw(octets, 2, 400))
    assert max(image.size) == 400
    assert image.getpixel((2, 2)) == (255, 255, 255)
    assert image.convert("L").point(lambda level: level < 100).getbbox()  # something is written


@pytest.mark.parametrize("number", [0, 9, 70_000])
def test_a_page_that_is_not_there_is_none(table: LightTable, number: int) -> None:
    octets = made_paper(*"12345678")
    assert table.look(octets, number) is None
    assert table.draw(octets, number, 100) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no PDF",
        b"%PDF-1.7",
        b"%PDF-1.7\n" + bytes(10_000),
        made_paper("x")[:200],
        made_paper("x").replace(b"/Kids [10 0 R]", b"/Kids [2 0 R]"),  # pages in themselves
        made_paper("x").replace(b"612 792", b"50000 1"),
    ],
)
def test_what_cannot_be_shown_is_none(table: LightTable, octets: bytes) -> None:
    assert table.draw(octets, 1, 100) is None
    assert table.draw(made_paper("x"), 1, 100) is not None


def test_nothing_in_it_runs_and_nothing_else_is_opened(table: LightTable) -> None:
    script = b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\); while\\(1\\){}) >>"
    octets = made_paper("x").replace(b"/Type /Catalog", b"/Type /Catalog " + script)
    assert table.draw(octets, 1, 100) is not None


def test_a_document_that_takes_too_long_is_given_up(table: LightTable) -> None:
    line = "600 700 m 0 0 l S "
    assert table.draw(made_paper(f"x) Tj ET {line} BT ("), 1, 1_000) is not None
    hurried = LightTable(PoolLimits(children=1, seconds=0.5))
    try:
        assert hurried.draw(made_paper(f"x) Tj ET {line * 1_500_000} BT ("), 1, 4_000) is None
    finally:
        hurried.close()
