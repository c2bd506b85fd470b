"""Leaving a mailing list: a question first, then one press, or a letter that is ready."""

from dataclasses import replace

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.views import FolderName
from app.web import flash
from app.web.access import Reader
from app.web.compose import blank, show
from app.web.csrf import PostedForm
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.render import mail_page, path_to

router = APIRouter()


@router.get("/mail/{folder}/{entry_id}/unsubscribe", name="leave")
def ask(request: Request, folder: FolderName, entry_id: EntryId, visit: Reader) -> Response:
    leaving = services_of(request).lists.offer(visit.viewer, entry_id)
    context = {"shown_in": folder, "entry_id": entry_id, "leaving": leaving}
    return mail_page(request, visit, "mail/leave.html", context)


@router.post("/mail/{folder}/{entry_id}/unsubscribe", name="leave_now")
def leave(
    request: Request, folder: FolderName, entry_id: EntryId, visit: Reader, _: PostedForm
) -> Response:
    taken = services_of(request).lists.leave(visit.viewer, entry_id)
    path = path_to(request.app, "message", folder=folder, entry_id=entry_id)
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("left" if taken else "not_left"))
    return response


@router.get("/mail/{folder}/{entry_id}/unsubscribe/letter", name="leave_by_letter")
def letter(request: Request, folder: FolderName, entry_id: EntryId, visit: Reader) -> Response:
    """The compose page with the letter that the list asks for, from the address it writes to."""
    services = services_of(request)
    leaving = services.lists.offer(visit.viewer, entry_id)
    if not leaving.mail:
        raise HTTPException(404)
    answer = services.sending.draft_for(visit.viewer, "reply", entry_id)
    fresh = services.sending.draft_for(visit.viewer, "new", None)
    text = f"{leaving.text}\n" if leaving.text else "unsubscribe\n"
    draft = replace(
        fresh,
        identity_id=answer.identity_id,
        to=leaving.mail,
        subject=leaving.subject or "unsubscribe",
        text=text,
        rich=None,
        begin_rich=False,
    )
    return show(request, visit, blank(draft, None))
