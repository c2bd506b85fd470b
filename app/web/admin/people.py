"""Who may sign in. A new password is made by us, shown once, and kept nowhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.admin_views import NewPassword, PersonForm
from app.views import BadEntry, Visit
from app.web import flash
from app.web.access import Operator
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()
NOBODY = PersonForm(address="", name="", role="user", domain_id="")


@router.get("/admin/users", name="people")
def people(
    request: Request,
    visit: Operator,
    domain: Annotated[str, Query(max_length=26)] = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    return listing(request, visit, domain_id=domain, number=page)


def listing(
    request: Request,
    visit: Visit,
    *,
    domain_id: str = "",
    number: int = 1,
    new: NewPassword | None = None,
) -> Response:
    admin = services_of(request).admin
    context = {
        "list": admin.people(visit.viewer, domain_id=domain_id, page=number),
        "domains": admin.domains(visit.viewer),
        "domain_id": domain_id,
        "new": new,
    }
    return page(request, visit, "admin/people.html", context)


def sheet(
    request: Request, visit: Visit, form: PersonForm, problem: BadEntry | None = None
) -> Response:
    domains = services_of(request).admin.domains(visit.viewer)
    context = {"form": form, "domains": domains, "problem": problem}
    return page(request, visit, "admin/person.html", context, status=422 if problem else 200)


@router.get("/admin/users/new", name="new_person")
def new_person(request: Request, visit: Operator) -> Response:
    return sheet(request, visit, NOBODY)


@router.post("/admin/users/new", name="add_person")
def add_person(request: Request, visit: Operator, form: PostedForm) -> Response:
    wanted = PersonForm(
        address=text(form, "address").strip(),
        name=text(form, "name").strip(),
        role=text(form, "role"),
        domain_id=text(form, "domain_id"),
    )
    try:
        new = services_of(request).admin.add_person(visit.viewer, wanted)
    except BadEntry as problem:
        return sheet(request, visit, wanted, problem)
    return listing(request, visit, new=new)


@router.post("/admin/users/{user_id}/password", name="reset_password")
def reset_password(request: Request, visit: Operator, user_id: str, _: PostedForm) -> Response:
    new = services_of(request).admin.reset_password(visit.viewer, user_id)
    return listing(request, visit, new=new)


@router.post("/admin/users/{user_id}/state", name="set_person_state")
def set_state(request: Request, visit: Operator, user_id: str, form: PostedForm) -> Response:
    disabled = text(form, "do") == "disable"
    services_of(request).admin.set_disabled(visit.viewer, user_id, disabled)
    response = RedirectResponse(path_to(request.app, "people"), status_code=303)
    flash.put(request, response, flash.Flash("person_off" if disabled else "person_on", 1))
    return response
