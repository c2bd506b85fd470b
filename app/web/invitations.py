"""The buttons of an invitation's card: the answer goes to its organiser, as a letter does."""

from typing import Final, get_args

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.invitation_views import Participation
from app.views import BadDraft, FolderName
from app.web import flash
from app.web.access import Reader
from app.web.compose import told
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.render import path_to, speech_for

router = APIRouter()
ANSWERS: Final[dict[str, Participation]] = {name: name for name in get_args(Participation)}


@router.post("/mail/{folder}/{entry_id}/invitation", name="answer_invitation")
def answer(
    request: Request, folder: FolderName, entry_id: EntryId, visit: Reader, form: PostedForm
) -> Response:
    chosen = ANSWERS.get(text(form, "answer"))
    if chosen is None:
        raise HTTPException(400)
    say = speech_for(request).say
    desk = services_of(request).invitations
    path = path_to(request.app, "message", folder=folder, entry_id=entry_id)
    response = RedirectResponse(path, status_code=303)
    try:
        receipt = desk.answer(visit.viewer, entry_id, chosen, say)
    except BadDraft as error:
        flash.put(request, response, flash.Flash("refused", 1, say(error.message)))
    else:
        flash.put(request, response, told(request, receipt, scheduled=False))
    return response
