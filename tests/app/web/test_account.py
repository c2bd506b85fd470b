"""A person's own settings."""

import re
from collections.abc import Callable

import pytest

from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World


def test_identities_and_sessions_are_listed(vlad: Client) -> None:
    page = vlad.get("/settings").text
    for words in (
        "sales@acme.example",
        "Vlad Mazek, Acme Sales",
        "Safari on iPhone",
        "Firefox on Linux",
        "2001:db8:0:7::1",
        "This one, now",
    ):
        assert words in page


def test_every_section_has_a_link_beside_it(vlad: Client) -> None:
    page = vlad.get("/settings").text
    sections = re.findall(r'<section class="[^"]*" id="([^"]+)"', page)
    assert "outside" in sections
    assert re.findall(r'class="nav-item" href="#([^"]+)"', page) == sections


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_in_the_page_before_any_script(vlad: Client, theme: str) -> None:
    vlad.post("/settings/look", {"theme": theme, "density": "compact"})
    page = vlad.get("/mail/inbox").text
    assert f'<html lang="en" dir="ltr" data-theme="{theme}" data-density="compact">' in page
    assert f'<meta name="color-scheme" content="{theme}">' in page


@pytest.mark.parametrize("look", ["", "dark", 'dark"><script>.x', "a.b.c", "a.b.c.d"])
def test_an_unknown_look_is_the_usual_one(vlad: Client, look: str) -> None:
    page = vlad.get("/settings", headers={"cookie": f"la={vlad.cookies['la']}; look={look}"}).text
    assert "<script>." not in page
    assert "data-density" not in page


def test_a_nonsense_choice_is_the_usual_one(vlad: Client) -> None:
    vlad.post("/settings/look", {"theme": "pink", "density": "loose", "view": "upside"})
    assert vlad.cookies["look"] == "auto.comfortable..messages.right..delete.on.off"


def test_a_chosen_time_zone_is_stronger_than_the_browsers(vlad: Client) -> None:
    vlad.cookies.set("tz", "Asia/Tokyo")
    page = vlad.get("/settings").text
    tokyo = re.search(r"Now it is (\d+):", page)
    vlad.post("/settings/look", {"zone": "America/Argentina/Salta"})
    page = vlad.get("/settings").text
    salta = re.search(r"Now it is (\d+):", page)
    assert tokyo
    assert salta
    assert (int(tokyo[1]) - int(salta[1])) % 24 == 12
    assert '<option value="America/Argentina/Salta" selected>Argentina, Salta</option>' in page
    vlad.post("/settings/look", {"zone": "Nowhere/Land"})
    assert "America/Argentina/Salta" in vlad.cookies["look"]
    vlad.post("/settings/look", {"zone": ""})
    assert "Salta" not in vlad.cookies["look"]


def test_what_is_not_in_the_form_stays_as_it_was(vlad: Client) -> None:
    vlad.post("/settings/look", {"theme": "dark", "pane": "below", "swipe": "archive"})
    vlad.post("/settings/look", {"keys": "off"})
    assert vlad.cookies["look"] == "dark.comfortable..messages.below..archive.off.off"
    page = vlad.get("/mail/inbox").text
    assert 'data-pane="below" data-keys="off"' in page
    assert 'data-swipe="archive"' in page


def test_the_password_is_changed_and_said(vlad: Client) -> None:
    new = {"old": sample.PASSWORD, "new": "a sentence is easy to keep"}
    assert vlad.post("/settings/password", new).status_code == 303
    assert "Your password is changed." in vlad.get("/settings").text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"old": "wrong", "new": "seven lanterns swim"}, "That is not your password now."),
        ({"old": sample.PASSWORD, "new": "Xq7-typed"}, "Twelve characters at least."),
    ],
)
def test_a_password_that_cannot_be_is_told(
    vlad: Client, fields: dict[str, str], words: str
) -> None:
    answer = vlad.post("/settings/password", fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert fields["new"] not in answer.text


def test_sessions_can_be_ended(vlad: Client) -> None:
    assert vlad.post("/settings/sessions/s2").status_code == 303
    assert "That session has ended." in vlad.get("/settings").text
    assert vlad.post("/settings/sessions/others").status_code == 303
    assert vlad.post("/settings/sessions/of-somebody-else").status_code == 404


def test_who_may_not_send_has_no_identities(sign_in: Callable[[str], Client]) -> None:
    assert 'id="identities"' in sign_in("maria@acme.example").get("/settings").text
    assert 'id="identities"' not in sign_in("audit@acme.example").get("/settings").text


def test_how_one_writes_is_set_without_a_script(vlad: Client, world: World) -> None:
    fields = {"signature-i1": "Vlad <Mazek>\r\nAcme", "format": "rich", "quoting": "above"}
    assert vlad.post("/settings/writing", fields).status_code == 303
    page = vlad.get("/settings").text
    assert "Saved: your next mail is written so." in page
    assert re.search(r'name="signature-i1"[^>]*>\nVlad &lt;Mazek&gt;\nAcme</textarea>', page)
    assert 'value="rich" checked' in page
    assert 'value="above" checked' in page
    assert 'data-signature="Vlad &lt;Mazek&gt;\nAcme"' in vlad.get("/compose/new").text
    vlad.post("/settings/writing", {"format": "pink", "quoting": "loose"})
    assert (world.habits.kept.rich, world.habits.kept.quoting) == (False, "below")


def test_a_signature_that_is_too_long_is_told_beside_its_field(vlad: Client) -> None:
    answer = vlad.post("/settings/writing", {"signature-i1": "x" * 4_001})
    assert answer.status_code == 422
    assert re.search(r'aria-describedby="e-signature-i1"', answer.text)
    assert "at most 4,000 characters" in answer.text
