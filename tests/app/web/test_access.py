"""Who may call what: the matrix, read from the app itself and tried for everybody."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from fastapi import APIRouter, FastAPI

from app.leaving_views import Leaving
from app.viewer import Role
from app.views import Outgoing
from app.web import Extra, create_app
from app.web.access import Line, Unguarded, matrix
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

WHO = {
    "user": "vlad@acme.example",
    "domain-admin": "maria@acme.example",
    "auditor": "audit@acme.example",
    "service-provider": "provider@livearchive.example",
}
MAY: dict[str, set[str]] = {
    "signed in": set(WHO),
    "own mail": {"user", "domain-admin"},
    "operators": {"domain-admin", "service-provider"},
    "service provider": {"service-provider"},
    "audit trail": {"domain-admin", "auditor", "service-provider"},
    "auditor": {"auditor"},
}
# The whole table, so that a route cannot change hands by accident.
TABLE = {
    "anyone": """
        GET /healthz
        HEAD /healthz
        GET /readyz
        HEAD /readyz
        GET /static/{digest}/{name:path}
        GET /worker.js
        GET /offline
        GET /offline/write
        GET /login
        POST /login
        POST /language
        GET /login/code
        POST /login/code
        GET /login/second
        POST /login/second
        POST /login/passkey/start
        POST /login/passkey
    """,
    "this machine": "GET /metrics",
    "signed in": """
        GET /
        POST /logout
        POST /logout/everywhere
        GET /alive
        GET /settings
        POST /settings/look
        POST /settings/password
        POST /settings/sessions/others
        POST /settings/sessions/{session_id}
        GET /settings/login
        POST /settings/login/codes
        POST /settings/login/app
        POST /settings/login/passkeys/start
        POST /settings/login/passkeys
        POST /settings/login/passkeys/{passkey_id}
        GET /settings/confirm
        POST /settings/confirm
        POST /settings/told
    """,
    "own mail": """
        GET /live
        POST /offline/gone
        POST /settings/offline
        GET /mail/scheduled
        POST /mail/scheduled
        GET /mail/{folder}
        GET /mail/{folder}/pulse
        POST /mail/{folder}
        GET /mail/{folder}/{entry_id}
        POST /mail/{folder}/{entry_id}
        GET /mail/{folder}/{entry_id}/body
        POST /mail/{folder}/{entry_id}/body
        POST /mail/{folder}/{entry_id}/pictures
        GET /mail/{folder}/{entry_id}/pictures/{sealed}
        POST /mail/{folder}/{entry_id}/invitation
        GET /mail/{folder}/{entry_id}/unsubscribe
        POST /mail/{folder}/{entry_id}/unsubscribe
        GET /mail/{folder}/{entry_id}/unsubscribe/letter
        GET /mail/{folder}/{entry_id}/source
        GET /mail/{folder}/{entry_id}/source/text
        GET /mail/{folder}/{entry_id}/original
        GET /mail/{folder}/{entry_id}/attachments/{index}
        GET /mail/{folder}/{entry_id}/attachments/{index}/mail
        GET /mail/{folder}/{entry_id}/attachments/{index}/mail/body
        GET /mail/{folder}/{entry_id}/attachments/{index}/mail/print
        GET /mail/{folder}/{entry_id}/attachments/{index}/pages
        GET /mail/{folder}/{entry_id}/attachments/{index}/pages/{number}
        GET /mail/{folder}/{entry_id}/attachments/{index}/preview/{size}
        GET /mail/{folder}/{entry_id}/card
        GET /mail/{folder}/{entry_id}/attachments.zip
        GET /mail/{folder}/{entry_id}/print
        GET /compose/draft/{entry_id}
        POST /compose/draft
        POST /compose/turn
        POST /compose/people
        POST /compose/discard
        GET /compose/new
        POST /compose/new
        GET /compose/{kind}/{entry_id}
        POST /compose/{kind}/{entry_id}
        POST /settings/writing
        POST /settings/pictures
        POST /settings/outside
        GET /search
        POST /search
        GET /search/{key}
    """,
    "operators": """
        GET /admin/
        GET /admin/runbook
        GET /admin/domains
        GET /admin/domains/{domain_id}
        POST /admin/domains/{domain_id}
        GET /admin/domains/{domain_id}/outages
        POST /admin/domains/{domain_id}/outages
        POST /admin/domains/{domain_id}/notices
        GET /admin/domains/{domain_id}/dns
        POST /admin/domains/{domain_id}/dns
        GET /admin/domains/{domain_id}/webhook
        POST /admin/domains/{domain_id}/webhook
        GET /admin/users
        GET /admin/users/new
        POST /admin/users/new
        POST /admin/users/{user_id}/password
        POST /admin/users/{user_id}/state
        GET /admin/users/{user_id}/login
        POST /admin/users/{user_id}/code
        POST /admin/users/{user_id}/methods
        GET /admin/maillog
        POST /admin/maillog
        GET /admin/maillog/{line_id}
        GET /admin/queue
        POST /admin/queue/flush
        GET /admin/queue/{item_id}/drop
        POST /admin/queue/{item_id}
    """,
    "service provider": """
        GET /admin/domains/new
        POST /admin/domains/new
    """,
    "audit trail": """
        GET /admin/audit
        POST /admin/audit
        POST /admin/audit/export
        GET /admin/holds
        GET /admin/holds/{hold_id}
    """,
    "auditor": """
        POST /admin/holds/new
        POST /admin/holds/found
        GET /admin/holds/{hold_id}/release
        POST /admin/holds/{hold_id}/release
        GET /admin/holds/{hold_id}/{entry_id}
    """,
}
PLACES = {
    "{folder}": "inbox",
    "{entry_id}": sample.entry_id(1),
    "{kind}": "reply",
    "{index}": "0",
    "{sealed}": "sealed",
    "{size}": "small",
    "{number}": "1",
    "{key}": "unknown",
    "{session_id}": "s1",
    "{passkey_id}": sample.entry_id(400),
    "{domain_id}": sample.entry_id(900),
    "{user_id}": sample.entry_id(700),
    "{hold_id}": sample.entry_id(600),
    "{line_id}": sample.entry_id(500),
    "{item_id}": sample.entry_id(300),
}
SENDING = ("/compose/new", "/compose/{kind}/{entry_id}")
# Nothing here changes anything: each request is a look, or stops before its deed.
_WORLD = World()
_WORLD.drafts.kept[sample.entry_id(1)] = Outgoing(
    identity_id="i0", to="", cc="", bcc="", subject="", text=""
)
_PLACE = _WORLD.reading.place_of(sample.entry_id(1))
_LIST = Leaving(url="https://news.example/u", mail="leave@news.example")
_WORLD.reading.letters[_PLACE] = replace(_WORLD.reading.letters[_PLACE], leaving=_LIST)
APP = create_app(_WORLD.services(), _WORLD.settings)
LINES = matrix(APP)
GUARDED = [line for line in LINES if not line.rule.public]


def path_of(line: Line) -> str:
    path = line.path
    for place, value in PLACES.items():
        path = path.replace(place, value)
    assert "{" not in path, f"give {path} a value in PLACES"
    return path


def name_of(line: Line) -> str:
    return f"{line.method} {line.path}"


def test_the_table_is_the_one_that_was_decided() -> None:
    decided = {
        (line.strip(), rule) for rule, lines in TABLE.items() for line in lines.strip().splitlines()
    }
    assert {(name_of(line), line.rule.name) for line in LINES} == decided


def test_every_rule_is_decided_for_every_role() -> None:
    rules = {line.rule for line in GUARDED}
    assert {rule.name: {role.value for role in rule.roles} for rule in rules} == MAY


def test_a_route_without_a_rule_stops_the_site(world: World) -> None:
    router = APIRouter()
    router.add_api_route("/open", lambda: "anything")
    with pytest.raises(Unguarded, match="/open"):
        create_app(world.services(), world.settings, (Extra(router, "Open", "open"),))


@cache
def client_of(role: str) -> Client:
    return Client(APP).sign_in(WHO[role])


@pytest.mark.parametrize("line", GUARDED, ids=name_of)
def test_nobody_signed_in_gets_nothing(line: Line) -> None:
    answer = Client(APP).send(line.method, path_of(line))
    if line.method == "GET":
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    else:
        assert answer.status_code == 401


@pytest.mark.parametrize("role", WHO)
@pytest.mark.parametrize("line", GUARDED, ids=name_of)
def test_a_role_gets_what_its_rule_says(line: Line, role: str) -> None:
    answer = client_of(role).send(line.method, path_of(line))
    if role not in MAY[line.rule.name]:
        assert answer.status_code == 404
        assert "This page is not here" in answer.text
    elif line.method == "POST" and line.path in SENDING:
        assert answer.status_code == 422  # let in, and shown again: no word may be lost
    elif line.method == "POST":
        assert answer.status_code == 403  # let in, and stopped at the missing form token
    else:
        assert answer.status_code in (200, 204, 303)


def test_a_wrong_role_looks_like_a_wrong_id(vlad: Client) -> None:
    wrong_role = vlad.get("/admin/queue")
    wrong_id = vlad.get(f"/mail/inbox/{sample.entry_id(99)}")
    assert (wrong_role.status_code, wrong_id.status_code) == (404, 404)
    assert _words(wrong_role.text) == _words(wrong_id.text)


def _words(page: str) -> str:
    return page.partition("<main")[2]


def test_a_person_without_a_mailbox_has_no_mail(world: World, app: FastAPI) -> None:
    client = Client(app).sign_in()
    ((token, visit),) = world.accounts.visits.items()
    object.__setattr__(visit.viewer, "mailbox_id", None)
    assert token
    assert client.get("/mail/inbox").status_code == 404


def test_a_person_for_whom_it_is_switched_off_has_no_mail(world: World, app: FastAPI) -> None:
    client = Client(app).sign_in()
    (visit,) = world.accounts.visits.values()
    object.__setattr__(visit.viewer.user, "live", False)
    try:
        assert client.get("/mail/inbox").status_code == 404
        assert client.get("/settings").status_code == 200
    finally:
        object.__setattr__(visit.viewer.user, "live", True)


def test_a_session_that_ended_is_nobody(world: World, vlad: Client) -> None:
    world.accounts.visits.clear()
    assert vlad.get("/mail/inbox").headers["location"] == "/login"


@pytest.mark.parametrize(
    ("role", "start"),
    [
        (Role.USER, "/mail/inbox"),
        (Role.DOMAIN_ADMIN, "/mail/inbox"),
        (Role.AUDITOR, "/admin/audit"),
        (Role.PROVIDER, "/admin/"),
    ],
)
def test_everybody_begins_where_their_work_is(
    sign_in: Callable[[str], Client], role: Role, start: str
) -> None:
    assert sign_in(WHO[role]).get("/").headers["location"] == start
