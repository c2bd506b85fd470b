"""What the pages say of viruses, and of files that nobody has looked at."""

from dataclasses import replace

import pytest

from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

PLACE = f"/mail/inbox/{sample.entry_id(1)}"
FILES = tuple(
    sample.Attachment(number, f"{number}.pdf", "application/pdf", 900) for number in range(2)
)
TAKEN = (f"{PLACE}/attachments/0", f"{PLACE}/attachments.zip", f"{PLACE}/original")


def say(world: World, files: str) -> None:
    place = world.reading.place_of(sample.entry_id(1))
    letter = world.reading.letters[place]
    row = replace(letter.row, infected=files == "infected")
    world.reading.letters[place] = replace(letter, row=row, files=files, attachments=FILES)


def test_infected_mail_is_marked_in_the_list_and_on_its_page_without_a_way_to_a_file(
    world: World, vlad: Client
) -> None:
    assert "Virus found" not in vlad.get("/mail/inbox").text
    say(world, "infected")
    assert vlad.get("/mail/inbox").text.count("Virus found") == 1
    page = vlad.get(PLACE).text
    assert "A virus was found in this message (Eicar-Test)" in page
    assert page.count("Locked") == 2
    for way in (*TAKEN, f"{PLACE}/attachments/0/preview/small", "/compose/enclose/"):
        assert f'"{way}' not in page
    assert "Thank you Vlad" in vlad.get(f"{PLACE}/body").text


@pytest.mark.parametrize("way", TAKEN)
def test_a_locked_file_is_a_page_that_says_why(world: World, vlad: Client, way: str) -> None:
    say(world, "infected")
    for address in (way, f"{way}?unchecked=yes"):
        answer = vlad.get(address)
        assert answer.status_code == 403
        assert "This file is locked" in answer.text
        assert "content-disposition" not in answer.headers
        assert "unchecked" not in answer.text


@pytest.mark.parametrize("way", TAKEN)
@pytest.mark.parametrize("state", ["unchecked", "large"])
def test_an_unchecked_file_is_given_after_a_warning(
    world: World, vlad: Client, way: str, state: str
) -> None:
    say(world, state)
    page = vlad.get(PLACE).text
    assert "Not checked for viruses" in page
    assert f'href="{way}" download' not in page  # or the warning would be a failed download
    answer = vlad.get(way)
    assert answer.status_code == 409
    assert f'href="{way}?unchecked=yes"' in answer.text
    taken = vlad.get(f"{way}?unchecked=yes")
    assert taken.status_code == 200
    assert taken.headers["content-disposition"].startswith("attachment")


def test_where_nothing_is_checked_nothing_is_said(vlad: Client) -> None:
    page = vlad.get(PLACE).text
    assert "virus" not in page.lower()
    assert f'href="{PLACE}/original" download' in page
