"""Leaving a mailing list on the pages: asked first, pressed by a form, or a letter made ready."""

from dataclasses import replace

import pytest

from app.leaving_views import Leaving
from app.web import create_app
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MESSAGE = f"/mail/inbox/{sample.entry_id(2)}"
PRESS = Leaving(url="https://news.example/u", mail="leave@news.example", subject="stop", text="now")


def of_a_list(world: World, leaving: Leaving) -> None:
    place = world.reading.place_of(sample.entry_id(2))
    world.reading.letters[place] = replace(world.reading.letters[place], leaving=leaving)


@pytest.mark.parametrize("takes", [True, False])
def test_it_is_asked_first_and_then_pressed(world: World, vlad: Client, takes: bool) -> None:
    of_a_list(world, PRESS)
    world.lists.takes = takes
    assert f'href="{MESSAGE}/unsubscribe"' in vlad.get(MESSAGE).text
    page = vlad.get(f"{MESSAGE}/unsubscribe").text
    assert f'action="{MESSAGE}/unsubscribe"' in page
    assert "news.example/u" not in page
    assert world.lists.left == []
    assert vlad.post(f"{MESSAGE}/unsubscribe", {}).headers["location"] == MESSAGE
    assert world.lists.left == [sample.entry_id(2)]
    assert ("and took it." in vlad.get(MESSAGE).text) is takes


def test_the_letter_is_ready_and_leaves_from_the_address_that_the_list_writes_to(
    world: World, vlad: Client
) -> None:
    of_a_list(world, PRESS)
    page = vlad.get(f"{MESSAGE}/unsubscribe/letter").text
    assert 'value="leave@news.example"' in page
    assert 'value="stop"' in page
    assert "\nnow\n</textarea>" in page
    assert world.sending.sent == []


def test_a_mail_of_no_list_and_a_list_without_an_address_have_no_such_pages(
    world: World, vlad: Client
) -> None:
    assert "/unsubscribe" not in vlad.get(MESSAGE).text
    for path in ("unsubscribe", "unsubscribe/letter"):
        assert vlad.get(f"{MESSAGE}/{path}").status_code == 404
    assert vlad.post(f"{MESSAGE}/unsubscribe", {}).status_code == 404
    of_a_list(world, replace(PRESS, mail=""))
    assert vlad.get(f"{MESSAGE}/unsubscribe/letter").status_code == 404


def test_where_nothing_outside_is_asked_only_the_letter_is_offered(
    world: World,
) -> None:
    of_a_list(world, PRESS)
    world.pictures = None
    vlad = Client(create_app(world.services(), world.settings)).sign_in()
    page = vlad.get(f"{MESSAGE}/unsubscribe").text
    assert ">Unsubscribe</button>" not in page
    assert f"{MESSAGE}/unsubscribe/letter" in page
