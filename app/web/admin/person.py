"""How one person signs in, and help for somebody who cannot."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.admin_views import GivenCode
from app.views import Visit
from app.web import flash
from app.web.access import Operator
from app.web.csrf import PostedForm
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()


def show(request: Request, visit: Visit, user_id: str, given: GivenCode | None = None) -> Response:
    person = services_of(request).method_desk.person(visit.viewer, user_id)
    return page(request, visit, "admin/person_login.html", {"who": person, "given": given})


@router.get("/admin/users/{user_id}/login", name="person_login")
def person_login(request: Request, visit: Operator, user_id: str) -> Response:
    return show(request, visit, user_id)


@router.post("/admin/users/{user_id}/code", name="give_code")
def give_code(request: Request, visit: Operator, user_id: str, _: PostedForm) -> Response:
    given = services_of(request).method_desk.give_code(visit.viewer, user_id)
    return show(request, visit, user_id, given)


@router.post("/admin/users/{user_id}/methods", name="reset_methods")
def reset_methods(request: Request, visit: Operator, user_id: str, _: PostedForm) -> Response:
    services_of(request).method_desk.reset(visit.viewer, user_id)
    path = path_to(request.app, "person_login", user_id=user_id)
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("methods_reset", 1))
    return response
