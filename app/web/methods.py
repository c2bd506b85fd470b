"""The own ways to sign in, and proving once more who one is before they may be changed."""

from typing import Annotated

import segno
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.login_views import AppSetup
from app.secret import Secret
from app.views import BadEntry, Visit
from app.web import cookies, flash
from app.web.access import SignedIn
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.login import LONGEST_PASSWORD
from app.web.other_ways import LONGEST_CODE
from app.web.render import page, path_to

router = APIRouter()
AFTER = ("methods", "people", "settings")  # where a proof leads: names of routes, not addresses
LONGEST_NAME = 200


def show(
    request: Request,
    visit: Visit,
    *,
    setup: AppSetup | None = None,
    problem: BadEntry | None = None,
) -> Response:
    """The page of the methods; `setup`: with what a new app is told."""
    context = {
        "methods": services_of(request).methods.methods(visit.viewer),
        "setup": setup,
        "picture": segno.make(setup.uri).svg_data_uri(scale=4, light="#fff") if setup else "",
        "problem": problem,
    }
    return page(request, visit, "methods.html", context, status=422 if problem else 200)


def back(request: Request, kind: str) -> RedirectResponse:
    response = RedirectResponse(path_to(request.app, "methods"), status_code=303)
    flash.put(request, response, flash.Flash(kind, 1))
    return response


@router.get("/settings/login", name="methods")
def methods(request: Request, visit: SignedIn) -> Response:
    services_of(request).methods.require_confirmed(visit.viewer)
    return show(request, visit)


@router.post("/settings/login/codes", name="set_codes")
def set_codes(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    service = services_of(request).methods
    if text(form, "do") == "remove":
        service.remove_codes(visit.viewer)
        return back(request, "codes_gone")
    codes = service.make_codes(visit.viewer)
    return page(request, visit, "codes.html", {"codes": codes})


@router.post("/settings/login/app", name="set_app")
def set_app(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    service, do = services_of(request).methods, text(form, "do")
    if do == "remove":
        service.remove_app(visit.viewer)
        return back(request, "app_gone")
    problem = None
    if do == "confirm":
        try:
            service.confirm_app(visit.viewer, Secret(text(form, "code")[:LONGEST_CODE]))
        except BadEntry as error:
            problem = error
        else:
            return back(request, "app")
    return show(request, visit, setup=service.begin_app(visit.viewer), problem=problem)


@router.post("/settings/login/passkeys/start", name="ask_new_passkey")
def ask_new_passkey(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    token, options = services_of(request).methods.ask_new_passkey(visit.viewer)
    response = Response(options, media_type="application/json")
    cookies.set_step(request, response, token)
    return response


@router.post("/settings/login/passkeys", name="add_passkey")
def add_passkey(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    step = cookies.read_secret(request, cookies.STEP) or Secret("")
    name, answer = text(form, "name")[:LONGEST_NAME], text(form, "answer")
    try:
        services_of(request).methods.add_passkey(visit.viewer, step, name, answer)
    except BadEntry as problem:
        return show(request, visit, problem=problem)
    return back(request, "passkey")


@router.post("/settings/login/passkeys/{passkey_id}", name="remove_passkey")
def remove_passkey(
    request: Request,
    visit: SignedIn,
    passkey_id: Annotated[str, Path(max_length=100)],
    _: PostedForm,
) -> Response:
    services_of(request).methods.remove_passkey(visit.viewer, passkey_id)
    return back(request, "passkey_gone")


def proof_page(
    request: Request, visit: Visit, after: str, problem: BadEntry | None = None
) -> Response:
    service = services_of(request).methods
    context = {
        "after": after,
        "possible": service.can_confirm(visit.viewer),
        "methods": service.methods(visit.viewer),
        "problem": problem,
    }
    return page(request, visit, "confirm.html", context, status=422 if problem else 200)


def _after(wanted: str) -> str:
    return wanted if wanted in AFTER else AFTER[0]


@router.get("/settings/confirm", name="confirm")
def confirm_form(
    request: Request, visit: SignedIn, after: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    return proof_page(request, visit, _after(after))


@router.post("/settings/confirm", name="prove")
def prove(request: Request, visit: SignedIn, form: PostedForm) -> Response:
    service, after = services_of(request).methods, _after(text(form, "after"))
    answer = text(form, "answer")
    try:
        if answer:
            step = cookies.read_secret(request, cookies.STEP) or Secret("")
            token = service.confirm_by_passkey(visit.viewer, step, answer)
        else:
            password = Secret(text(form, "password")[:LONGEST_PASSWORD])
            code = Secret(text(form, "code").strip()[:LONGEST_CODE])
            token = service.confirm(visit.viewer, password=password, code=code)
    except BadEntry as problem:
        return proof_page(request, visit, after, problem)
    response = RedirectResponse(path_to(request.app, after), status_code=303)
    cookies.set_session(request, response, token)
    cookies.drop(request, response, cookies.STEP)
    return response


@router.post("/settings/told", name="note_told")
def note_told(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    device = cookies.read_secret(request, cookies.DEVICE)
    services_of(request).methods.note_told(visit.viewer, device)
    return RedirectResponse(path_to(request.app, "home"), status_code=303)
