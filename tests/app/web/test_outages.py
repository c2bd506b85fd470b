"""The page of a domain's outages: operators see it and have a word, nobody else."""

import pytest

from app.web import create_app
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

PAGE = f"/admin/domains/{sample.entry_id(900)}/outages"


def client(world: World, who: str) -> Client:
    return Client(create_app(world.services(), world.settings)).sign_in(who)


def test_the_timeline_has_every_outage_with_its_figures(world: World) -> None:
    text = client(world, "maria@acme.example").get(PAGE).text
    assert "Did not answer" in text
    assert "Slow" in text
    assert "1,204" in text
    assert "3 copies of sent mail wait" in text


def test_an_administrator_opens_and_closes_an_outage_with_a_reason(world: World) -> None:
    maria = client(world, "maria@acme.example")
    refused = maria.post(PAGE, {"do": "open", "reason": ""})
    assert refused.status_code == 422
    assert "Say why." in refused.text
    words = {"do": "open", "reason": "<b>disk</b>", "keep": "yes"}
    assert maria.post(PAGE, words).status_code == 303
    text = maria.get(PAGE).text
    assert "Close this outage" in text
    assert "&lt;b&gt;disk&lt;/b&gt;" in text
    assert "Mail is kept back" in text
    assert maria.post(PAGE, {"do": "close", "reason": "done"}).status_code == 303
    assert "Open an outage by hand" in maria.get(PAGE).text
    assert maria.post(PAGE, {"do": "dance", "reason": "x"}).status_code == 400


def test_mail_to_addresses_outside_is_switched_on_and_off(world: World) -> None:
    maria, notices = client(world, "maria@acme.example"), PAGE.replace("outages", "notices")
    assert maria.post(notices, {"on": "yes"}).status_code == 303
    assert 'value="yes" checked aria-describedby="notices-h"' in maria.get(PAGE).text
    assert maria.post(notices, {}).status_code == 303
    assert not world.outages.tells
    assert client(world, "vlad@acme.example").post(notices, {"on": "yes"}).status_code == 404
    assert not world.outages.tells


def test_a_person_gives_confirms_and_takes_back_an_address_outside(world: World) -> None:
    vlad, path = client(world, "vlad@acme.example"), "/settings/outside"
    refused = vlad.post(path, {"do": "set", "outside": "vlad@acme.example"})
    assert (refused.status_code, "That is not right" in refused.text) == (422, True)
    assert vlad.post(path, {"do": "set", "outside": "vlad@home.example"}).status_code == 303
    assert "vlad@home.example" in vlad.get("/settings").text
    assert vlad.post(path, {"do": "confirm", "outside_code": "wrong"}).status_code == 422
    assert vlad.post(path, {"do": "confirm", "outside_code": "right"}).status_code == 303
    assert "Confirmed:" in vlad.get("/settings").text
    assert vlad.post(path, {"do": "remove"}).status_code == 303
    assert "vlad@home.example" not in vlad.get("/settings").text
    assert vlad.post(path, {"do": "dance"}).status_code == 400


@pytest.mark.parametrize("who", ["vlad@acme.example", "audit@acme.example"])
def test_others_find_no_such_page(world: World, who: str) -> None:
    other = client(world, who)
    assert other.get(PAGE).status_code == 404
    assert other.post(PAGE, {"do": "open", "reason": "x"}).status_code == 404
    assert len(world.outages.lines) == 2
