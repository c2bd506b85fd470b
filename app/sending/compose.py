"""A message out of what a person wrote: RFC 5322 octets, ready to be stored and sent.

The header is written by `headers`, the MIME parts by the standard library. Everything is
seven-bit clean but for an address whose local part is not ASCII (RFC 6531), which
`Letter.needs_smtputf8` tells. Bcc is no field of a letter: it cannot get into the octets.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from app.markup.pictures import raster_type
from app.sending import headers, pictures
from app.sending.addressees import Addressee
from app.sending.flowing import flow
from app.sending.invitation import REPLY_TYPE
from archive_store import ids
from archive_store.mime import clean
from archive_store.mime.filenames import safe_name

LARGEST_LETTER = 25 * 1024 * 1024
"""Octets of text and attachments together, before they are encoded."""
MOST_REFERENCES = 20
_CONTENT_TYPE = re.compile(r"([a-z0-9][a-z0-9!#$&^_.+-]{0,60})/([a-z0-9][a-z0-9!#$&^_.+-]{0,90})")
_DOCUMENT = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n<body dir="auto">\n{body}\n'
    "</body></html>\n"
)
MESSAGE = "message/rfc822"
_UNKNOWN_TYPE = ("application", "octet-stream")


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as somebody named it; nothing of the names is trusted."""

    filename: str
    content_type: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent. `to` and `cc` may both be empty when there are only hidden recipients."""

    sender: Addressee
    to: tuple[Addressee, ...]
    cc: tuple[Addressee, ...]
    subject: str
    text: str
    date: datetime
    message_id: str
    html: str = ""  # has passed the allow-list of `rich`; empty: it is plain text
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    files: tuple[File, ...] = ()

    @property
    def needs_smtputf8(self) -> bool:
        return any(one.needs_smtputf8 for one in (self.sender, *self.to, *self.cc))

    @property
    def size(self) -> int:
        """What LARGEST_LETTER is about."""
        words = len(self.text.encode("utf-8", "replace")) + len(
            self.html.encode("utf-8", "replace")
        )
        return words + sum(len(file.octets) for file in self.files)


def new_message_id(sender: Addressee) -> str:
    """A Message-ID in the domain of the sender, which tells nothing of this machine."""
    return f"<{ids.show(ids.new_id())}@{sender.address.ascii_domain}>"


def compose(letter: Letter) -> bytes:
    """The octets of the message, lines ended by CRLF."""
    return b"".join(_header(letter)) + _body(letter).as_bytes()


def _header(letter: Letter) -> list[bytes]:
    fields = [
        headers.plain_field("Date", format_datetime(letter.date)),
        headers.address_field("From", [letter.sender]),
    ]
    # RFC 5322 section 3.6.3 wants a destination field, and an empty group says "nobody named".
    if letter.to:
        fields.append(headers.address_field("To", letter.to))
    elif not letter.cc:
        fields.append(headers.plain_field("To", "undisclosed-recipients:;"))
    if letter.cc:
        fields.append(headers.address_field("Cc", letter.cc))
    fields.append(headers.text_field("Subject", letter.subject))
    fields.append(headers.id_field("Message-ID", [letter.message_id]))
    answered = headers.usable_ids([letter.in_reply_to])
    if answered:
        fields.append(headers.id_field("In-Reply-To", answered))
    chain = headers.usable_ids((*letter.references, letter.in_reply_to))
    if chain:
        # The first names the thread, the last ones the place in it (RFC 5322 section 3.6.4).
        kept = chain if len(chain) <= MOST_REFERENCES else chain[:1] + chain[1 - MOST_REFERENCES :]
        fields.append(headers.id_field("References", kept))
    return fields


def _body(letter: Letter) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    text = flow(clean.block(_encodable(letter.text)))
    message.set_content(text, charset="utf-8", cte=_encoding(text), params={"format": "flowed"})
    shown = _pictures(letter)
    if letter.html:
        _add_html(message, letter, shown)
    for reply in [file for file in letter.files if file.content_type == REPLY_TYPE]:
        _add_reply(message, reply)
    for index, file in enumerate(letter.files):
        if file.filename in shown:
            continue
        if file.content_type == REPLY_TYPE:
            continue
        if file.content_type == MESSAGE and _passes_as_it_is(file.octets):
            _enclose(message, file, index)
            continue
        maintype, subtype = part_type(file.content_type)
        message.add_attachment(
            file.octets,
            maintype=maintype,
            subtype=subtype,
            filename=safe_name(_encodable(file.filename), f"{maintype}/{subtype}", index),
        )
    return message


def _add_reply(message: EmailMessage, file: File) -> None:
    """The answer to an invitation, where calendars look for it (RFC 6047 section 2.4)."""
    message.add_alternative(
        file.octets.decode("utf-8", "replace"),
        subtype="calendar",
        charset="utf-8",
        cte="base64",
        params={"method": "REPLY"},
    )


def _enclose(message: EmailMessage, file: File, index: int) -> None:
    """A message as a part, octet for octet, so that its signatures hold (RFC 2046 5.2.1)."""
    part = EmailMessage(policy=SMTP)
    part["Content-Type"] = MESSAGE
    part["Content-Transfer-Encoding"] = "7bit"  # no other encoding is allowed but 8bit and binary
    name = safe_name(_encodable(file.filename), MESSAGE, index)
    part.add_header("Content-Disposition", "attachment", filename=name)
    part.set_payload(file.octets.decode("ascii"))
    if message.get_content_type() != "multipart/mixed":
        message.make_mixed()
    message.attach(part)


def _passes_as_it_is(octets: bytes) -> bool:
    """Whether any server takes it as a part; what does not is sent as an encoded file."""
    return (
        octets.isascii()
        and b"\0" not in octets
        and all(
            len(line) <= 998 and b"\r" not in line and b"\n" not in line
            for line in octets.split(b"\r\n")
        )
    )


def _pictures(letter: Letter) -> dict[str, File]:
    """The files that the text shows; the names of such are ours, and plain."""
    names = pictures.shown_in(letter.html)
    return {file.filename: file for file in letter.files if file.filename in names}


def _add_html(message: EmailMessage, letter: Letter, shown: dict[str, File]) -> None:
    """The alternative of the text (RFC 2046 section 5.1.4), with its pictures (RFC 2387)."""
    ids = {name: f"{name}.{letter.message_id.strip('<>')}" for name in shown}
    html = _DOCUMENT.format(body=pictures.renamed(_encodable(letter.html), ids))
    message.add_alternative(html, subtype="html", charset="utf-8", cte=_encoding(html))
    part = message.get_payload(1)
    if not isinstance(part, EmailMessage):
        raise TypeError("an alternative is a part")
    for name, file in shown.items():
        maintype, _, subtype = (raster_type(file.octets) or "application/octet-stream").partition(
            "/"
        )
        part.add_related(
            file.octets,
            maintype=maintype,
            subtype=subtype,
            cid=f"<{ids[name]}>",
            filename=name,
            disposition="inline",
        )
    if shown:
        part.set_param("type", "text/html")


def _encodable(text: str) -> str:
    """Without halves of characters, which a form can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()


def _encoding(text: str) -> str:
    """Seven bits on the wire, since not every server on the way takes eight (RFC 6152)."""
    if text.isascii() and all(len(line) <= 990 for line in text.split("\n")):
        return "7bit"
    beyond = sum(not character.isascii() for character in text)
    return "base64" if 3 * beyond > len(text) else "quoted-printable"


def part_type(claimed: str) -> tuple[str, str]:
    """The type for an attachment's part; what has structure of its own is sent as plain octets."""
    found = _CONTENT_TYPE.fullmatch(claimed.partition(";")[0].strip().lower())
    if found is None or found[1] in ("multipart", "message"):
        return _UNKNOWN_TYPE
    return found[1], found[2]
