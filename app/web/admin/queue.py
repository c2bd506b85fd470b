"""The mailbag: mail that is accepted and still has to reach its server."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.viewer import Viewer
from app.web import flash
from app.web.access import Operator
from app.web.csrf import PostedForm, text
from app.web.deps import AdminService, services_of
from app.web.render import page as render_page
from app.web.render import path_to

router = APIRouter()
Verb = Callable[[AdminService, Viewer, str], None]
VERBS: dict[str, Verb] = {
    "hold": lambda admin, viewer, item: admin.hold(viewer, item),
    "release": lambda admin, viewer, item: admin.release(viewer, item),
    "drop": lambda admin, viewer, item: admin.drop(viewer, item),
}


def back(request: Request, done: flash.Flash) -> Response:
    response = RedirectResponse(path_to(request.app, "queue"), status_code=303)
    flash.put(request, response, done)
    return response


@router.get("/admin/queue", name="queue")
def queue(request: Request, visit: Operator, page: Annotated[int, Query(ge=1)] = 1) -> Response:
    found = services_of(request).admin.queue(visit.viewer, page)
    return render_page(request, visit, "admin/queue.html", {"list": found})


@router.post("/admin/queue/flush", name="flush_queue")
def flush(request: Request, visit: Operator, _: PostedForm) -> Response:
    return back(request, flash.Flash("flush", services_of(request).admin.flush(visit.viewer)))


@router.get("/admin/queue/{item_id}/drop", name="ask_drop")
def ask_drop(request: Request, visit: Operator, item_id: str) -> Response:
    return render_page(request, visit, "admin/drop.html", {"item_id": item_id})


@router.post("/admin/queue/{item_id}", name="queue_item")
def item(request: Request, visit: Operator, item_id: str, form: PostedForm) -> Response:
    verb = text(form, "do")
    if verb not in VERBS:
        raise HTTPException(400)
    VERBS[verb](services_of(request).admin, visit.viewer, item_id)
    return back(request, flash.Flash(f"queue_{verb}", 1))
