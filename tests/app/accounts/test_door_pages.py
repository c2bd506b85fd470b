"""The pages of the door over a real database: what half a log-in opens, and what they leave."""

import re
from pathlib import Path

import pytest
from fastapi import FastAPI

from app.web.access import matrix
from archive_store import ids
from tests.app.accounts.conftest import PASSWORD, Town
from tests.app.accounts.house import MARIA, VLAD, House
from tests.app.web.client import Client
from tests.app.web.test_access import path_of

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
FORM = {"username": VLAD, "password": PASSWORD.reveal()}
CODE = re.compile(r"<li>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</li>")
SECRET = re.compile(r"secret-key\">([A-Z2-7]{32})<")


@pytest.fixture
def house(town: Town, tmp_path: Path) -> House:
    return House(town, tmp_path / "house")


@pytest.fixture
def app(house: House) -> FastAPI:
    return house.pages()


@pytest.fixture
def client(app: FastAPI) -> Client:
    return Client(app)


def test_half_a_log_in_opens_no_page(house: House, app: FastAPI, client: Client) -> None:
    totp = house.with_app()
    client.cookies.set("la", "planted by somebody", domain="127.0.0.1")
    answer = client.raw_post("/login", data=FORM)
    assert answer.headers["location"] == "/login/second"
    step = client.cookies["step"]
    guarded = [line for line in matrix(app) if not line.rule.public]
    for token in ("", step):
        client.cookies.set("la", token, domain="127.0.0.1")
        for line in guarded:
            refused = client.send(line.method, path_of(line))
            assert refused.status_code == (303 if line.method == "GET" else 401), line
            assert refused.headers.get("location", "/login") == "/login", line
    assert client.raw_post("/login/second", data={"code": "000000"}).status_code == 401
    done = client.raw_post("/login/second", data={"code": house.shown(totp).reveal()})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.cookies["la"] not in ("", step, "planted by somebody")
    assert "step" not in client.cookies
    assert client.get("/settings").status_code == 200


def test_a_step_that_was_planted_leads_back_to_the_door(house: House, client: Client) -> None:
    house.with_app()
    client.cookies.set("step", "planted", domain="127.0.0.1")
    answer = client.raw_post("/login/second", data={"code": "000000"})
    assert answer.status_code == 401
    assert "Begin again" in answer.text
    assert "la" not in client.cookies


def test_a_public_computer_is_not_known_again(client: Client) -> None:
    client.raw_post("/login", data=FORM | {"public": "yes"})
    assert "device" not in client.cookies
    page = client.get("/settings")
    assert page.headers["cache-control"] == "no-store"
    assert "Sign out everywhere" in page.text
    left = client.post("/logout/everywhere")
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    assert not {"la", "step", "device", "look", "tz"} & set(client.cookies)
    client.raw_post("/login", data=FORM)
    assert "device" in client.cookies


def test_signing_out_everywhere_ends_every_session(app: FastAPI, client: Client) -> None:
    other = Client(app)
    for one in (client, other):
        one.raw_post("/login", data=FORM)
    client.post("/logout/everywhere")
    assert other.get("/settings").headers["location"] == "/login"


def test_a_list_is_made_after_a_proof_and_lets_in(
    house: House, app: FastAPI, client: Client
) -> None:
    client.raw_post("/login", data=FORM)
    house.later(minutes=11)
    asked = client.get("/settings/login")
    assert asked.headers["location"] == "/settings/confirm?after=methods"
    wrong = client.post("/settings/confirm", {"password": "wrong", "after": "methods"})
    assert wrong.status_code == 422
    before = client.cookies["la"]
    for after, place in (("methods", "/settings/login"), ("//evil.example", "/settings/login")):
        proof = {"password": PASSWORD.reveal(), "after": after}
        assert client.post("/settings/confirm", proof).headers["location"] == place
    assert client.cookies["la"] != before
    codes = CODE.findall(client.post("/settings/login/codes", {"do": "make"}).text)
    assert len(codes) == 10
    guest = Client(app)
    form = {"username": VLAD, "code": codes[4]}
    assert guest.raw_post("/login/code", data=form).status_code == 303
    assert "device" not in guest.cookies
    assert "your account cannot be changed from here" in guest.get("/settings").text
    assert guest.get("/settings/login").headers["location"].startswith("/settings/confirm")
    assert "which is for reading and answering" in guest.get("/settings/confirm").text
    assert guest.raw_post("/login/code", data=form).status_code == 401


def test_an_app_is_set_up_with_its_first_code(house: House, client: Client) -> None:
    client.raw_post("/login", data=FORM)
    shown = client.post("/settings/login/app", {"do": "begin"}).text
    [secret] = SECRET.findall(shown)
    assert "data:image/svg+xml" in shown
    again = client.post("/settings/login/app", {"do": "confirm", "code": "000000"})
    assert again.status_code == 422
    assert SECRET.findall(again.text) == [secret]
    app = house.app_of(secret)
    code = house.shown(app).reveal()
    assert client.post("/settings/login/app", {"do": "confirm", "code": code}).status_code == 303
    assert secret not in client.get("/settings/login").text


def test_anothers_passkey_and_person_are_not_here(house: House, client: Client) -> None:
    house.with_passkey(MARIA)
    [key] = house.own.methods(house.town.viewer(MARIA, house.now)).passkeys
    client.raw_post("/login", data=FORM)
    assert client.post(f"/settings/login/passkeys/{key.id}").status_code == 404
    client.raw_post("/login", data=FORM | {"username": "eve@other.example"})
    vlad = ids.show(house.town.user(VLAD).id)
    assert client.get(f"/admin/users/{vlad}/login").status_code == 404
    for verb in ("code", "methods"):
        assert client.post(f"/admin/users/{vlad}/{verb}").status_code == 404


def test_the_log_in_is_sent_from_our_own_pages_alone(client: Client) -> None:
    for path in (
        "/login",
        "/login/code",
        "/login/second",
        "/login/passkey",
        "/login/passkey/start",
    ):
        answer = client.raw_post(path, data=FORM, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403
