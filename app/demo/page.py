"""The demo's own page: is the mail server up, stop and start it, and what reached it.

Mounted by `livearchive demo` only. Whoever can open a page on this machine's loopback address may
use it, signed in or not: it tells who wrote to whom and the subjects, never a text. A form carries
a token that only a reader of this page can know, on top of the site's own origin check.
"""

import hmac
import secrets
from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.demo.control import StandInControl, StandInError, StandInStatus
from app.demo.kept import KeptMail
from app.demo.standin import Mode
from app.phrase import phrase
from app.web.access import Local
from app.web.csrf import FIELD, OpenForm, text
from app.web.render import render
from app.web.site import Extra

SHOWN = 25
MODES = {"normal": Mode.NORMAL, "slow": Mode.SLOW, "refuse": Mode.REFUSE, "reject": Mode.REJECT}


@dataclass(frozen=True, slots=True)
class Sight:
    """What the stand-in looks like now; all empty when it does not answer."""

    status: StandInStatus | None
    arrived: tuple[KeptMail, ...] = ()
    left: tuple[KeptMail, ...] = ()
    problem: str = ""


def demo_page(control: StandInControl, smtp: str) -> Extra:
    """The page and its link, for the site of a demo; `smtp` is where mail is taken, HOST:PORT."""
    return Extra(demo_router(control, smtp), phrase("Demo"), "demo")


def demo_router(control: StandInControl, smtp: str) -> APIRouter:
    """The routes over one stand-in."""
    router = APIRouter()
    token = secrets.token_urlsafe(32)

    @router.get("/demo", name="demo", dependencies=[Local])
    def show(request: Request) -> HTMLResponse:
        context = {"sight": look(control), "smtp": smtp, "csrf_token": token}
        return render(request, "demo/index.html", context)

    @router.post("/demo/server", name="demo_server", dependencies=[Local])
    def steer(request: Request, form: OpenForm) -> Response:
        if not hmac.compare_digest(text(form, FIELD).encode(), token.encode()):
            raise HTTPException(403)
        try:
            act(control, text(form, "do"))
        except StandInError as error:
            sight = Sight(None, problem=str(error))
            context = {"sight": sight, "smtp": smtp, "csrf_token": token}
            return render(request, "demo/index.html", context, status=503)
        return RedirectResponse(request.app.url_path_for("demo"), status_code=303)

    return router


def look(control: StandInControl) -> Sight:
    """Ask the stand-in for all that the page shows."""
    try:
        return Sight(
            control.status(),
            tuple(control.messages("primary", SHOWN)),
            tuple(control.messages("outside", SHOWN)),
        )
    except StandInError as error:
        return Sight(None, problem=str(error))


def act(control: StandInControl, wish: str) -> None:
    """What a button asks for. A word that is no button's is a bad request."""
    if wish == "stop":
        control.stop()
    elif wish == "start":
        control.start()
    elif wish in MODES:
        control.set_mode(MODES[wish])
    else:
        raise HTTPException(400)
