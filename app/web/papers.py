"""A PDF among the files of a message, a few pages at a time: pictures of our own making, and the
text of each for whoever does not see them.

The document itself never reaches the browser but as a file to save.
"""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.views import FolderName
from app.web.access import Reader
from app.web.deps import services_of
from app.web.mailbox import Here
from app.web.message import EntryId, InMail
from app.web.previews import PIXELS, picture_of
from app.web.render import mail_page

router = APIRouter()
MOST = 9_999
Number = Annotated[int, Path(ge=1, le=MOST)]
First = Annotated[int, Query(alias="from", ge=1, le=MOST)]


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/pages", name="paper")
def paper(
    request: Request,
    place: Here,
    entry_id: EntryId,
    section: InMail,
    visit: Reader,
    first: First = 1,
) -> Response:
    found = services_of(request).reading.open_paper(visit.viewer, entry_id, section, first)
    context = {"folder": place.folder, "place": place, "entry_id": entry_id, "paper": found}
    return mail_page(request, visit, "mail/paper.html", context)


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/pages/{number}", name="sheet")
def sheet(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    section: InMail,
    number: Number,
    visit: Reader,
) -> Response:
    reading = services_of(request).reading
    found = reading.sheet(visit.viewer, entry_id, section, number, PIXELS["large"])
    return picture_of(found, visit)
