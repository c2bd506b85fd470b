"""An open message beside its list; its text in a frame of its own; its octets as files.

Opening writes the audit event and marks the message read, in one transaction; the frame
that follows does neither again. The frame's document comes sanitised, under a policy that runs
no script, from an address of its own: two walls, of which either suffices.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from app.file_views import MOST_DEEP, EnclosedMail, Section
from app.viewer import Viewer
from app.views import FolderName, OpenMessage, Row, SafeDocument
from app.web import flash, keeping, recall
from app.web.access import Reader
from app.web.csrf import PostedForm, text
from app.web.deeds import perform, read_deed, widened
from app.web.deps import services_of
from app.web.downloads import download, download_headers
from app.web.frame import FRAME_CSP
from app.web.mailbox import Here, Place, is_grouped, list_context, sent_to
from app.web.render import mail_page, path_to, render, speech_for
from app.web.zipping import zipped
from archive_store.search import parse_query

router = APIRouter()
EntryId = Annotated[str, Path(pattern=r"^[a-z2-7]{26}$")]
STAYS = frozenset({"star", "unstar"})  # what leaves the reader on the message
Found = Annotated[str, Query(pattern=r"^[\w-]{0,16}$")]  # a search, by its key (`recall`)
Warned = Annotated[bool, Query()]  # the person was told that nobody looked for viruses
SECTION = rf"^[0-9]{{1,6}}(\.[0-9]{{1,6}}){{0,{MOST_DEEP - 1}}}$"
SHOWN_SOURCE = 1024 * 1024
SOURCE_POLICY = (
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)


def find_section(index: Annotated[str, Path(pattern=SECTION)]) -> Section:
    return tuple(map(int, index.split(".")))


InMail = Annotated[Section, Depends(find_section)]


@router.get("/mail/{folder}/{entry_id}", name="message")
def show(
    request: Request, place: Here, entry_id: EntryId, visit: Reader, found: Found = ""
) -> Response:
    if place.folder == "drafts":
        path = path_to(request.app, "continue_draft", entry_id=entry_id)
        return RedirectResponse(path, status_code=303)
    reading = services_of(request).reading
    to = sent_to(reading.counts(visit.viewer), place) if place.to else ""
    if is_grouped(request, place.folder):
        talk = reading.open_conversation(
            visit.viewer, place.folder, entry_id, filter=place.filter, to=to
        )
        opened = replace(talk.answered, position=talk.position)
    else:
        talk, opened = (
            None,
            reading.open_message(visit.viewer, entry_id, place.folder, filter=place.filter, to=to),
        )
    context = message_context(request, visit.viewer, opened)
    talk = talk if talk and len(talk.rows) > 1 else None
    context |= list_context(request, visit.viewer, place)
    context |= {"talk": talk, "acted_on": talk.acted_on(place.folder) if talk else entry_id}
    words = sought(request, found)
    context |= {"words": words, "marks": parse_query(words).needles, "key": found if words else ""}
    keeping.may_keep(request, leaves_at(request, talk.rows if talk else [opened.row]))
    return mail_page(request, visit, "mail/message.html", context)


@router.get("/mail/{folder}/{entry_id}/card", name="card")
def card(
    request: Request, place: Here, entry_id: EntryId, visit: Reader, found: Found = ""
) -> Response:
    """One message of a conversation, when somebody opens it there: a part of that page."""
    opened = services_of(request).reading.open_alone(visit.viewer, entry_id)
    context = message_context(request, visit.viewer, opened)
    context |= {"place": place, "folder": place.folder, "talk": True, "key": found}
    keeping.may_keep(request, opened.leaves_on)
    return render(request, "mail/card.html", context)


def leaves_at(request: Request, rows: Sequence[Row]) -> datetime:
    """When the oldest of these is over."""
    keep = timedelta(days=services_of(request).config.keep_days)
    return min(row.received_at for row in rows) + keep


def sought(request: Request, key: str) -> str:
    """The words of the search that led here; empty when it is no longer known."""
    return (recall.recall(request, key) or {}).get("q", "") if key else ""


def message_context(request: Request, viewer: Viewer, opened: OpenMessage) -> dict[str, Any]:
    """What the reading pane shows besides the message itself."""
    own = {one.address: one.id for one in services_of(request).sending.identities(viewer)}
    answer_from = opened.envelope_to if opened.envelope_to in own else viewer.user.address
    shows = partial(services_of(request).picture_senders.shows, viewer)
    around = {"answer_from": answer_from, "own": own, "pictures_shown": shows}
    return {"opened": opened, "row": opened.row, **around}


@router.post("/mail/{folder}/{entry_id}", name="act_on_one")
def act(
    request: Request, place: Here, entry_id: EntryId, visit: Reader, form: PostedForm
) -> Response:
    reading = services_of(request).reading
    deed = widened(reading, visit.viewer, read_deed(form, only=entry_id), place.folder)
    if deed.is_final(place.folder) and not text(form, "sure"):
        held = services_of(request).holds.held_since(visit.viewer) is not None
        context = {"folder": place.folder, "place": place, "deed": deed, "held": held}
        return mail_page(request, visit, "mail/sure.html", context)
    done = perform(reading, visit.viewer, deed, place.folder)
    response = RedirectResponse(after(request, place, entry_id, deed.verb), status_code=303)
    if deed.verb not in STAYS:
        flash.put(request, response, done)
    return response


def after(request: Request, place: Place, entry_id: str, verb: str) -> str:
    """Where the reader goes on: the list, unless the message is still what they read."""
    if verb in STAYS:
        path = path_to(request.app, "message", folder=place.folder, entry_id=entry_id)
    else:
        path = path_to(request.app, "folder", folder=place.folder)
    return path + place.query()


@router.get("/mail/{folder}/{entry_id}/source", name="source")
def source(request: Request, place: Here, entry_id: EntryId, visit: Reader) -> Response:
    services_of(request).reading.check(visit.viewer, entry_id)
    context = {"folder": place.folder, "place": place, "entry_id": entry_id}
    return mail_page(request, visit, "mail/source.html", context)


@router.get("/mail/{folder}/{entry_id}/source/text", name="source_text")
def source_text(request: Request, folder: FolderName, entry_id: EntryId, visit: Reader) -> Response:
    octets = services_of(request).reading.source(visit.viewer, entry_id)
    # Header octets beyond ASCII are undefined; UTF-8 is what RFC 6532 writes.
    shown = octets[:SHOWN_SOURCE].decode("utf-8", "replace")
    headers = {"Content-Security-Policy": SOURCE_POLICY}
    return Response(shown, media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/mail/{folder}/{entry_id}/original", name="original")
def original(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    visit: Reader,
    unchecked: Warned = False,
) -> Response:
    reading = services_of(request).reading
    octets = reading.original(visit.viewer, entry_id, unchecked=unchecked)
    return download(octets, f"{entry_id}.eml", "message/rfc822")


@router.get("/mail/{folder}/{entry_id}/attachments.zip", name="attachments")
def attachments(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    visit: Reader,
    unchecked: Warned = False,
) -> StreamingResponse:
    services = services_of(request)
    found = services.reading.attachments(visit.viewer, entry_id, unchecked=unchecked)
    pieces = zipped(((facts.filename, octets) for facts, octets in found), services.now())
    headers = download_headers("attachments.zip")
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


@router.get("/mail/{folder}/{entry_id}/print", name="print")
def printed(request: Request, place: Here, entry_id: EntryId, visit: Reader) -> Response:
    """A message alone, for paper: a document as the frame has it, with the head above it."""
    reading = services_of(request).reading
    opened = reading.open_alone(visit.viewer, entry_id)
    safe = reading.body_html(visit.viewer, entry_id, "")
    return on_paper(request, opened, safe)


def on_paper(request: Request, opened: OpenMessage | EnclosedMail, safe: SafeDocument) -> Response:
    """The document of a body with the head of its mail above it, under the policy of the frame."""
    context = {"opened": opened, "enclosed": isinstance(opened, EnclosedMail)}
    head = render(request, "mail/print.html", context)
    document = safe.on_paper(bytes(head.body).decode(), speech_for(request).say)
    headers = {"Content-Security-Policy": FRAME_CSP}
    return Response(document, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/mail/{folder}/{entry_id}/attachments/{index}", name="attachment")
def attachment(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    section: InMail,
    visit: Reader,
    unchecked: Warned = False,
) -> Response:
    reading = services_of(request).reading
    facts, octets = reading.attachment(visit.viewer, entry_id, section, unchecked=unchecked)
    return download(octets, facts.filename)
