"""Pictures among the files of a message: small in the list of files, large when asked for.

What is sent is a picture of our own making, never the stranger's octets. A browser keeps it for
`KEPT_SECONDS`, under the cookie of its session (and not at all on a public computer).
"""

from typing import Final, Literal

from fastapi import APIRouter, Request, Response

from app.pictures.picture import Picture
from app.views import FolderName, Visit
from app.web.access import Reader
from app.web.deps import services_of
from app.web.message import EntryId, InMail
from app.web.pictures import NOT_THERE, PICTURE_POLICY

router = APIRouter()
PIXELS: Final = {"small": 160, "large": 1_600}  # of the longest side
KEPT_SECONDS: Final = 600


@router.get("/mail/{folder}/{entry_id}/attachments/{index}/preview/{size}", name="preview")
def preview(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    section: InMail,
    size: Literal["small", "large"],
    visit: Reader,
) -> Response:
    reading = services_of(request).reading
    found = reading.preview(visit.viewer, entry_id, section, PIXELS[size])
    return picture_of(found, visit)


def picture_of(found: Picture | None, visit: Visit) -> Response:
    """A picture that we drew; one of ours where it cannot be drawn."""
    headers = {"Content-Security-Policy": PICTURE_POLICY}
    if found is None:
        return Response(NOT_THERE, media_type="image/svg+xml", headers=headers)
    if not visit.public_computer:
        headers |= {"Cache-Control": f"private, max-age={KEPT_SECONDS}", "Vary": "Cookie"}
    return Response(found.octets, media_type=found.media_type, headers=headers)
