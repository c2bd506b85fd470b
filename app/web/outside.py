"""A person's address outside, on the settings page."""

from fastapi import APIRouter, HTTPException, Request, Response

from app.secret import Secret
from app.views import BadEntry
from app.web.access import Reader
from app.web.account import back, show
from app.web.csrf import PostedForm, text
from app.web.deps import services_of

router = APIRouter()


@router.post("/settings/outside", name="set_outside")
def set_outside(request: Request, visit: Reader, form: PostedForm) -> Response:
    verb, service = text(form, "do"), services_of(request).outside
    try:
        if verb == "set":
            service.set_outside(visit.viewer, text(form, "outside"))
        elif verb == "confirm":
            service.confirm_outside(visit.viewer, Secret(text(form, "outside_code")))
        elif verb == "remove":
            service.remove_outside(visit.viewer)
        else:
            raise HTTPException(400)
    except BadEntry as problem:
        return show(request, visit, problem)
    return back(request, f"outside_{verb}")
