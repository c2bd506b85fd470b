"""A domain's webhook: set, tested and removed here. Its secret is on one page, once."""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.secret import Secret
from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Operator
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()


def show(
    request: Request,
    visit: Visit,
    domain_id: str,
    secret: Secret | None = None,
    problem: BadEntry | None = None,
) -> Response:
    found = services_of(request).webhooks.page(visit.viewer, domain_id)
    context = {"found": found, "secret": secret and secret.reveal(), "problem": problem}
    return page(request, visit, "admin/webhook.html", context, status=422 if problem else 200)


@router.get("/admin/domains/{domain_id}/webhook", name="webhook")
def webhook(request: Request, visit: Operator, domain_id: str) -> Response:
    return show(request, visit, domain_id)


@router.post("/admin/domains/{domain_id}/webhook", name="set_webhook")
def set_webhook(request: Request, visit: Operator, domain_id: str, form: PostedForm) -> Response:
    verb, service = text(form, "do"), services_of(request).webhooks
    if verb not in ("set", "test", "remove"):
        raise HTTPException(400)
    try:
        if verb == "set":
            secret = service.set(visit.viewer, domain_id, text(form, "url"))
            return show(request, visit, domain_id, secret)
        act = service.test if verb == "test" else service.remove
        act(visit.viewer, domain_id)
    except BadEntry as problem:
        return show(request, visit, domain_id, None, problem)
    response = RedirectResponse(path_to(request.app, "webhook", domain_id=domain_id), 303)
    flash.put(request, response, flash.Flash(f"webhook_{verb}", 1))
    return response
