"""Legal holds: administrators see them, the auditor places them, opens what they hold, ends them.

What is opened is a file to save, and an event of the trail. A reason is posted and stands in no
URL.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Auditor, Watcher
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.downloads import download
from app.web.render import page as render_page
from app.web.render import path_to

router = APIRouter()


def listing(
    request: Request,
    visit: Visit,
    *,
    address: str = "",
    reason: str = "",
    problem: BadEntry | None = None,
) -> Response:
    rows = services_of(request).holds.list_holds(visit.viewer)
    context = {"rows": rows, "address": address, "reason": reason, "problem": problem}
    return render_page(request, visit, "admin/holds.html", context, status=422 if problem else 200)


def back(request: Request, done: flash.Flash) -> Response:
    response = RedirectResponse(path_to(request.app, "holds"), status_code=303)
    flash.put(request, response, done)
    return response


@router.get("/admin/holds", name="holds")
def holds(request: Request, visit: Watcher) -> Response:
    return listing(request, visit)


@router.post("/admin/holds/new", name="place_hold")
def place(request: Request, visit: Auditor, form: PostedForm) -> Response:
    address, reason = text(form, "address").strip(), text(form, "reason")
    try:
        services_of(request).holds.place(visit.viewer, address, reason)
    except BadEntry as problem:
        return listing(request, visit, address=address, reason=reason, problem=problem)
    return back(request, flash.Flash("hold_placed", 1, address))


@router.get("/admin/holds/{hold_id}", name="hold")
def hold(
    request: Request,
    visit: Watcher,
    hold_id: str,
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    found = services_of(request).holds.hold(visit.viewer, hold_id, page)
    return render_page(request, visit, "admin/hold.html", {"found": found})


@router.get("/admin/holds/{hold_id}/release", name="ask_release")
def ask_release(request: Request, visit: Auditor, hold_id: str) -> Response:
    return asking(request, visit, hold_id)


def asking(
    request: Request, visit: Visit, hold_id: str, problem: BadEntry | None = None
) -> Response:
    found = services_of(request).holds.hold(visit.viewer, hold_id)
    context = {"hold": found.hold, "problem": problem}
    return render_page(
        request, visit, "admin/release.html", context, status=422 if problem else 200
    )


@router.post("/admin/holds/{hold_id}/release", name="release_hold")
def release(request: Request, visit: Auditor, hold_id: str, form: PostedForm) -> Response:
    try:
        services_of(request).holds.release(visit.viewer, hold_id, text(form, "reason"))
    except BadEntry as problem:
        return asking(request, visit, hold_id, problem)
    return back(request, flash.Flash("hold_released", 1))


@router.get("/admin/holds/{hold_id}/{entry_id}", name="held_original")
def original(request: Request, visit: Auditor, hold_id: str, entry_id: str) -> Response:
    octets = services_of(request).holds.original(visit.viewer, hold_id, entry_id)
    return download(octets, f"{entry_id}.eml", "message/rfc822")
