"""The matrix: every route of the site x everybody who can ask x whose thing it is about.

Routes and their rules are read from the application. Whose thing an id names decides what is
expected: somebody whose it is not gets, octet for octet and after the same work in the database,
the answer for an id that is nobody's; and nothing that was there has changed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode

from sqlalchemy import event

from app.secret import Secret
from app.viewer import Method, Role
from app.web.access import Line
from app.web.csrf import form_token
from archive_store import ids
from archive_store.db import Base
from tests.app.matrix.estate import Caller, Estate
from tests.app.matrix.request import Sent, scope_of

NOBODYS, MALFORMED = ids.show(bytes(range(16))), "no-such-id"
TOLERANT = frozenset({"/settings/sessions/{session_id}", "/admin/queue/{item_id}/drop"})
"""Routes that answer an id that is nobody's as any other: what is gone is as it was wished."""
# What an id in a path names, and what else stands in paths.
KINDS = {
    "{entry_id}": "entry",
    "{session_id}": "session",
    "{passkey_id}": "passkey",
    "{domain_id}": "domain",
    "{user_id}": "user",
    "{hold_id}": "hold",
    "{line_id}": "line",
    "{item_id}": "item",
}
PLACES = {
    "{folder}": "inbox",
    "{kind}": "reply",
    "{index}/mail": "3/mail",
    "{index}/preview": "2/preview",
    "{index}": "1",
    "{sealed}": "sealed",
    "{size}": "small",
    "{number}": "1",
    "{key}": "unknown",
    "{digest}": "0",
    "{name:path}": "x",
}
OWN = frozenset({"entry", "draft", "session", "passkey", "identity"})
DOMAIN_OF = {"vlad": "acme", "dana": "acme", "eve": "other", "acme": "acme", "other": "other"}
# Forms that act, were the caller allowed to; the key is the route, ID the thing's id.
FORMS: Mapping[str, dict[str, str]] = {
    "/mail/{folder}/{entry_id}": {"do": "star"},
    "/mail/{folder}/{entry_id}/invitation": {"answer": "accepted"},
    "/compose/{kind}/{entry_id}": {"to": "x@in.example", "message": "x", "unattached": "yes"},
    "/admin/domains/{domain_id}": {
        "mode": "relay",
        "relay": "127.0.0.1:2526",
        "unknown_recipients": "relay",
        "checked_by": "mx.in.example 192.0.2.0/24",
        "enabled": "yes",
    },
    "/admin/domains/{domain_id}/outages": {"do": "open", "reason": "x"},
    "/admin/domains/{domain_id}/notices": {"on": "yes"},
    "/admin/domains/{domain_id}/webhook": {"do": "set", "url": "https://hooks.in.example/x"},
    "/admin/users/{user_id}/state": {"do": "disable"},
    "/admin/queue/{item_id}": {"do": "hold"},
    "/admin/holds/{hold_id}/release": {"reason": "x"},
}


@dataclass(frozen=True)
class Answer:
    """A response as it was sent, the nonce of its scripts apart."""

    status: int
    head: tuple[tuple[bytes, bytes], ...]
    body: bytes
    statements: int  # of the database

    def __str__(self) -> str:
        return f"{self.status} ({len(self.body)} octets, {self.statements} statements)"


@dataclass(frozen=True)
class Field:
    """An id that a form carries, in the field `name` or within its value."""

    route: str
    name: str
    kind: str
    value: str = "{}"
    more: Mapping[str, str] = field(default_factory=dict)


SENDING = ("/compose/new", "/compose/{kind}/{entry_id}")  # shown again: no word may be lost
NOT_TO_ALL = ("/metrics", "/static/{digest}/{name:path}")  # for this machine; no such file
SPOKEN = frozenset({"login_session", "login_step", "audit_head"})  # tell that somebody asked
ANY_ID = re.compile(rb"[a-z2-7]{26}")
FIELDS = (
    Field("/mail/{folder}", "ids", "entry", more={"do": "star"}),
    Field("/mail/{folder}", "do", "entry", "delete:{}"),
    Field("/mail/scheduled", "do", "entry", "take_back:{}"),
    Field("/mail/scheduled", "do", "entry", "now:{}"),
    Field("/compose/discard", "draft", "draft"),
    Field("/compose/new", "from", "identity", more={"to": "x@in.example", "message": "x"}),
    Field("/settings/writing", "signature-{}", "identity"),
    Field(
        "/admin/users/new", "domain_id", "domain", more={"address": "a@b.example", "role": "user"}
    ),
)


@dataclass
class Outcome:
    """What came of all cells."""

    cells: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, right: bool, *cell: object) -> None:
        self.cells += 1
        if not right:
            self.wrong.append(" ".join(str(part) for part in cell))


class Matrix:
    """Asks the site, in this process and in one event loop."""

    def __init__(self, estate: Estate, *, brief: bool = False) -> None:
        """`brief`: whom a role keeps out is asked about one thing of each kind, not about all."""
        self.estate, self.brief = estate, brief
        self.outcome = Outcome()
        self.statements = 0
        event.listen(estate.world.db.engine, "before_cursor_execute", self._count)
        user, limited = estate.caller, {"method": Method.CODE, "public": True}
        self.callers = (
            Caller("anonymous", {}),
            estate.pending(),
            user("user", "vlad"),
            user("user on a public computer", "vlad", public=True),
            user("user by one-time code", "vlad", **limited),
            user("neighbour", "dana"),
            user("user elsewhere", "eve"),
            user("domain-admin", "maria"),
            user("domain-admin by one-time code", "maria", **limited),
            user("domain-admin elsewhere", "nora"),
            user("auditor", "audit"),
            user("auditor elsewhere", "otto"),
            user("service-provider", "provider"),
            user("domain-admin without the second factor that is demanded", "sam"),
        )

    def _count(self, *_: object) -> None:
        self.statements += 1

    async def run(self) -> Outcome:
        """First what must not come through, which must leave everything as it is; then the rest."""
        before = rows_of(self.estate)
        for caller in self.callers:
            nowhere = await self._nowhere(caller)
            for line in self.estate.lines:
                await self._hidden(caller, line, nowhere)
            await self._fields(caller)
        self.outcome.note(before.items() <= rows_of(self.estate).items(), "something changed")
        for caller in self.callers:
            for line in self.estate.lines:
                await self._open(caller, line)
        await self._deeds()
        return self.outcome

    async def _nowhere(self, caller: Caller) -> dict[str, Answer]:
        """What somebody gets for an address that no page has."""
        return {
            method: await self.ask(caller, method, "/nothing/here") for method in ("GET", "POST")
        }

    async def _hidden(self, caller: Caller, line: Line, nowhere: Mapping[str, Answer]) -> None:
        if line.rule.public:
            return
        kind, kept_out = kind_in(line.path), caller.role not in line.rule.roles
        hidden = [
            owner
            for owner in (*self._owners(kind), MALFORMED)
            if expects(caller, line, kind, owner) == "hidden"
        ]
        if not kind or (self.brief and kept_out):
            hidden = hidden[:1]
        none = await self._at(caller, line, NOBODYS) if hidden and not kept_out else None
        for owner in hidden:
            got = await self._at(caller, line, owner)
            if caller.role is None:
                right = turned_away(line, got, b"/login")
            elif caller.is_confined and line.rule.name != "signed in":
                right = turned_away(line, got, b"/settings/login")
            elif kept_out:
                right = same(got, nowhere[line.method])
            elif owner == MALFORMED:
                right = got.status in (400, 404) or line.path in TOLERANT or caller.is_limited
            else:
                hides = got.status == 404 or line.path in TOLERANT or caller.is_limited
                right = hides and got == none
            self.outcome.note(right, caller.name, line.method, line.path, owner, got, none)

    def _owners(self, kind: str) -> list[str]:
        return list(self.estate.ids[kind]) if kind else [""]

    async def _fields(self, caller: Caller) -> None:
        """An id in a form."""
        lines = {line.path: line for line in self.estate.lines if line.method == "POST"}
        for carried in FIELDS:
            line = lines[carried.route]
            if caller.role not in line.rule.roles or caller.is_confined:
                continue
            await self._carried(caller, line, carried, NOBODYS)  # what only the first one costs
            for owner in self._owners(carried.kind):
                if theirs(caller, carried.kind, owner):
                    continue
                shown = self.estate.ids[carried.kind][owner]
                got = await self._carried(caller, line, carried, shown)
                none = await self._carried(caller, line, carried, NOBODYS)
                right = anonymous(got, shown) == anonymous(none, NOBODYS) and got.status < 500
                self.outcome.note(right, caller.name, line.path, carried.name, owner, got)

    async def _carried(self, caller: Caller, line: Line, carried: Field, shown: str) -> Answer:
        form = {**carried.more, carried.name.format(shown): carried.value.format(shown)}
        return await self.ask(caller, line.method, path_of(line.path, ""), form)

    async def _open(self, caller: Caller, line: Line) -> None:
        """What may come through does; what would change something stops at the form's token."""
        kind = kind_in(line.path)
        for owner in self._owners(kind):
            if expects(caller, line, kind, owner) != "open":
                continue
            got = await self._at(caller, line, owner, token=False)
            if line.rule.public:
                right = got.status < 500 and (got.status == 404) == (line.path in NOT_TO_ALL)
            elif line.method == "POST":
                right = got.status == (422 if line.path in SENDING else 403)
            else:
                right = got.status in (200, 204, 303)
            self.outcome.note(right, caller.name, line.method, line.path, owner, got)

    async def _deeds(self) -> None:
        """The forms that are refused above do something for those who may: they are good forms."""
        who = {"own mail": "vlad", "signed in": "vlad", "operators": "maria", "auditor": "audit"}
        for line in reversed(self.estate.lines):
            kind = kind_in(line.path)
            if line.method != "POST" or not kind:
                continue
            caller = self.estate.caller("owner", who[line.rule.name])
            owner = next(one for one in reversed(self._owners(kind)) if theirs(caller, kind, one))
            got = await self._at(caller, line, owner)
            self.outcome.note(
                got.status in ((422,) if line.path in SENDING else (200, 303)),
                "deed",
                line.path,
                owner,
                got,
            )

    async def _at(self, caller: Caller, line: Line, owner: str, *, token: bool = True) -> Answer:
        """A route, about the thing of an owner, or about an id."""
        kind = kind_in(line.path)
        shown = self.estate.ids[kind].get(owner, owner) if kind else ""
        if line.path == "/compose/draft/{entry_id}":
            shown = self.estate.ids["draft"].get(owner, owner)
        path = path_of(line.path, shown)
        if kind == "hold":
            reader = {"acme": "vlad", "other": "eve"}.get(owner, "")
            path = path.replace("{entry_id}", self.estate.ids["entry"].get(reader, NOBODYS))
        form = FORMS.get(line.path, {}) if line.method == "POST" else None
        got = await self.ask(caller, line.method, path, form, token=token)
        return without(got, shown) if shown else got

    async def ask(
        self,
        caller: Caller,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        token: bool = True,
    ) -> Answer:
        """One request, from its first octet to its last."""
        fields = dict(form or {})
        if token and "la" in caller.cookies:
            fields["csrf"] = form_token(Secret(caller.cookies["la"]))
        body = urlencode(fields).encode() if method == "POST" else b""
        cookies = "; ".join(f"{name}={value}" for name, value in caller.cookies.items())
        scope = scope_of(method, path, cookies)
        began, sent = self.statements, Sent(body)
        await self.estate.app(scope, sent.receive, sent.send)
        nonce = scope["state"]["nonce"].encode()
        head = tuple((name, value.replace(nonce, b"")) for name, value in sent.head)
        octets = bytes(sent.body).replace(nonce, b"")
        return Answer(sent.status, head, octets, self.statements - began)


def kind_in(path: str) -> str:
    """What the id in a path names; empty: there is none."""
    return next(
        (
            kind
            for place, kind in KINDS.items()
            if place in path and not (place == "{entry_id}" and "{hold_id}" in path)
        ),
        "",
    )


def path_of(path: str, shown: str) -> str:
    """A path with something in each of its places; of two ids the first."""
    place = next((place for place, kind in KINDS.items() if kind == kind_in(path)), "")
    path = path.replace(place, shown) if place else path
    for name, value in PLACES.items():
        path = path.replace(name, value)
    return path


def expects(caller: Caller, line: Line, kind: str, owner: str) -> Literal["open", "hidden"]:
    """What somebody is to get."""
    if line.rule.public:
        return "open"
    confined = caller.is_confined and line.rule.name != "signed in"
    if caller.role not in line.rule.roles or confined:
        return "hidden"
    return "open" if not kind or theirs(caller, kind, owner) else "hidden"


def theirs(caller: Caller, kind: str, owner: str) -> bool:
    """Whether a thing is somebody's, or of a customer whom they look after."""
    if caller.viewer is None or owner not in DOMAIN_OF:
        return False
    user = caller.viewer.user
    if kind in OWN:
        return user.address.startswith(f"{owner}@")
    return user.role is Role.PROVIDER or user.domain_name == f"{DOMAIN_OF[owner]}.example"


def turned_away(line: Line, got: Answer, where: bytes) -> bool:
    """To the log-in, or to where a second factor is set up."""
    if line.method == "GET":
        return got.status == 303 and (b"location", where) in got.head
    return got.status == 401


def same(one: Answer, other: Answer) -> bool:
    """Octet for octet."""
    return (one.status, one.head, one.body) == (other.status, other.head, other.body)


def without(answer: Answer, shown: str) -> Answer:
    """An answer without the id that was asked for."""
    head = tuple((name, value.replace(shown.encode(), b"ID")) for name, value in answer.head)
    return replace(answer, head=head, body=answer.body.replace(shown.encode(), b"ID"))


def anonymous(answer: Answer, shown: str) -> tuple[int, bytes, int]:
    """An answer to a form without ids, cookies that hold one and what depends on their length."""
    return answer.status, ANY_ID.sub(b"ID", without(answer, shown).body), answer.statements


def rows_of(estate: Estate) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Every row of every table that a request of somebody else must leave as it is."""
    with estate.world.db.read() as tx:
        return {
            (table.name, *(row._mapping[column] for column in table.primary_key)): tuple(row)
            for table in Base.metadata.sorted_tables
            if table.name not in SPOKEN
            for row in tx.execute(table.select())
        }
