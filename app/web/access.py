"""Who may call which route: each one carries a `Guard`, and the table is read from the app.

A rule names roles and whether a mailbox is needed. Nobody signed in: the log-in
page (GET) or 401. The wrong role, or no mailbox: the same 404 as an id that is
not there, so that a page does not tell what exists. `matrix` lists every route
with its rule; `check` refuses to build a site in which one has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from app.viewer import Role
from app.views import Visit
from app.web.cookies import session_token
from app.web.deps import client_ip, services_of
from app.web.errors import Confined, NotSignedIn
from app.web.origin import is_local


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may call: `public` means anybody at all, `local` only a peer on this machine."""

    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)
    mailbox: bool = False
    public: bool = False
    local: bool = False

    def allows(self, visit: Visit) -> bool:
        viewer = visit.viewer
        if viewer.user.role not in self.roles:
            return False
        return not self.mailbox or (viewer.mailbox_id is not None and viewer.user.live)


EVERY_ROLE = frozenset(Role)
ANYONE = Rule("anyone", public=True)
LOCAL = Rule("this machine", public=True, local=True)
SIGNED_IN = Rule("signed in", EVERY_ROLE)
READER = Rule("own mail", frozenset({Role.USER, Role.DOMAIN_ADMIN}), mailbox=True)
OPERATOR = Rule("operators", frozenset({Role.DOMAIN_ADMIN, Role.PROVIDER}))
PROVIDER = Rule("service provider", frozenset({Role.PROVIDER}))
AUDITOR = Rule("auditor", frozenset({Role.AUDITOR}))
WATCHER = Rule("audit trail", frozenset({Role.DOMAIN_ADMIN, Role.AUDITOR, Role.PROVIDER}))


def find_visit(request: Request, *, quiet: bool = False) -> Visit | None:
    """The live session behind the request's cookie, looked up once; `quiet`: it is not used."""
    if not hasattr(request.state, "visit"):
        token = session_token(request)
        accounts = services_of(request).accounts
        look_up = accounts.glance if quiet else accounts.current
        request.state.visit = look_up(token, client_ip(request)) if token else None
    visit: Visit | None = request.state.visit
    return visit


@dataclass(frozen=True, slots=True)
class Guard:
    """The dependency that holds a rule. It gives the visit, or raises.

    `quiet` is for what an open page asks by itself: that keeps no session alive.
    """

    rule: Rule
    quiet: bool = False

    def __call__(self, request: Request) -> Visit | None:
        if self.rule.local and not is_local(request):
            raise HTTPException(404)
        if self.rule.public:
            return None
        visit = find_visit(request, quiet=self.quiet)
        if visit is None:
            raise NotSignedIn
        if not self.rule.allows(visit):
            if visit.confined:
                raise Confined
            raise HTTPException(404)
        return visit


Anyone = Depends(Guard(ANYONE))
Local = Depends(Guard(LOCAL))
SignedIn = Annotated[Visit, Depends(Guard(SIGNED_IN))]
Reader = Annotated[Visit, Depends(Guard(READER))]
QuietReader = Annotated[Visit, Depends(Guard(READER, quiet=True))]
Operator = Annotated[Visit, Depends(Guard(OPERATOR))]
Provider = Annotated[Visit, Depends(Guard(PROVIDER))]
Auditor = Annotated[Visit, Depends(Guard(AUDITOR))]
Watcher = Annotated[Visit, Depends(Guard(WATCHER))]


@dataclass(frozen=True, slots=True)
class Line:
    """One route of the table."""

    method: str
    path: str
    rule: Rule


class Unguarded(Exception):
    """A route has no rule, or more than one."""


def _guards(dependant: Dependant) -> Iterator[Guard]:
    if isinstance(dependant.call, Guard):
        yield dependant.call
    for below in dependant.dependencies:
        yield from _guards(below)


def rule_of(route: BaseRoute) -> Rule:
    """The one rule of a route."""
    if not isinstance(route, APIRoute):
        raise Unguarded(repr(route))
    rules = {guard.rule for guard in _guards(route.dependant)}
    if len(rules) != 1:
        raise Unguarded(route.path)
    return rules.pop()


def matrix(app: FastAPI) -> list[Line]:
    """Every route and method with its rule, in the order of the app."""
    lines = []
    for route in app.routes:
        rule = rule_of(route)
        if isinstance(route, APIRoute):
            lines += [Line(method, route.path, rule) for method in sorted(route.methods or ())]
    return lines


def check(app: FastAPI) -> None:
    """Raise `Unguarded` unless every route has exactly one rule."""
    matrix(app)
