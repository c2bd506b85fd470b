"""A mail that came as a file of another one, as a page: head, text in its frame, its own files.

Its address is that of the file. The frame has the walls of any message's (`frame`).
"""

from fastapi import APIRouter, Request, Response

from app.views import FolderName
from app.web.access import Reader
from app.web.deps import services_of
from app.web.frame import FRAME_CSP
from app.web.mailbox import Here
from app.web.message import EntryId, InMail, on_paper
from app.web.render import mail_page, speech_for

router = APIRouter()


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/mail", name="enclosed")
def enclosed(
    request: Request, place: Here, entry_id: EntryId, section: InMail, visit: Reader
) -> Response:
    mail = services_of(request).reading.open_enclosed(visit.viewer, entry_id, section)
    context = {"folder": place.folder, "place": place, "entry_id": entry_id, "mail": mail}
    return mail_page(request, visit, "mail/enclosed.html", context)


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/mail/body", name="enclosed_body")
def enclosed_body(
    request: Request, folder: FolderName, entry_id: EntryId, section: InMail, visit: Reader
) -> Response:
    safe = services_of(request).reading.enclosed_body(visit.viewer, entry_id, section)
    headers = {"Content-Security-Policy": FRAME_CSP}
    return Response(
        safe.said(speech_for(request).say), media_type="text/html; charset=utf-8", headers=headers
    )


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/mail/print", name="print_enclosed")
def printed(
    request: Request, folder: FolderName, entry_id: EntryId, section: InMail, visit: Reader
) -> Response:
    """The mail alone, for paper."""
    reading = services_of(request).reading
    mail = reading.open_enclosed(visit.viewer, entry_id, section)
    return on_paper(request, mail, reading.enclosed_body(visit.viewer, entry_id, section))
