"""Signing in and out."""

import pytest
from fastapi import FastAPI

from app.web import create_app
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

RIGHT = {"username": "vlad@acme.example", "password": sample.PASSWORD}


def test_the_form_has_the_fields_that_scripts_rely_on(stranger: Client) -> None:
    page = stranger.get("/login").text
    assert 'name="username"' in page
    assert 'name="password" type="password"' in page
    assert 'name="public"' in page


def test_the_right_password_leads_to_the_mail(stranger: Client) -> None:
    answer = stranger.raw_post("/login", data=RIGHT)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert stranger.get("/mail/inbox").status_code == 200


@pytest.mark.parametrize("wrong", [{"password": "nope"}, {"username": "who@acme.example"}])
def test_a_wrong_one_says_the_same_whatever_was_wrong(
    stranger: Client, wrong: dict[str, str]
) -> None:
    answer = stranger.raw_post("/login", data=RIGHT | wrong)
    assert answer.status_code == 401
    assert "That address and password do not go together." in answer.text
    assert "Your LiveArchive password is not the one of your mail server." in answer.text
    assert "set-cookie" not in answer.headers


def test_the_password_never_comes_back(stranger: Client) -> None:
    typed = "sEcret-never-shown"
    answer = stranger.raw_post("/login", data=RIGHT | {"password": typed})
    assert typed not in answer.text
    assert 'value="vlad@acme.example"' in answer.text


def test_too_many_attempts_say_how_long_to_wait(world: World, stranger: Client) -> None:
    world.accounts.throttled = 130
    answer = stranger.raw_post("/login", data=RIGHT)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "130")
    assert "Try again in 3 minutes." in answer.text


def test_an_attempt_says_where_it_came_from(world: World, stranger: Client) -> None:
    stranger.raw_post("/login", data=RIGHT | {"public": "yes"}, headers={"user-agent": "Test/1"})
    attempt = world.accounts.attempts[-1]
    assert (attempt.client_ip, attempt.user_agent) == ("198.51.100.7", "Test/1")
    assert attempt.public_computer
    assert sample.PASSWORD not in repr(attempt)


def test_a_form_without_fields_is_a_refused_attempt(stranger: Client) -> None:
    assert stranger.raw_post("/login", data={"other": "x"}).status_code == 401


def test_a_new_session_has_a_new_token(vlad: Client) -> None:
    before = vlad.cookies["la"]
    vlad.sign_in()
    assert vlad.cookies["la"] != before


def test_who_is_signed_in_needs_no_form(vlad: Client) -> None:
    assert vlad.get("/login").headers["location"] == "/mail/inbox"


def test_a_borrowed_computer_is_told_when_it_ends(app: FastAPI) -> None:
    client = Client(app).sign_in(public="yes")
    page = client.get("/mail/inbox").text
    assert "This computer is not yours: sign out before you leave." in page
    assert "Sign out now" in page


def test_a_borrowed_computer_keeps_no_subject_in_its_history(app: FastAPI, vlad: Client) -> None:
    path = f"/mail/inbox/{sample.entry_id(1)}"
    borrowed = Client(app).sign_in(public="yes")
    assert ") Purchase order 4471" in vlad.get(path).text
    assert ") Message - LiveArchive</title>" in borrowed.get(path).text


def test_signing_out_ends_the_session_and_clears_the_browser(world: World, vlad: Client) -> None:
    kept = dict(vlad.cookies)
    answer = vlad.post("/logout")
    assert answer.headers["location"] == "/login"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    dropped = [value for value in answer.headers.get_list("set-cookie") if "Max-Age=0" in value]
    assert {value.partition("=")[0] for value in dropped} == {"la", "step", "done", "find"}
    assert world.accounts.visits == {}
    again = Client(create_app(world.services(), world.settings))
    again.cookies.update(kept)
    assert again.get("/mail/inbox").headers["location"] == "/login"


def test_before_signing_in_nothing_is_told_of_a_company(stranger: Client) -> None:
    page = stranger.get("/login").text
    assert "acme" not in page
    assert "since" not in page
