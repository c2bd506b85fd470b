"""Pictures from outside: shown when asked for, in one frame, by addresses that tell nothing."""

import re
from dataclasses import replace

import pytest

from app.pictures.picture import Picture
from app.views import SenderCheck
from app.web import create_app
from app.web.frame import FRAME_CSP
from app.web.pictures import address_in, sealed_address
from app.web.sanitize import MOST_REMOTE, sanitize_html
from tests.app.web import sample
from tests.app.web.client import BASE, Client
from tests.app.web.double import World
from tests.app.web.picture_double import PictureDouble

URL = "https://track.example/open.gif?who=vlad&n=1"
PICTURE = Picture("image/png", b"octets of ours", 8, 4)
HTML = f"""<img src="{URL.replace("&", "&amp;")}"><img src="//other.example/2.png">
<img srcset="https://s.example/3 2x"><picture><source srcset="https://s.example/4"></picture>
<table background="https://s.example/5"><tr><td background="https://s.example/6"
style="background-image: url(https://s.example/7)">x</td></tr></table>
<style>td {{ background: url(https://s.example/8) }}</style>
<video poster="https://s.example/9"></video><input type="image" src="https://s.example/10">
<svg><image href="https://s.example/11"/></svg><img src="{BASE}/logout">"""
MESSAGE = f"/mail/inbox/{sample.entry_id(2)}"
SRC = re.compile(r'src="([^"]*)"')


@pytest.fixture
def pictures(world: World) -> PictureDouble:
    assert isinstance(world.pictures, PictureDouble)
    world.pictures.there[URL] = PICTURE
    letter = world.reading.letters[world.reading.place_of(sample.entry_id(2))]
    parsed = replace(letter.parsed, html=HTML)
    place = world.reading.place_of(sample.entry_id(2))
    world.reading.letters[place] = replace(letter, parsed=parsed)
    return world.pictures


def test_they_are_off_until_somebody_asks(vlad: Client, pictures: PictureDouble) -> None:
    page = vlad.get(MESSAGE).text
    assert "3 pictures from outside are off" in page
    assert f'action="{MESSAGE}/body" target="body-{sample.entry_id(2)}"' in page
    frame = vlad.get(f"{MESSAGE}/body")
    assert SRC.search(frame.text) is None
    assert frame.headers["content-security-policy"] == FRAME_CSP
    assert vlad.raw_post(f"{MESSAGE}/body").status_code == 403
    assert pictures.asked == []


def test_asked_for_they_come_by_addresses_that_tell_nothing(
    vlad: Client, pictures: PictureDouble
) -> None:
    frame = vlad.post(f"{MESSAGE}/body")
    place = f"{BASE}{MESSAGE}/pictures/"
    sources = SRC.findall(frame.text)
    assert len(sources) == 3
    assert all(source.startswith(place) for source in sources)
    assert "example" not in frame.text
    assert f"img-src data: {place};" in frame.headers["content-security-policy"]
    assert pictures.asked == []  # only when the browser wants them
    shown = vlad.get(sources[0])
    assert (shown.content, shown.headers["content-type"]) == (PICTURE.octets, "image/png")
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["cache-control"] == "no-store"
    missing = vlad.get(sources[1])
    assert missing.headers["content-type"] == "image/svg+xml"
    assert pictures.asked == [URL, "https://other.example/2.png"]
    again = SRC.findall(vlad.post(f"{MESSAGE}/body").text)
    assert not set(again) & set(sources)


def test_an_address_is_good_for_its_session_and_message_alone(
    vlad: Client, world: World, pictures: PictureDouble
) -> None:
    source = SRC.findall(vlad.post(f"{MESSAGE}/body").text)[0]
    other_message = source.replace(sample.entry_id(2), sample.entry_id(1))
    changed = source[:-3] + ("AAA" if source[-3:] != "AAA" else "BBB")
    again = Client(create_app(world.services(), world.settings)).sign_in()
    for client, wrong in (
        (vlad, other_message),
        (vlad, changed),
        (vlad, f"{BASE}{MESSAGE}/pictures/aHR0cHM6Ly90cmFjay5leGFtcGxl"),
        (again, source),
    ):
        assert client.get(wrong).headers["content-type"] == "image/svg+xml"
    assert pictures.asked == []
    unknown = source.replace(sample.entry_id(2), sample.entry_id(99))
    assert vlad.get(unknown).status_code == 404


def test_an_address_is_bound_to_its_person_too() -> None:
    sealed = sealed_address(b"k" * 32, b"vlad", URL)
    assert address_in(b"k" * 32, b"vlad", sealed) == URL
    assert address_in(b"k" * 32, b"maria", sealed) is None
    assert address_in(b"x" * 32, b"vlad", sealed) is None
    assert address_in(b"k" * 32, b"vlad", "A") is None


def test_where_they_are_switched_off_nothing_offers_them(
    world: World, pictures: PictureDouble
) -> None:
    world.pictures = None
    vlad = Client(create_app(world.services(), world.settings)).sign_in()
    page = vlad.get(MESSAGE).text
    assert "3 pictures from outside are off" in page
    assert "Show the pictures" not in page
    assert vlad.post(f"{MESSAGE}/body").status_code == 404


@pytest.mark.parametrize("host", ["127.0.0.1:8025;img-src *", "127.0.0.1:8025 *", "localhost"])
def test_the_policy_takes_nothing_else_of_a_header(
    vlad: Client, pictures: PictureDouble, host: str
) -> None:
    answer = vlad.post(f"{MESSAGE}/body", headers={"host": host})
    assert "*" not in answer.headers["content-security-policy"]
    if host == "localhost":
        policy = answer.headers["content-security-policy"]
        assert f"img-src data: http://localhost{MESSAGE}/pictures/;" in policy
    else:
        assert answer.status_code >= 400


def test_a_message_may_show_so_many_and_no_more() -> None:
    html = '<img src="https://a.example/1">' * (MOST_REMOTE + 50)
    page = sanitize_html(html, remote=lambda url: f"{BASE}/x")
    assert page.document.count(f'src="{BASE}/x"') == MOST_REMOTE
    assert page.blocked_images == MOST_REMOTE + 50


CONFIRMED = SenderCheck(by="mx", domain="x.example", passed=True, failed=False, results=())


def check(world: World, found: SenderCheck | None) -> None:
    place = world.reading.place_of(sample.entry_id(2))
    world.reading.letters[place] = replace(world.reading.letters[place], check=found)


def test_those_of_a_proven_sender_can_be_chosen_for_good(
    world: World, vlad: Client, pictures: PictureDouble
) -> None:
    assert "Always of this sender" not in vlad.get(MESSAGE).text
    assert vlad.post(f"{MESSAGE}/pictures", {"do": "always"}).status_code == 404
    check(world, CONFIRMED)
    assert "Always of this sender" in vlad.get(MESSAGE).text
    answer = vlad.post(f"{MESSAGE}/pictures", {"do": "always"})
    assert (answer.status_code, answer.headers["location"]) == (303, MESSAGE)
    page = vlad.get(MESSAGE).text
    assert "you have chosen that for this sender" in page
    assert "pictures from outside are off" not in page
    frame = vlad.get(f"{MESSAGE}/body")
    assert len(SRC.findall(frame.text)) == 3
    assert f"img-src data: {BASE}{MESSAGE}/pictures/;" in frame.headers["content-security-policy"]
    assert "Pictures of 1 sender are always shown." in vlad.get("/settings").text


def test_without_the_proof_or_the_choice_they_are_off_again(
    world: World, vlad: Client, pictures: PictureDouble
) -> None:
    check(world, CONFIRMED)
    vlad.post(f"{MESSAGE}/pictures", {"do": "always"})
    check(world, replace(CONFIRMED, passed=False))
    assert vlad.get(f"{MESSAGE}/body").headers["content-security-policy"] == FRAME_CSP
    assert "pictures from outside are off" in vlad.get(MESSAGE).text
    check(world, CONFIRMED)
    vlad.post(f"{MESSAGE}/pictures", {"do": "ask"})
    assert SRC.search(vlad.get(f"{MESSAGE}/body").text) is None
    vlad.post(f"{MESSAGE}/pictures", {"do": "always"})
    assert vlad.post("/settings/pictures").status_code == 303
    assert SRC.search(vlad.get(f"{MESSAGE}/body").text) is None
    assert "always shown" not in vlad.get("/settings").text
