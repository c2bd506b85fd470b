"""Writing, answering and forwarding as plain text with attachments.

The form keeps every word when something is wrong, and says it beside the field;
only chosen files must be chosen again, since a browser does not let us keep them.
"""

import contextlib
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from app.views import AttachmentFacts, BadDraft, Draft, DraftKind, Outgoing, Visit
from app.web import flash
from app.web.access import Reader
from app.web.csrf import OpenForm, carries_token, text, texts
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.middleware import MIB
from app.web.render import mail_page, path_to
from archive_store.errors import StoreError

router = APIRouter()
AnswerKind = Annotated[Literal["reply", "reply-all", "forward"], Path()]
LARGEST_ATTACHMENTS = 25 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What cannot be sent as it is, and beside which field that is said."""

    field: str
    message: str


OTHER_SESSION = Problem(
    field="session",
    message="Not sent yet: you signed in anew since you began. Look it over, and send it again.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the form holds: the draft it began with, or what was typed over it."""

    kind: DraftKind
    source: str | None
    identity_id: str
    to: str
    cc: str
    bcc: str
    subject: str
    text: str
    kept: tuple[AttachmentFacts, ...]
    keep: tuple[int, ...]
    draft: str = ""  # the entry in which it is kept, if it is


def blank(draft: Draft, source: str | None) -> Sheet:
    """The form before anything was typed: all of a forwarded message's files are kept."""
    return Sheet(
        kind=draft.kind,
        source=source,
        identity_id=draft.identity_id,
        to=draft.to,
        cc=draft.cc,
        bcc="",
        subject=draft.subject,
        text=draft.text,
        kept=draft.attachments,
        keep=tuple(file.index for file in draft.attachments),
    )


def typed(form: FormData, draft: Draft, source: str | None) -> Sheet:
    """The form as it was sent; a file that the message does not have cannot be kept."""
    ticked = {value for value in texts(form, "keep") if value.isdecimal()}
    return Sheet(
        kind=draft.kind,
        source=source,
        identity_id=text(form, "from"),
        to=text(form, "to"),
        cc=text(form, "cc"),
        bcc=text(form, "bcc"),
        subject=text(form, "subject"),
        text=text(form, "message"),
        kept=draft.attachments,
        keep=tuple(file.index for file in draft.attachments if str(file.index) in ticked),
        draft=text(form, "draft"),
    )


def show(request: Request, visit: Visit, sheet: Sheet, problem: Problem | None = None) -> Response:
    context = {
        "sheet": sheet,
        "problem": problem,
        "identities": services_of(request).sending.identities(visit.viewer),
    }
    status = 422 if problem else 200
    return mail_page(request, visit, "compose.html", context, status=status)


@router.get("/compose/new", name="write")
def write(request: Request, visit: Reader) -> Response:
    draft = services_of(request).sending.draft_for(visit.viewer, "new", None)
    return show(request, visit, blank(draft, None))


@router.get("/compose/{kind}/{entry_id}", name="answer")
def answer(request: Request, kind: AnswerKind, entry_id: EntryId, visit: Reader) -> Response:
    draft = services_of(request).sending.draft_for(visit.viewer, kind, entry_id)
    return show(request, visit, blank(draft, entry_id))


@router.post("/compose/new", name="send")
def send(request: Request, visit: Reader, form: OpenForm) -> Response:
    draft = services_of(request).sending.draft_for(visit.viewer, "new", None)
    return finish(request, visit, form, typed(form, draft, None))


@router.post("/compose/{kind}/{entry_id}", name="send_answer")
def send_answer(
    request: Request, kind: AnswerKind, entry_id: EntryId, visit: Reader, form: OpenForm
) -> Response:
    draft = services_of(request).sending.draft_for(visit.viewer, kind, entry_id)
    return finish(request, visit, form, typed(form, draft, entry_id))


def finish(request: Request, visit: Visit, form: FormData, sheet: Sheet) -> Response:
    """Send it and go to the inbox, or show the form again with what is wrong.

    A form of an earlier session is not sent, but shown again under this one: whoever signed
    in anew must not lose what they wrote.
    """
    if not carries_token(request, form):
        return show(request, visit, sheet, OTHER_SESSION)
    try:
        receipt = services_of(request).sending.send(visit.viewer, outgoing(sheet, form))
    except BadDraft as error:
        return show(request, visit, sheet, Problem(field=error.field, message=error.message))
    if sheet.draft:
        # It is sent: that its draft stays behind is better than an error that has it sent twice.
        with contextlib.suppress(StoreError):
            services_of(request).drafts.drop(visit.viewer, sheet.draft)
    path = path_to(request.app, "folder", folder="inbox")
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, flash.Flash("sent", 1, receipt.text))
    return response


def outgoing(sheet: Sheet, form: FormData) -> Outgoing:
    return Outgoing(
        identity_id=sheet.identity_id,
        to=sheet.to,
        cc=sheet.cc,
        bcc=sheet.bcc,
        subject=sheet.subject,
        text=sheet.text,
        attachments=uploaded(form),
        source_entry=sheet.source,
        source_kind=sheet.kind,
        keep_attachments=sheet.keep,
    )


def uploaded(form: FormData) -> tuple[tuple[str, str, bytes], ...]:
    """The chosen files; a browser sends one empty nameless part when none was."""
    files = [file for file in form.getlist("attachments") if isinstance(file, UploadFile)]
    files = [file for file in files if file.filename]
    if sum(file.size or 0 for file in files) > LARGEST_ATTACHMENTS:
        raise HTTPException(413)
    return tuple(
        (file.filename or "", file.content_type or "application/octet-stream", file.file.read())
        for file in files
    )
