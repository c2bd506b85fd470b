"""Protected domains: a service provider adds them, a domain administrator sets their own."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from app.admin_views import DomainForm, DomainLine
from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Operator, Provider
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()
NEW = DomainForm(
    name="",
    mode="relay",
    relay="",
    smarthost="",
    unknown_recipients="relay",
    enabled=True,
    all_users=True,
)


@router.get("/admin/domains", name="domains")
def domains(request: Request, visit: Operator) -> Response:
    rows = services_of(request).admin.domains(visit.viewer)
    return page(request, visit, "admin/domains.html", {"rows": rows})


def sheet(
    request: Request,
    visit: Visit,
    form: DomainForm,
    domain: DomainLine | None = None,
    problem: BadEntry | None = None,
) -> Response:
    context = {"form": form, "domain": domain, "problem": problem}
    return page(request, visit, "admin/domain.html", context, status=422 if problem else 200)


def as_typed(form: FormData, name: str) -> DomainForm:
    return DomainForm(
        name=name,
        mode=text(form, "mode"),
        relay=text(form, "relay").strip(),
        smarthost=text(form, "smarthost").strip(),
        unknown_recipients=text(form, "unknown_recipients"),
        enabled=bool(text(form, "enabled")),
        all_users=bool(text(form, "all_users")),
        checked_by=text(form, "checked_by").strip(),
        second_factor=text(form, "second_factor") or "nobody",
    )


def as_set(domain: DomainLine) -> DomainForm:
    return DomainForm(
        name=domain.name,
        mode=domain.mode,
        relay=domain.relay,
        smarthost=domain.smarthost,
        unknown_recipients=domain.unknown_recipients,
        enabled=domain.enabled,
        all_users=False,
        checked_by=domain.checked_by,
        second_factor=domain.second_factor,
    )


def done(request: Request, kind: str, name: str) -> Response:
    response = RedirectResponse(path_to(request.app, "domains"), status_code=303)
    flash.put(request, response, flash.Flash(kind, 1, name))
    return response


@router.get("/admin/domains/new", name="new_domain")
def new_domain(request: Request, visit: Provider) -> Response:
    return sheet(request, visit, NEW)


@router.post("/admin/domains/new", name="add_domain")
def add_domain(request: Request, visit: Provider, form: PostedForm) -> Response:
    wanted = as_typed(form, text(form, "name").strip())
    try:
        services_of(request).admin.add_domain(visit.viewer, wanted)
    except BadEntry as problem:
        return sheet(request, visit, wanted, None, problem)
    return done(request, "domain_added", wanted.name)


@router.get("/admin/domains/{domain_id}", name="domain")
def domain(request: Request, visit: Operator, domain_id: str) -> Response:
    found = services_of(request).admin.domain(visit.viewer, domain_id)
    return sheet(request, visit, as_set(found), found)


@router.post("/admin/domains/{domain_id}", name="set_domain")
def set_domain(request: Request, visit: Operator, domain_id: str, form: PostedForm) -> Response:
    admin = services_of(request).admin
    found = admin.domain(visit.viewer, domain_id)
    wanted = as_typed(form, found.name)
    try:
        admin.set_domain(visit.viewer, domain_id, wanted)
    except BadEntry as problem:
        return sheet(request, visit, wanted, found, problem)
    return done(request, "domain_set", found.name)
