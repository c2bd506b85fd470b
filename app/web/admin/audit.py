"""The audit trail: who did what, when. That somebody took it away as a file is an event itself.

What somebody looked for is a person's address: it is posted and stands in no URL.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.admin_views import AuditFilter
from app.web import recall
from app.web.access import Watcher
from app.web.cookies import read_zone
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.downloads import download
from app.web.render import page as render_page
from app.web.render import path_to

router = APIRouter()
FIELDS = ("kind", "person", "since", "until")
NOTHING = dict.fromkeys(FIELDS, "")


def wanted(fields: recall.Fields, zone: tzinfo, page: int = 1) -> AuditFilter:
    """What was asked; days are whole days of the reader's calendar."""
    return AuditFilter(
        kind=fields.get("kind", ""),
        person=fields.get("person", ""),
        since=_midnight(fields.get("since", ""), zone),
        until=_midnight(fields.get("until", ""), zone, after=1),
        page=page,
    )


def _midnight(text: str, zone: tzinfo, after: int = 0) -> datetime | None:
    """Midnight at the beginning of a day, or `after` days later; None when it is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
        return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@router.get("/admin/audit", name="audit")
def audit(
    request: Request,
    visit: Watcher,
    key: Annotated[str, Query(max_length=20)] = "",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    asked = NOTHING | (recall.recall(request, key) or {})
    found = services_of(request).admin.audit(visit.viewer, wanted(asked, read_zone(request), page))
    context = {"found": found, "asked": asked, "key": key}
    return render_page(request, visit, "admin/audit.html", context)


@router.post("/admin/audit", name="find_audit")
def find(request: Request, visit: Watcher, form: PostedForm) -> Response:
    key, value = recall.remember(request, {name: text(form, name).strip() for name in FIELDS})
    response = RedirectResponse(path_to(request.app, "audit") + f"?key={key}", status_code=303)
    recall.set_remembered(request, response, value)
    return response


@router.post("/admin/audit/export", name="export_audit")
def export(request: Request, visit: Watcher, form: PostedForm) -> Response:
    asked = {name: text(form, name).strip() for name in FIELDS}
    name, octets = services_of(request).admin.audit_export(
        visit.viewer, wanted(asked, read_zone(request))
    )
    return download(octets, name)
