"""Drafts: kept while somebody writes, gone on with, put away.

A script saves every few seconds and gets JSON; without one a button saves and leads back to the
page. What was typed is kept as it is, however wrong: it is judged when it is sent.
"""

import contextlib
from dataclasses import replace
from typing import cast, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import FormData

from app.languages.speech import Speech
from app.sending.addressees import write_list
from app.sending.rich import read_rich, rich_text
from app.sending.unformatted import unformatted
from app.views import BadDraft, DraftFile, DraftKind, Outgoing, Visit
from app.web import flash
from app.web.access import Reader
from app.web.compose import (
    Problem,
    Sheet,
    draft_of,
    numbers,
    pictures_of,
    show,
    uploaded,
    with_files,
    written,
)
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.render import clock_of, path_to, speech_for
from app.web.showing import file_kind, visible
from archive_store.errors import NotFound

router = APIRouter()


@router.get("/compose/draft/{entry_id}", name="continue_draft")
def continue_draft(request: Request, entry_id: EntryId, visit: Reader) -> Response:
    draft = services_of(request).drafts.open(visit.viewer, entry_id)
    return show(request, visit, resumed(request, visit, entry_id, draft))


def resumed(request: Request, visit: Visit, entry_id: str, draft: Outgoing) -> Sheet:
    """The form of a draft. What it answered may have left by now: the words stay."""
    sending = services_of(request).sending
    kind, source = draft.source_kind, draft.source_entry
    try:
        start = sending.draft_for(visit.viewer, kind, source)
    except NotFound:
        kind, source = "new", None
        start = sending.draft_for(visit.viewer, kind, source)
    return Sheet(
        kind=kind,
        source=source,
        identity_id=draft.identity_id,
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        text=draft.text,
        html=draft.rich.html if draft.rich else "",
        formatted=draft.rich is not None,
        rich=draft.rich,
        pictures={**start.pictures, **pictures_of(draft)},
        kept=start.attachments,
        enclosed=start.enclosed,
        keep=draft.keep_attachments,
        draft=entry_id,
        files=draft.files,
        stay=tuple(range(len(draft.attachments))),
    )


@router.post("/compose/draft", name="save_draft")
def save_draft(request: Request, visit: Reader, form: PostedForm) -> Response:
    draft = written_in(form)
    try:
        saved = services_of(request).drafts.save(visit.viewer, draft, draft.draft)
    except BadDraft as error:
        return not_kept(request, visit, draft, error)
    path = path_to(request.app, "continue_draft", entry_id=saved.id)
    if wants_json(request):
        at = clock_of(request).time(saved.at)
        facts = {"id": saved.id, "path": path, "at": at, "alone": saved.alone}
        return JSONResponse(
            facts | {"files": [described(speech_for(request), file) for file in saved.files]}
        )
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("draft" if saved.alone else "draft_twice"))
    return response


def written_in(form: FormData) -> Outgoing:
    """What the form holds, however wrong."""
    kind = text(form, "kind")
    words, rich = written(form)
    return Outgoing(
        identity_id=text(form, "from"),
        to=text(form, "to"),
        cc=text(form, "cc"),
        bcc=text(form, "bcc"),
        subject=text(form, "subject"),
        text=words,
        rich=rich,
        attachments=uploaded(form),
        source_entry=text(form, "source") or None,
        source_kind=cast(DraftKind, kind) if kind in get_args(DraftKind) else "new",
        keep_attachments=numbers(form, "keep"),
        draft=draft_of(form) or None,
        draft_files=numbers(form, "file"),
    )


def not_kept(request: Request, visit: Visit, draft: Outgoing, error: BadDraft) -> Response:
    """The files are too large together: the draft stays as it was, and the page says why."""
    if wants_json(request):
        return JSONResponse(
            {"field": error.field, "message": speech_for(request).say(error.message)},
            status_code=422,
        )
    sheet = resumed(request, visit, draft.draft or "", replace(draft, attachments=()))
    sheet = with_files(request, visit, replace(sheet, stay=draft.draft_files))
    return show(request, visit, sheet, Problem(field=error.field, message=error.message))


def wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def described(speech: Speech, file: DraftFile) -> dict[str, object]:
    """A kept file as the script lists it."""
    kind = file_kind(file.filename)
    said = f"{speech.say(kind.label)}, {speech.size(file.size)}"
    name = visible(file.filename)
    return {"index": file.index, "name": name, "text": said, "inline": file.inline}


@router.post("/compose/turn", name="turn_text")
def turn_text(_: Reader, form: PostedForm) -> Response:
    """What was written, for the other editor: with its forms, or without them."""
    html = text(form, "html")
    if html:
        rich = read_rich(html)
        return JSONResponse({"text": unformatted(rich) if rich else ""})
    return JSONResponse({"html": rich_text(text(form, "message")).html})


@router.post("/compose/people", name="suggest")
def suggest(request: Request, visit: Reader, form: PostedForm) -> Response:
    """Whom somebody may mean; posted, so that no address of a page holds what was typed."""
    found = services_of(request).reading.suggest(visit.viewer, text(form, "typed"))
    people = [
        {"name": one.name, "address": one.address, "text": write_list([(one.name, one.address)])}
        for one in found
    ]
    return JSONResponse({"people": people})


@router.post("/compose/discard", name="discard")
def discard(request: Request, visit: Reader, form: PostedForm) -> Response:
    """Into the trash, from where it can be put back."""
    response = RedirectResponse(path_to(request.app, "folder", folder="inbox"), status_code=303)
    draft = draft_of(form)
    with contextlib.suppress(NotFound):  # sent or put away on another device
        if draft:
            services_of(request).reading.move(visit.viewer, [draft], "trash")
            done = flash.Flash("discard", 1, "", "restore", "drafts", (draft,))
            flash.put(request, response, done)
    return response
