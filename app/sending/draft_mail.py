"""What somebody is writing as a message (RFC 5322): a draft, or what is to be sent later.

The octets begin with a field of ours that holds the form as it was typed; what else is in the
header is for the list, and the chosen files are parts as in any mail. Only what this service
sealed itself is read back: so the parts are found by our own boundary, without a parser.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from app.sending import headers
from app.sending.addressees import Addressee, BadList, read_list
from app.sending.compose import part_type
from app.views import Outgoing, RichText
from archive_store.errors import NotFound
from archive_store.mime.filenames import safe_name

_FIELD = b"X-LiveArchive-Draft:"
_BLANK = re.compile(rb"\s+")
_BOUNDARY = b"=_livearchive-draft"  # no line of base64 begins with two hyphens
_BETWEEN = b"\r\n--" + _BOUNDARY
_WORDS = b"=_livearchive-words"
_BETWEEN_WORDS = b"\r\n--" + _WORDS
_HTML = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_TEXT = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Thread:
    """The letter's own id, and what it answers: fixed when Send is pressed."""

    message_id: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What was typed. `thread` is there once Send was pressed."""

    form: Outgoing
    thread: Thread | None = None


def encode(written: Written, sender: Addressee, now: datetime) -> bytes:
    """The octets; `decode` undoes it."""
    form, thread = written.form, written.thread
    facts = {
        "identity": form.identity_id,
        "to": form.to,
        "cc": form.cc,
        "bcc": form.bcc,
        "subject": form.subject,
        "source": form.source_entry,
        "kind": form.source_kind,
        "rich": form.rich is not None,
        "keep": form.keep_attachments,
        "files": [file[:2] for file in form.attachments],
        "thread": [thread.message_id, thread.in_reply_to, thread.references] if thread else None,
    }
    fields = [
        _FIELD + b"\r\n " + _base64(json.dumps(facts).encode()).replace(b"\r\n", b"\r\n ").rstrip(),
        headers.plain_field("Date", format_datetime(now)).rstrip(),
        headers.address_field("From", [sender]).rstrip(),
    ]
    for name, text in (("To", form.to), ("Cc", form.cc)):
        people = _readable(text)
        if people:
            fields.append(headers.address_field(name, people).rstrip())
    fields.append(headers.text_field("Subject", form.subject).rstrip(b"\r\n"))
    fields.append(b"MIME-Version: 1.0")
    return b"\r\n".join(fields) + b"\r\n" + _body(form)


def decode(octets: bytes) -> Written:
    """What was typed; NotFound for what is no draft."""
    head, _, body = octets.partition(b"\r\n\r\n")
    if not head.startswith(_FIELD):
        raise NotFound("no draft of ours")
    facts = json.loads(
        base64.b64decode(_BLANK.sub(b"", head.removeprefix(_FIELD).partition(b"\r\nDate:")[0]))
    )
    # Drafts of the version before this one know of no files, of no thread, and of plain text only.
    names, thread = facts.get("files", []), facts.get("thread")
    parts = [part.partition(b"\r\n\r\n")[2] for part in body.split(_BETWEEN)[1:-1]] or [body]
    words = parts[0]
    html = ""
    if facts.get("rich"):
        both = [part.partition(b"\r\n\r\n")[2] for part in words.split(_BETWEEN_WORDS)[1:-1]]
        words, html = both[0], base64.b64decode(both[1]).decode()
    form = Outgoing(
        identity_id=facts["identity"],
        to=facts["to"],
        cc=facts["cc"],
        bcc=facts["bcc"],
        subject=facts["subject"],
        text=base64.b64decode(words).decode(),
        rich=RichText(html) if facts.get("rich") else None,
        attachments=tuple(
            (filename, content_type, base64.b64decode(part))
            for (filename, content_type), part in zip(names, parts[1:], strict=True)
        ),
        source_entry=facts["source"],
        source_kind=facts["kind"],
        keep_attachments=tuple(facts["keep"]),
    )
    return Written(form, Thread(thread[0], thread[1], tuple(thread[2])) if thread else None)


def _body(form: Outgoing) -> bytes:
    text = _TEXT + _base64(form.text.encode("utf-8", "replace"))
    if form.rich is not None:
        text = _alternative(text, _HTML + _base64(form.rich.html.encode("utf-8", "replace")))
    elif not form.attachments:
        return text
    head = b'Content-Type: multipart/mixed; boundary="' + _BOUNDARY + b'"\r\n\r\n'
    parts = [text, *(_file(index, *file) for index, file in enumerate(form.attachments))]
    between = _BETWEEN + b"\r\n"
    return head + between + between.join(parts) + _BETWEEN + b"--\r\n"


def _alternative(text: bytes, html: bytes) -> bytes:
    head = b'Content-Type: multipart/alternative; boundary="' + _WORDS + b'"\r\n\r\n'
    between = _BETWEEN_WORDS + b"\r\n"
    return head + between + text + between + html + _BETWEEN_WORDS + b"--\r\n"


def _file(index: int, filename: str, claimed: str, octets: bytes) -> bytes:
    content_type = "/".join(part_type(claimed))
    name = quote(safe_name(filename.encode("utf-8", "replace").decode(), content_type, index))
    head = (
        f"Content-Type: {content_type}\r\n"
        f"Content-Disposition: attachment; filename*=utf-8''{name}\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + _base64(octets)


def _base64(octets: bytes) -> bytes:
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def _readable(text: str) -> tuple[Addressee, ...]:
    """Half an address is none yet."""
    try:
        return read_list(text)
    except BadList:
        return ()
