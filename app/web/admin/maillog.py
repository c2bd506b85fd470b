"""What became of a message, in plain words: senders, recipients, times, replies; never its text.

What is looked for is posted and stands in no URL (see `recall`).
"""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.admin_views import MaillogDetail, MaillogQuery
from app.phrase import phrase
from app.views import BadEntry, Visit
from app.web import recall
from app.web.access import Operator
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.render import page, path_to

router = APIRouter()
FIELDS = ("recipient", "sender", "subject")
NOTHING = dict.fromkeys(FIELDS, "")
NO_RECIPIENT = BadEntry(
    "recipient", phrase("Say who should have got it: an address, or a part of one.")
)


def show(
    request: Request,
    visit: Visit,
    asked: recall.Fields,
    *,
    key: str = "",
    detail: MaillogDetail | None = None,
    problem: BadEntry | None = None,
) -> Response:
    hits = None
    if asked["recipient"]:
        query = MaillogQuery(**{name: asked[name] for name in FIELDS})
        hits = services_of(request).admin.maillog(visit.viewer, query)
    context = {"asked": asked, "key": key, "hits": hits, "detail": detail, "problem": problem}
    return page(request, visit, "admin/maillog.html", context, status=422 if problem else 200)


@router.get("/admin/maillog", name="maillog")
def maillog(
    request: Request, visit: Operator, key: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    return show(request, visit, NOTHING | (recall.recall(request, key) or {}), key=key)


@router.post("/admin/maillog", name="find_maillog")
def find(request: Request, visit: Operator, form: PostedForm) -> Response:
    asked = {name: text(form, name).strip() for name in FIELDS}
    if not asked["recipient"]:
        return show(request, visit, asked, problem=NO_RECIPIENT)
    key, value = recall.remember(request, asked)
    response = RedirectResponse(path_to(request.app, "maillog") + f"?key={key}", status_code=303)
    recall.set_remembered(request, response, value)
    return response


@router.get("/admin/maillog/{line_id}", name="maillog_line")
def line(
    request: Request,
    visit: Operator,
    line_id: str,
    key: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    detail = services_of(request).admin.maillog_detail(visit.viewer, line_id)
    asked = NOTHING | (recall.recall(request, key) or {})
    return show(request, visit, asked, key=key, detail=detail)
