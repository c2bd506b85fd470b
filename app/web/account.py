"""A person's own settings: identities, sessions, password, and how the pages look."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from app.secret import Secret
from app.views import BadEntry, Visit
from app.web import cookies, flash, keeping
from app.web.access import READER, SignedIn
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.login import LONGEST_PASSWORD
from app.web.render import page, path_to, speech_for

router = APIRouter()


@router.get("/settings", name="settings")
def settings(request: Request, visit: SignedIn) -> Response:
    return show(request, visit)


def show(request: Request, visit: Visit, problem: BadEntry | None = None) -> Response:
    services = services_of(request)
    reads = READER.allows(visit)
    context = {
        "identities": services.sending.identities(visit.viewer) if reads else (),
        "habits": services.habits.habits(visit.viewer) if reads else None,
        "picture_senders": services.picture_senders.count(visit.viewer) if reads else 0,
        "outside": services.outside.outside(visit.viewer) if reads else None,
        "held_since": services.holds.held_since(visit.viewer),
        "sessions": services.accounts.sessions(visit.viewer),
        "methods": services.methods.methods(visit.viewer),
        "may_keep": reads and keeping.is_allowed(request, visit),
        "problem": problem,
        "zones": speech_for(request).zones,
    }
    return page(request, visit, "settings.html", context, status=422 if problem else 200)


def back(request: Request, kind: str) -> RedirectResponse:
    response = RedirectResponse(path_to(request.app, "settings"), status_code=303)
    flash.put(request, response, flash.Flash(kind, 1))
    return response


@router.post("/settings/look", name="set_look")
def set_look(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    look = cookies.look_of({name: text(form, name) for name in form}, cookies.read_look(request))
    response = RedirectResponse(path_to(request.app, "settings"), status_code=303)
    cookies.set_look(request, response, look)
    return response


@router.post("/settings/password", name="set_password")
def set_password(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    old, new = (Secret(text(form, name)[:LONGEST_PASSWORD]) for name in ("old", "new"))
    try:
        services_of(request).accounts.change_password(visit.viewer, old, new)
    except BadEntry as problem:
        return show(request, visit, problem)
    return back(request, "password")


@router.post("/settings/sessions/others", name="end_others")
def end_others(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    services_of(request).accounts.revoke_others(visit.viewer)
    return back(request, "sessions")


@router.post("/settings/sessions/{session_id}", name="end_session")
def end_session(
    request: Request,
    visit: SignedIn,
    session_id: Annotated[str, Path(max_length=100)],
    _: PostedForm,
) -> Response:
    services_of(request).accounts.revoke(visit.viewer, session_id)
    return back(request, "session")
