"""Writing, answering and forwarding, as plain or rich text with attachments.

The form keeps every word when something is wrong, and says it beside the field. Chosen files
go into the draft then, since a browser does not let a page choose them again.
"""

import contextlib
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from app.markup.pictures import raster_type
from app.phrase import phrase
from app.sending.forgotten import ATTACHING, speaks_of_attachment
from app.sending.pictures import PICTURE
from app.sending.rich import read_rich
from app.sending.submissions import NAME
from app.sending.unformatted import unformatted
from app.views import (
    AttachmentFacts,
    BadDraft,
    Draft,
    DraftFile,
    DraftKind,
    Outgoing,
    RichText,
    SentReceipt,
    Visit,
)
from app.web import flash, later
from app.web.access import Reader
from app.web.csrf import OpenForm, carries_token, text, texts
from app.web.deps import services_of
from app.web.message import EntryId
from app.web.middleware import MIB, writing_policy
from app.web.render import clock_of, kept_words, mail_page, path_to, speech_for
from archive_store.errors import NotFound, StoreError

router = APIRouter()
AnswerKind = Annotated[Literal["reply", "reply-all", "forward", "enclose"], Path()]
LARGEST_ATTACHMENTS = 25 * MIB
_ENTRY_ID = re.compile(r"[a-z2-7]{26}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What cannot be sent as it is, and beside which field that is said."""

    field: str
    message: str
    status: int = 422


UNOPENED = Problem(
    field="message",
    message=phrase(
        "The mail you answer cannot be opened just now, and nothing was sent. "
        "Try again in a minute."
    ),
    status=503,
)
FORGOTTEN = Problem(
    field="forgotten",
    message=phrase(
        "You write of an attachment, and there is none. Choose it, or send again to send without."
    ),
)
OTHER_SESSION = Problem(
    field="session",
    message=phrase(
        "Not sent yet: you signed in anew since you began. Look it over, and send it again."
    ),
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
    enclosed: int = 0  # octets of the message that goes along as a file
    draft: str = ""  # the entry in which it is kept, if it is
    files: tuple[DraftFile, ...] = ()  # those of the draft
    stay: tuple[int, ...] = ()  # those of them that are to stay
    at: str = ""  # when it is to be sent, as its field has it
    html: str = ""  # the text with its forms; what a script begins with when somebody wants them
    formatted: bool = False  # begin with the forms
    rich: RichText | None = None  # as it was sent
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # those it shows, by name

    @property
    def shown(self) -> dict[str, str]:
        """The pictures as addresses that hold them; a stranger's is one of four kinds, or none."""
        kinds = {name: raster_type(octets) for name, octets in self.pictures.items()}
        return {
            name: f"data:{kind};base64,{b64encode(self.pictures[name]).decode()}"
            for name, kind in kinds.items()
            if kind
        }


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
        html=draft.rich.html if draft.rich else "",
        formatted=draft.begin_rich,
        pictures=draft.pictures,
        kept=draft.attachments,
        enclosed=draft.enclosed,
        keep=tuple(file.index for file in draft.attachments),
    )


def typed(form: FormData, draft: Draft, source: str | None) -> Sheet:
    """The form as it was sent; a file that the message does not have cannot be kept."""
    ticked = numbers(form, "keep")
    words, rich = written(form)
    return Sheet(
        kind=draft.kind,
        source=source,
        identity_id=text(form, "from"),
        to=text(form, "to"),
        cc=text(form, "cc"),
        bcc=text(form, "bcc"),
        subject=text(form, "subject"),
        text=words,
        html=rich.html if rich else "",
        rich=rich,
        formatted=rich is not None,
        pictures=draft.pictures,
        kept=draft.attachments,
        enclosed=draft.enclosed,
        keep=tuple(file.index for file in draft.attachments if file.index in ticked),
        draft=draft_of(form),
        stay=numbers(form, "file"),
        at=text(form, "at"),
    )


def numbers(form: FormData, name: str) -> tuple[int, ...]:
    """The ticked boxes of a name, by their numbers."""
    return tuple(int(value) for value in texts(form, name) if re.fullmatch("[0-9]{1,4}", value))


def written(form: FormData) -> tuple[str, RichText | None]:
    """The text, and with its forms when it has some. The field `html` is a script's."""
    html = text(form, "html")
    if not html:
        return text(form, "message"), None
    rich = read_rich(html)
    return (unformatted(rich), rich) if rich else ("", None)


def draft_of(form: FormData) -> str:
    """The draft that the form was written over; empty: none."""
    named = text(form, "draft")
    return named if _ENTRY_ID.fullmatch(named) else ""


def submission_of(form: FormData) -> str:
    """What the browser calls it that sends it from its outbox; empty: it comes from the page."""
    named = text(form, "submission")
    return named if NAME.fullmatch(named) else ""


def show(request: Request, visit: Visit, sheet: Sheet, problem: Problem | None = None) -> Response:
    context = {
        "sheet": sheet,
        "problem": problem,
        "identities": services_of(request).sending.identities(visit.viewer),
        "attaching": ATTACHING,
        "later": later.Later.of(clock_of(request), longest(request)),
        "longest": speech_for(request).say(kept_words(longest(request).days)),
    }
    status = problem.status if problem else 200
    page = mail_page(request, visit, "compose.html", context, status=status)
    page.headers["Content-Security-Policy"] = writing_policy(request)
    return page


def longest(request: Request) -> timedelta:
    """How far ahead mail can be sent: it is kept here no longer."""
    config = services_of(request).config
    return timedelta(days=min(config.keep_days, config.mailbag_days))


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
    try:
        draft = services_of(request).sending.draft_for(visit.viewer, kind, entry_id)
    except NotFound:
        raise
    except StoreError:
        return show(request, visit, unopened(request, visit, form, kind, entry_id), UNOPENED)
    return finish(request, visit, form, typed(form, draft, entry_id))


def unopened(
    request: Request, visit: Visit, form: FormData, kind: DraftKind, entry_id: str
) -> Sheet:
    """The form while the answered mail cannot be opened: its files stay as they were ticked."""
    start = Draft(kind=kind, identity_id="", to="", cc="", subject="", text="")
    sheet = replace(typed(form, start, entry_id), keep=numbers(form, "keep"))
    return with_files(request, visit, sheet)


def finish(request: Request, visit: Visit, form: FormData, sheet: Sheet) -> Response:
    """Send it and go to the inbox, or show the form again with what is wrong.

    A form of an earlier session is not sent, but shown again under this one: whoever signed
    in anew must not lose what they wrote.
    """
    letter = outgoing(sheet, form)
    if not carries_token(request, form):
        return show(request, visit, with_files(request, visit, sheet), OTHER_SESSION)
    if not text(form, "unattached") and has_forgotten(letter):
        return show(request, visit, sheet, FORGOTTEN)
    try:
        at = later.leaves_at(form, clock_of(request))
        receipt = services_of(request).sending.send(visit.viewer, letter, at)
    except BadDraft as error:
        problem = Problem(field=error.field, message=error.message, status=error.status)
        return show(request, visit, kept_as_draft(request, visit, sheet, letter), problem)
    path = path_to(request.app, "folder", folder="inbox")
    response = RedirectResponse(path, status_code=303)
    flash.put(request, response, told(request, receipt, scheduled=at is not None))
    return response


def has_forgotten(letter: Outgoing) -> bool:
    """Whether it speaks of a file, and none goes with it."""
    files = letter.attachments or letter.draft_files or letter.keep_attachments
    return not files and letter.source_kind != "enclose" and speaks_of_attachment(letter.text)


def told(request: Request, receipt: SentReceipt, *, scheduled: bool) -> flash.Flash:
    """What the next page says of what was sent, with its undoing while there is one."""
    if receipt.leaves_at is None:
        return flash.Flash("sent", 1, speech_for(request).say(receipt.text))
    back = (flash.TAKE_BACK, "", (receipt.entry_id,))
    if scheduled:
        return flash.Flash("scheduled", 1, later.said(clock_of(request), receipt.leaves_at), *back)
    return flash.Flash("sent", 1, speech_for(request).say(receipt.text), *back)


def kept_as_draft(request: Request, visit: Visit, sheet: Sheet, letter: Outgoing) -> Sheet:
    """The form to show again: newly chosen files go into its draft, or would have to be chosen
    again. When they cannot be kept the page says that.
    """
    if letter.attachments:
        with contextlib.suppress(StoreError, BadDraft):
            drafts = services_of(request).drafts
            saved = drafts.save(visit.viewer, letter, letter.draft)
            stay = tuple(file.index for file in saved.files)
            return with_files(request, visit, replace(sheet, draft=saved.id, stay=stay))
    return with_files(request, visit, sheet)


def with_files(request: Request, visit: Visit, sheet: Sheet) -> Sheet:
    """The form with the files of its draft, as far as that is still there."""
    if sheet.stay:
        with contextlib.suppress(NotFound):
            draft = services_of(request).drafts.open(visit.viewer, sheet.draft)
            return replace(
                sheet, files=draft.files, pictures={**sheet.pictures, **pictures_of(draft)}
            )
    return sheet


def pictures_of(draft: Outgoing) -> dict[str, bytes]:
    """The files of a draft that its text may show."""
    return {name: octets for name, _, octets in draft.attachments if PICTURE.fullmatch(name)}


def outgoing(sheet: Sheet, form: FormData) -> Outgoing:
    return Outgoing(
        identity_id=sheet.identity_id,
        to=sheet.to,
        cc=sheet.cc,
        bcc=sheet.bcc,
        subject=sheet.subject,
        text=sheet.text,
        rich=sheet.rich,
        attachments=uploaded(form),
        source_entry=sheet.source,
        source_kind=sheet.kind,
        keep_attachments=sheet.keep,
        draft=sheet.draft or None,
        draft_files=sheet.stay,
        submission=submission_of(form),
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
