"""The state of everything an administrator looks after, on one page."""

from fastapi import APIRouter, Request, Response

from app.web.access import Operator
from app.web.deps import services_of
from app.web.figures import hour_plot, shares
from app.web.render import page

router = APIRouter()


@router.get("/admin/", name="overview")
def overview(request: Request, visit: Operator) -> Response:
    seen = services_of(request).admin.overview(visit.viewer)
    context = {"o": seen, "plot": hour_plot(seen.hours), "days": shares(seen.days)}
    return page(request, visit, "admin/overview.html", context)


@router.get("/admin/runbook", name="runbook")
def runbook(request: Request, visit: Operator) -> Response:
    """What to do on the day, with the address of this service, to print."""
    return page(
        request,
        visit,
        "admin/runbook.html",
        {"public_url": services_of(request).config.public_url},
    )
