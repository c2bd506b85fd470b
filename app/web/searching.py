"""Searching one's own mail. The words are posted, and stand in no address (see `recall`)."""

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse

from app.web import recall
from app.web.access import Reader
from app.web.cookies import read_zone
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.mailbox import first_number
from app.web.render import mail_page, path_to

router = APIRouter()


@router.get("/search", name="search")
def search_form(request: Request, visit: Reader) -> Response:
    return mail_page(request, visit, "mail/search.html", {"words": "", "found": None})


@router.post("/search", name="find")
def find(request: Request, visit: Reader, form: PostedForm) -> Response:
    words = text(form, "q").strip()
    if not words:
        return RedirectResponse(path_to(request.app, "search"), status_code=303)
    if len(words) > recall.LONGEST:
        context = {"words": words, "found": None, "longest": recall.LONGEST}
        return mail_page(request, visit, "mail/search.html", context, status=422)
    key, value = recall.remember(request, {"q": words})
    response = RedirectResponse(path_to(request.app, "found", key=key), status_code=303)
    recall.set_remembered(request, response, value)
    return response


@router.get("/search/{key}", name="found")
def found(request: Request, visit: Reader, key: str, page: int = Query(1, ge=1)) -> Response:
    asked = recall.recall(request, key)
    if asked is None or "q" not in asked:
        return RedirectResponse(path_to(request.app, "search"), status_code=303)
    zone = read_zone(request)
    result = services_of(request).reading.search(visit.viewer, asked["q"], page, zone)
    if page > max(1, result.page.pages):
        raise HTTPException(404)
    context = {
        "words": asked["q"],
        "key": key,
        "found": result,
        "list": result.page,
        "first": first_number(result.page),
        "marks": result.needles,
    }
    return mail_page(request, visit, "mail/search.html", context)
