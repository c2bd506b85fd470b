"""Legal holds: administrators see them, the auditor places them, opens what they hold, ends them.

What is opened is a file to save, and an event of the trail. A reason and the words of a search
are posted and stand in no URL; of what a search finds a page tells how much it is.
"""

from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Auditor, Watcher
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.downloads import download
from app.web.render import page as render_page
from app.web.render import path_to

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Wish:
    """What an auditor asks to be held. Without `words`: all of the mailbox."""

    address: str = ""
    words: str = ""
    reason: str = ""

    @classmethod
    def of(cls, form: FormData) -> Self:
        return cls(text(form, "address").strip(), text(form, "words").strip(), text(form, "reason"))


NO_WISH = Wish()


def listing(
    request: Request, visit: Visit, wish: Wish = NO_WISH, problem: BadEntry | None = None
) -> Response:
    rows = services_of(request).holds.list_holds(visit.viewer)
    context = {"rows": rows, "wish": wish, "problem": problem}
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
    wish, service = Wish.of(form), services_of(request).holds
    try:
        if wish.words:
            found = service.count_found(visit.viewer, wish.address, wish.words, wish.reason)
            context = {"wish": wish, "found": found}
            return render_page(request, visit, "admin/hold_found.html", context)
        service.place(visit.viewer, wish.address, wish.reason)
    except BadEntry as problem:
        return listing(request, visit, wish, problem)
    return back(request, flash.Flash("hold_placed", 1, wish.address))


@router.post("/admin/holds/found", name="place_found")
def place_found(request: Request, visit: Auditor, form: PostedForm) -> Response:
    wish, service = Wish.of(form), services_of(request).holds
    if text(form, "do") == "change":
        return listing(request, visit, wish)
    try:
        service.place_found(visit.viewer, wish.address, wish.words, wish.reason)
    except BadEntry as problem:
        return listing(request, visit, wish, problem)
    return back(request, flash.Flash("hold_found", 1, wish.address))


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
