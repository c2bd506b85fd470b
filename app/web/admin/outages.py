"""A domain's outages: the timeline, and opening or closing one by an administrator's word."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Operator
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()


def listing(
    request: Request, visit: Visit, domain_id: str, typed: str = "", problem: BadEntry | None = None
) -> Response:
    found = services_of(request).outages.page(visit.viewer, domain_id)
    context = {"found": found, "typed": typed, "problem": problem}
    return page(request, visit, "admin/outages.html", context, status=422 if problem else 200)


@router.get("/admin/domains/{domain_id}/outages", name="outages")
def outages(request: Request, visit: Operator, domain_id: str) -> Response:
    return listing(request, visit, domain_id)


@router.post("/admin/domains/{domain_id}/outages", name="set_outage")
def set_outage(request: Request, visit: Operator, domain_id: str, form: PostedForm) -> Response:
    verb, reason = text(form, "do"), text(form, "reason")
    service = services_of(request).outages
    if verb not in ("open", "close"):
        raise HTTPException(400)
    try:
        if verb == "open":
            service.open(visit.viewer, domain_id, reason, bool(text(form, "keep")))
        else:
            service.close(visit.viewer, domain_id, reason)
    except BadEntry as problem:
        return listing(request, visit, domain_id, reason, problem)
    back = path_to(request.app, "outages", domain_id=domain_id)
    response = RedirectResponse(back, status_code=303)
    flash.put(request, response, flash.Flash(f"outage_{verb}", 1))
    return response


@router.post("/admin/domains/{domain_id}/notices", name="set_notices")
def set_notices(request: Request, visit: Operator, domain_id: str, form: PostedForm) -> Response:
    on = bool(text(form, "on"))
    name = services_of(request).outages.set_notices(visit.viewer, domain_id, on)
    back = path_to(request.app, "outages", domain_id=domain_id)
    response = RedirectResponse(back, status_code=303)
    flash.put(request, response, flash.Flash("notices", 1, name))
    return response
