"""What holds for every request: host, origin, form token, size, headers, cookies."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from app.web import create_app
from app.web.middleware import BODY_LIMIT, UPLOAD_LIMIT
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World
from tests.app.web.settings_double import Settings

ENTRY = sample.entry_id(1)


@pytest.fixture
def https(world: World) -> Client:
    """The site as people reach it over TLS, with somebody signed in."""
    settings = replace(world.settings, public_url="https://mail.acme.example")
    world.settings = settings
    return Client(create_app(world.services(), settings), "https://mail.acme.example").sign_in()


def policy_of(client: Client, path: str) -> str:
    return client.get(path).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/login", "/nothing", "/healthz", "/mail/inbox", "/settings"])
def test_every_answer_carries_the_headers(vlad: Client, path: str) -> None:
    headers = vlad.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "camera=()" in headers["permissions-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


def test_a_page_runs_only_scripts_with_its_own_nonce(vlad: Client) -> None:
    page = vlad.get("/mail/inbox")
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]{24})';", policy)
    assert nonce is not None
    scripts = re.findall(r"<script[^>]*>", page.text)
    assert scripts
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
    assert policy != policy_of(vlad, "/mail/inbox")
    for promise in (
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ):
        assert promise in policy
    assert "unsafe" not in policy


def test_no_page_has_inline_script_or_style(vlad: Client) -> None:
    for path in ("/login", "/mail/inbox", f"/mail/inbox/{ENTRY}", "/compose/new", "/settings"):
        page = vlad.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), path
        assert not re.search(r"<script(?![^>]*\ssrc=)", page), path


def test_over_tls_the_session_is_bound_to_the_host(https: Client) -> None:
    # One header for all cookies; none of ours has a comma in it.
    [set_cookie] = [one for one in https.session_cookie.split(", ") if one.startswith("__Host-la=")]
    for promise in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert promise in set_cookie
    assert "Domain" not in set_cookie
    assert "Max-Age" not in set_cookie  # ends with the browser
    assert https.get("/mail/inbox").headers["strict-transport-security"] == "max-age=31536000"


def test_over_tls_no_cookie_can_be_set_by_a_sibling_host(https: Client) -> None:
    https.post("/settings/look", {"theme": "dark", "density": "compact"})
    https.cookies.set("look", "light.comfortable..messages", domain="mail.acme.example")
    https.cookies.set("__Host-tz", "Asia/Tokyo", domain="mail.acme.example")
    https.cookies.set("tz", "Europe/Berlin", domain="mail.acme.example")
    page = https.get("/settings").text
    assert 'data-theme="dark"' in page
    assert 'data-zone-cookie="__Host-tz"' in page
    assert "17:02:00 JST" in page
    ours = {name for name in https.cookies if name not in ("look", "tz")}
    assert {"__Host-la", "__Host-look"} <= ours
    assert all(name.startswith("__Host-") for name in ours)


def test_on_plain_http_to_a_name_the_referrer_stays_so_that_origin_tells(world: World) -> None:
    settings = Settings(public_url="http://mail.intranet.example")
    world.settings = settings
    client = Client(create_app(world.services(), settings), settings.public_url)
    assert client.get("/login").headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost."])
def test_another_host_name_is_refused(vlad: Client, host: str) -> None:
    answer = vlad.get("/mail/inbox", headers={"host": host})
    assert answer.status_code == 400
    assert "Inbox" not in answer.text


def test_a_probe_may_ask_by_any_name(stranger: Client) -> None:
    assert stranger.get("/healthz", headers={"host": "10.0.0.7:8025"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8025"},
        {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/login", "/logout", "/mail/inbox"])
def test_what_another_site_sends_is_refused(
    world: World, vlad: Client, path: str, headers: dict[str, str]
) -> None:
    before = len(world.accounts.attempts)
    assert vlad.post(path, {"do": "delete", "ids": ENTRY}, headers=headers).status_code == 403
    assert len(world.accounts.attempts) == before
    assert vlad.get(f"/mail/inbox/{ENTRY}").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8025"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8025"},
    ],
)
def test_what_our_own_page_sends_is_taken(vlad: Client, headers: dict[str, str]) -> None:
    form = {"do": "star", "ids": ENTRY}
    assert vlad.post("/mail/inbox", form, headers=headers).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "x" * 43, "é"])
def test_a_form_without_the_token_of_its_session_is_refused(vlad: Client, token: str) -> None:
    form = {"csrf": token, "do": "delete", "ids": ENTRY}
    assert vlad.raw_post("/mail/inbox", data=form).status_code == 403


def test_the_token_of_another_session_is_refused(app: FastAPI, vlad: Client) -> None:
    other = Client(app).sign_in("maria@acme.example").token()
    form = {"csrf": other, "do": "delete", "ids": ENTRY}
    assert vlad.raw_post("/mail/inbox", data=form).status_code == 403


def test_a_body_beyond_its_limit_is_refused(vlad: Client) -> None:
    answer = vlad.post("/mail/inbox", {"do": "star", "ids": "x" * BODY_LIMIT})
    assert answer.status_code == 413
    assert "25 MB" in answer.text


def test_a_body_that_says_no_length_is_counted(vlad: Client) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * (BODY_LIMIT // 20)

    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = vlad.raw_post("/mail/inbox", content=endless(), headers=form)
    assert answer.status_code == 413


def test_an_upload_may_be_larger_but_not_without_end(vlad: Client) -> None:
    form = {"csrf": vlad.token(), "to": "a@b.example", "from": "i0"}
    fits = {"attachments": ("a.bin", b"x" * (2 * BODY_LIMIT))}
    assert vlad.raw_post("/compose/new", data=form, files=fits).status_code == 303
    over = {"attachments": ("a.bin", b"x" * UPLOAD_LIMIT)}
    assert vlad.raw_post("/compose/new", data=form, files=over).status_code == 413


def test_a_method_that_no_page_uses_is_refused(vlad: Client) -> None:
    assert vlad.send("PUT", "/mail/inbox").status_code == 405
    assert vlad.send("DELETE", f"/mail/inbox/{ENTRY}").status_code == 405


def test_nothing_of_the_framework_is_public(stranger: Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert stranger.get(path).status_code == 404
    assert "server" not in stranger.get("/login").headers
