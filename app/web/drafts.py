"""Drafts: kept while somebody writes, gone on with, put away.

A script saves every few seconds and gets JSON; without one a button saves and leads back to the
page. What was typed is kept as it is, however wrong: it is judged when it is sent.
"""

import contextlib
from typing import cast, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.views import DraftKind, Outgoing, Visit
from app.web import flash
from app.web.access import Reader
from app.web.compose import Sheet, show
from app.web.csrf import PostedForm, text, texts
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.render import clock_of, path_to
from archive_store.errors import NotFound

router = APIRouter()


@router.get("/compose/draft/{entry_id}", name="continue_draft")
def continue_draft(request: Request, entry_id: EntryId, visit: Reader) -> Response:
    written = services_of(request).drafts.open(visit.viewer, entry_id)
    return show(request, visit, resumed(request, visit, entry_id, written))


def resumed(request: Request, visit: Visit, entry_id: str, written: Outgoing) -> Sheet:
    """The form of a draft. What it answered may have left by now: the words stay."""
    sending = services_of(request).sending
    kind, source = written.source_kind, written.source_entry
    try:
        start = sending.draft_for(visit.viewer, kind, source)
    except NotFound:
        kind, source = "new", None
        start = sending.draft_for(visit.viewer, kind, source)
    return Sheet(
        kind=kind,
        source=source,
        identity_id=written.identity_id,
        to=written.to,
        cc=written.cc,
        bcc=written.bcc,
        subject=written.subject,
        text=written.text,
        kept=start.attachments,
        keep=written.keep_attachments,
        draft=entry_id,
    )


@router.post("/compose/draft", name="save_draft")
def save_draft(request: Request, visit: Reader, form: PostedForm) -> Response:
    kind = text(form, "kind")
    written = Outgoing(
        identity_id=text(form, "from"),
        to=text(form, "to"),
        cc=text(form, "cc"),
        bcc=text(form, "bcc"),
        subject=text(form, "subject"),
        text=text(form, "message"),
        source_entry=text(form, "source") or None,
        source_kind=cast(DraftKind, kind) if kind in get_args(DraftKind) else "new",
        keep_attachments=tuple(int(value) for value in texts(form, "keep") if value.isdecimal()),
    )
    saved = services_of(request).drafts.save(visit.viewer, written, text(form, "draft") or None)
    path = path_to(request.app, "continue_draft", entry_id=saved.id)
    if "application/json" in request.headers.get("accept", ""):
        at = clock_of(request).time(saved.at)
        return JSONResponse({"id": saved.id, "path": path, "at": at, "alone": saved.alone})
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("draft" if saved.alone else "draft_twice"))
    return response


@router.post("/compose/discard", name="discard")
def discard(request: Request, visit: Reader, form: PostedForm) -> Response:
    """Into the trash, from where it can be put back."""
    response = RedirectResponse(path_to(request.app, "folder", folder="inbox"), status_code=303)
    draft = text(form, "draft")
    with contextlib.suppress(NotFound):  # sent or put away on another device
        if draft:
            services_of(request).reading.move(visit.viewer, [draft], "trash")
            done = flash.Flash("discard", 1, "", "restore", "drafts", (draft,))
            flash.put(request, response, done)
    return response
