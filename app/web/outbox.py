"""What is still to be sent: the list of it, taking it back, sending it now.

The same door for the button that stands there for a few seconds after Send and for what was
scheduled days ahead. One that comes too late says so, and changes nothing.
"""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.views import Visit
from app.web import flash, later
from app.web.access import Reader
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import clock_of, mail_page, path_to

router = APIRouter()
VERBS = ("take_back", "now")


@router.get("/mail/scheduled", name="scheduled")
def scheduled(request: Request, visit: Reader) -> Response:
    clock = clock_of(request)
    waiting = services_of(request).outbox.scheduled(visit.viewer)
    context = {
        "folder": "outbox",
        "waiting": [(one.row, later.said(clock, one.leaves_at)) for one in waiting],
    }
    return mail_page(request, visit, "mail/scheduled.html", context)


@router.post("/mail/scheduled", name="change_scheduled")
def change(request: Request, visit: Reader, form: PostedForm) -> Response:
    verb, _, entry_id = text(form, "do").partition(":")
    if verb not in VERBS:
        raise HTTPException(400)
    if verb == "now":
        return send_now(request, visit, entry_id)
    if not services_of(request).outbox.take_back(visit.viewer, entry_id):
        return too_late(request)
    path = path_to(request.app, "continue_draft", entry_id=entry_id)
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("taken_back"))
    return response


def send_now(request: Request, visit: Visit, entry_id: str) -> Response:
    if not services_of(request).outbox.send_now(visit.viewer, entry_id):
        return too_late(request)
    path = path_to(request.app, "folder", folder="sent")
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("sent_now"))
    return response


def too_late(request: Request) -> Response:
    path = path_to(request.app, "folder", folder="sent")
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("too_late"))
    return response
