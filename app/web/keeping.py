"""What a browser may keep of somebody's mail, to be read without a line: said with each answer.

Nothing is kept by itself. The person switches it on for one browser, which a cookie remembers;
the operator and the domain may forbid it; a public computer and a session of a one-time code
never have it. Each answer to a session says in `LiveArchive-Offline` what holds: `none`, at which
the browser destroys its key and with it all that it kept; or the session's permit. Only what also
says for how many seconds (`for=`) may be kept. Seconds, and no time of day: a browser's clock may
be wrong. A permit is of one session, one person and one role: with another one, all goes.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.viewer import Viewer
from app.views import Visit
from app.web import cookies
from app.web.deps import services_of

ERROR = 400
HEADER = "LiveArchive-Offline"
COOKIE = "offline"


def is_allowed(request: Request, visit: Visit) -> bool:
    """Whether this session may have mail kept, once its person wants that."""
    return (
        services_of(request).config.offline
        and visit.viewer.mailbox_id is not None
        and not visit.public_computer
        and not visit.limited
    )


def is_on(request: Request, visit: Visit) -> bool:
    """Whether its person has switched it on in this browser, and may."""
    chosen = cookies.read_secret(request, COOKIE)
    return (
        chosen is not None
        and hmac.compare_digest(chosen.reveal().encode(), _mark(visit.viewer).encode())
        and is_allowed(request, visit)
    )


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the outbox of a device is: `person` tells people apart and says nothing of them."""

    person: str
    identity: str  # whom they send as, where nothing else is said


def owner_of(request: Request, visit: Visit) -> Owner | None:
    """None where nothing may be kept."""
    if not is_on(request, visit):
        return None
    said = hashlib.sha256(b"livearchive outbox v1|" + visit.viewer.user.id).digest()
    own = services_of(request).sending.identities(visit.viewer)
    return Owner(_short(said), own[0].id if own else "")


def switch(request: Request, response: Response, viewer: Viewer, on: bool) -> None:
    """Remember the choice, for this person alone, for a year."""
    if on:
        cookies.set_private(request, response, COOKIE, _mark(viewer), cookies.YEAR_SECONDS)
    else:
        cookies.drop(request, response, COOKIE)


def may_keep(request: Request, leaves_at: datetime) -> None:
    """The answer to this request may be kept until what it shows leaves."""
    request.state.kept_for = leaves_at - services_of(request).now()


def permit_of(viewer: Viewer) -> str:
    """Another one for each session, person and role; tells nothing of the session's token."""
    said = b"livearchive offline v1|" + viewer.user.id + viewer.user.role.encode()
    return _short(hmac.digest(viewer.token.reveal().encode(), said, hashlib.sha256))


def _mark(viewer: Viewer) -> str:
    return _short(hashlib.sha256(b"livearchive offline v1|" + viewer.user.id).digest())


def _short(octets: bytes) -> str:
    return urlsafe_b64encode(octets[:18]).decode()


class Marks:
    """Says with each answer, for which a session was looked up, what may be kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            # An error says nothing: it must look the same whether or not a page is there.
            if message["type"] == "http.response.start" and message["status"] < ERROR:
                _mark_answer(Request(scope), message)
            await send(message)

        await self.app(scope, receive, marked if scope["type"] == "http" else send)


def _mark_answer(request: Request, message: Message) -> None:
    if not hasattr(request.state, "visit"):
        return
    visit: Visit | None = request.state.visit
    said = "none"
    if visit is not None and is_on(request, visit):
        said = permit_of(visit.viewer)
        left: timedelta = getattr(request.state, "kept_for", timedelta())
        if message["status"] == 200 and left > timedelta():
            said += f"; for={int(left.total_seconds())}"
        request.state.has_worker = True
    MutableHeaders(raw=message["headers"])[HEADER] = said
