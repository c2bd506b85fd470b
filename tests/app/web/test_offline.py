"""What a browser may keep: said with each answer, to those alone who may and want it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi import FastAPI

from app.viewer import Role
from app.web import create_app
from app.web.statics import product_files
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

MARK = "LiveArchive-Offline"
MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"
WEEK = 7 * 24 * 3600


def switched_on(client: Client) -> Client:
    assert client.post("/settings/offline", {"offline": "on"}).status_code == 303
    return client


def permit(client: Client) -> str:
    permit, _, _ = client.get("/settings").headers[MARK].partition(";")
    return permit


def test_nothing_may_be_kept_until_somebody_wants_it(vlad: Client) -> None:
    assert vlad.get("/mail/inbox").headers[MARK] == "none"
    switched_on(vlad)
    assert re.fullmatch(rf"[\w-]{{24}}; for={WEEK}", vlad.get("/mail/inbox").headers[MARK])
    vlad.post("/settings/offline", {"offline": "off"})
    assert vlad.get("/mail/inbox").headers[MARK] == "none"


@pytest.mark.parametrize("path", [MESSAGE, f"{MESSAGE}/body", f"{MESSAGE}/card"])
def test_a_message_may_be_kept_until_it_is_over(vlad: Client, path: str) -> None:
    seconds = WEEK - int(timedelta(hours=0.2).total_seconds())
    assert switched_on(vlad).get(path).headers[MARK].endswith(f"; for={seconds}")


def test_a_conversation_may_be_kept_until_its_oldest_message_is_over(
    world: World, vlad: Client
) -> None:
    vlad.post("/settings/look", {"view": "conversations"})
    talk = [letter.row for letter in world.reading.letters if letter.talk == "order"]
    oldest = min(row.received_at for row in talk)
    left = WEEK - int((sample.NOW - oldest).total_seconds())
    assert switched_on(vlad).get(MESSAGE).headers[MARK].endswith(f"; for={left}")


@pytest.mark.parametrize(
    "path",
    [
        f"{MESSAGE}/attachments/0",
        f"{MESSAGE}/source/text",
        f"{MESSAGE}/original",
        f"{MESSAGE}/print",
        "/settings",
        "/compose/new",
    ],
)
def test_nothing_else_may_be_kept(vlad: Client, path: str) -> None:
    assert "for=" not in switched_on(vlad).get(path).headers[MARK]


def test_pictures_from_outside_are_not_kept(vlad: Client) -> None:
    answer = switched_on(vlad).post(f"{MESSAGE}/body")
    assert answer.status_code == 200
    assert "for=" not in answer.headers[MARK]


def test_a_public_computer_keeps_nothing_and_is_not_asked(app: FastAPI) -> None:
    client = switched_on(Client(app).sign_in())  # the person's own browser, then as a public one
    client.sign_in(public="yes")
    assert client.get("/mail/inbox").headers[MARK] == "none"
    assert "Read offline on this device" not in client.get("/settings").text
    assert client.post("/settings/offline", {"offline": "on"}).status_code == 404
    assert "offline" in client.cookies
    client.post("/logout")
    assert "offline" not in client.cookies


def test_a_session_of_a_code_keeps_nothing(world: World, vlad: Client) -> None:
    switched_on(vlad)
    visits = world.accounts.visits
    for token, visit in visits.items():
        visits[token] = replace(visit, limited=True)
    assert vlad.get("/mail/inbox").headers[MARK] == "none"
    assert vlad.post("/settings/offline", {"offline": "on"}).status_code == 404


def test_another_person_in_the_same_browser_keeps_nothing(vlad: Client) -> None:
    switched_on(vlad).sign_in("maria@acme.example")
    assert vlad.get("/mail/inbox").headers[MARK] == "none"


def test_what_the_operator_forbids_is_not_there() -> None:
    world = World(settings=replace(World().settings, offline=False))
    vlad = Client(create_app(world.services(), world.settings)).sign_in()
    assert vlad.post("/settings/offline", {"offline": "on"}).status_code == 404
    assert "Read offline on this device" not in vlad.get("/settings").text
    assert vlad.get("/mail/inbox").headers[MARK] == "none"


def test_a_session_that_ended_is_told_so(world: World, vlad: Client) -> None:
    switched_on(vlad)
    world.accounts.visits.clear()
    assert vlad.get("/login").headers[MARK] == "none"
    assert vlad.get("/mail/inbox").headers[MARK] == "none"


def test_what_does_not_ask_for_a_session_says_nothing(vlad: Client) -> None:
    for path in ("/healthz", "/worker.js", "/offline", "/mail/inbox/aaaaaaaaaaaaaaaaaaaaaaaaaa"):
        assert MARK not in switched_on(vlad).get(path).headers


def test_a_new_session_and_a_new_role_have_another_permit(world: World, vlad: Client) -> None:
    first = permit(switched_on(vlad))
    assert permit(vlad) == first
    visits = world.accounts.visits
    for token, visit in visits.items():
        user = replace(visit.viewer.user, role=Role.DOMAIN_ADMIN)
        visits[token] = replace(visit, viewer=replace(visit.viewer, user=user))
    second = permit(vlad)
    third = permit(vlad.sign_in())
    assert len({first, second, third}) == 3


def test_only_where_it_is_on_may_a_page_register_the_worker(vlad: Client) -> None:
    before = vlad.get("/mail/inbox").headers["Content-Security-Policy"]
    assert "trusted-types 'none'" in before
    assert "worker-src" not in before
    after = switched_on(vlad).get("/mail/inbox")
    assert (
        "trusted-types livearchive-worker; worker-src 'self'"
        in (after.headers["Content-Security-Policy"])
    )
    assert 'data-worker="/worker.js"' in after.text


def test_the_worker_names_files_that_are_there(stranger: Client) -> None:
    answer = stranger.get("/worker.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    shell = json.loads(answer.text.split("serve(", 1)[1].removesuffix(");\n"))
    assert shell["digest"] == product_files().digest
    assert shell["days"] == 7
    for path in (*shell["files"], answer.text.split('"')[1]):
        assert stranger.get(path).status_code == 200
    assert not [path for path in shell["files"] if "/vendor/" in path]


def test_the_app_can_be_installed(stranger: Client) -> None:
    page = stranger.get("/login").text
    path = re.search(r'<link rel="manifest" href="([^"]+)">', page)
    assert path
    manifest = stranger.get(path[1])
    assert manifest.headers["content-type"] == "application/manifest+json"
    folder = path[1].rsplit("/", 1)[0]
    for icon in manifest.json()["icons"]:
        drawn = stranger.get(f"{folder}/{icon['src']}").content
        width = int.from_bytes(drawn[16:20])
        assert icon["sizes"] == f"{width}x{width}"


def test_a_browser_hears_what_is_deleted_or_in_the_trash(world: World, vlad: Client) -> None:
    there, trashed, never = sample.entry_id(1), sample.entry_id(2), "a" * 26
    world.reading.delete(None, [trashed])  # type: ignore[arg-type] # nobody in particular
    used = world.accounts.used
    token = vlad.token()
    form = {"ids": [there, trashed, never, "../x"], "csrf": token}
    assert vlad.raw_post("/offline/gone", data=form).json() == {"gone": [trashed, never, "../x"]}
    assert (
        world.accounts.used == used + 1
    )  # for the page of the token: the question keeps nothing alive


def test_nobody_asks_without_the_token_of_the_session(
    vlad: Client, sign_in: Callable[[str], Client]
) -> None:
    assert vlad.raw_post("/offline/gone", data={"ids": "x"}).status_code == 403
    assert vlad.raw_post("/settings/offline", data={"offline": "on"}).status_code == 403
    auditor = sign_in("audit@acme.example")
    assert auditor.post("/settings/offline", {"offline": "on"}).status_code == 404
