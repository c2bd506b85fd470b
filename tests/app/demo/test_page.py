"""The demo's page over a real stand-in: what it shows, what its buttons do, who may press them."""

import asyncio
import re
import smtplib
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.demo.control import StandInControl
from app.demo.page import demo_page
from app.web.access import LOCAL, matrix
from app.web.site import create_app
from tests.app.demo.conftest import StandInProcess
from tests.app.web.double import World

HERE, ELSEWHERE = "127.0.0.1", "198.51.100.7"


class Browser:
    def __init__(self, app: FastAPI, client: str = HERE) -> None:
        transport = httpx.ASGITransport(app=app, client=(client, 40_000))
        self._http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8025")

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._http.request(method, path, **options))

    def press(self, wish: str, **options: Any) -> httpx.Response:
        found = re.search(r'name="csrf" value="([^"]+)"', self.send("GET", "/demo").text)
        assert found is not None
        fields = {"csrf": found[1], "do": wish}
        return self.send("POST", "/demo/server", data=fields, **options)


def site(control: StandInControl) -> FastAPI:
    world = World()
    extra = demo_page(control, "127.0.0.1:2525")
    return create_app(world.services(), world.settings, [extra])


@pytest.fixture
def app(used_standin: StandInProcess) -> FastAPI:
    return site(used_standin.control)


def test_the_page_shows_what_arrived_and_what_left(standin: StandInProcess) -> None:
    subject = b"Subject: <b> =?utf-8?q?Gr=C3=BC=C3=9Fe?= </b>"
    message = b"Received: x\r\nReceived: y\r\n" + subject + b"\r\n\r\nsecret\r\n"
    for server, to in ((standin.primary, "vlad@acme.example"), (standin.outside, "h@b.example")):
        with smtplib.SMTP(*server) as smtp:
            smtp.sendmail("a@b.example", [to], message)
    answer = Browser(site(standin.control)).send("GET", "/demo")
    assert answer.status_code == 200
    text = answer.text
    assert text.count("&lt;b&gt; Grüße &lt;/b&gt;") == 2
    assert "vlad@acme.example" in text
    assert "h@b.example" in text
    assert "secret" not in text
    assert text.count('data-label="Received lines">2<') == 2
    assert "127.0.0.1:2525" in text


def test_the_buttons_stop_and_start_the_primary(app: FastAPI, used_standin: StandInProcess) -> None:
    browser = Browser(app)
    answer = browser.press("stop")
    assert (answer.status_code, answer.headers["location"]) == (303, "/demo")
    assert not used_standin.control.status().primary.up
    page = browser.send("GET", "/demo").text
    assert "Down since" in page
    assert "Start the mail server" in page

    browser.press("start")
    assert used_standin.control.status().primary.up
    assert "Stop the mail server" in browser.send("GET", "/demo").text


@pytest.mark.parametrize("mode", ["slow", "refuse", "reject", "normal"])
def test_the_other_buttons_set_the_mode(
    app: FastAPI, used_standin: StandInProcess, mode: str
) -> None:
    assert Browser(app).press(mode).status_code == 303
    assert used_standin.control.status().primary.mode == mode


def test_a_form_without_the_pages_token_or_from_another_site_does_nothing(
    app: FastAPI, used_standin: StandInProcess
) -> None:
    browser = Browser(app)
    for fields in ({"do": "stop"}, {"do": "stop", "csrf": "guess"}, {"do": "stop", "csrf": "ä"}):
        assert browser.send("POST", "/demo/server", data=fields).status_code == 403
    assert browser.press("stop", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.press("stop", headers={"Origin": "https://evil.example"}).status_code == 403
    assert browser.send("GET", "/demo/server").status_code in (404, 405)
    assert browser.press("format").status_code == 400
    assert used_standin.control.status().primary.up


def test_only_this_machine_may_see_or_use_it(app: FastAPI, used_standin: StandInProcess) -> None:
    far = Browser(app, ELSEWHERE)
    assert far.send("GET", "/demo").status_code == 404
    assert far.send("POST", "/demo/server", data={"do": "stop"}).status_code == 404
    forwarded = {"X-Forwarded-For": "198.51.100.7"}
    assert Browser(app).send("GET", "/demo", headers=forwarded).status_code == 404
    assert used_standin.control.status().primary.up
    lines = [line for line in matrix(app) if line.path.startswith("/demo")]
    assert {line.rule for line in lines} == {LOCAL}


def test_without_a_stand_in_the_page_says_so(used_standin: StandInProcess) -> None:
    nobody = Browser(site(StandInControl(used_standin.folder / "nobody.sock")))
    answer = nobody.send("GET", "/demo")
    assert answer.status_code == 200
    assert "does not answer" in answer.text


def test_a_button_pressed_after_the_stand_in_died_is_a_503(standin: StandInProcess) -> None:
    browser = Browser(site(standin.control))
    page = browser.send("GET", "/demo").text
    token = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    standin.stop()
    answer = browser.send("POST", "/demo/server", data={"csrf": token, "do": "stop"})
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_the_page_is_linked_for_those_who_are_signed_in(app: FastAPI) -> None:
    assert app.state.extras == [("Demo", "demo")]
