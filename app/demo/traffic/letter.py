"""Writing one sample mail: from a draft to the octets that go over SMTP (RFC 5322, MIME).

A draft says what a person would: who, to whom, what, with which papers. `write` makes the message
the way common mail programs do. The same draft gives the same octets, boundaries included.
"""

from __future__ import annotations

import html
import textwrap
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from email import policy
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime
from hashlib import sha256
from importlib.resources import files
from string import Template

from app.demo.traffic.calendar import berlin

POLICY = policy.SMTP.clone(max_line_length=78)
WRAP = 76
PLACEHOLDER = "SUBJECT-IN-ITS-OWN-CHARSET"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes, or is written to."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        return self.address.partition("@")[2]

    @property
    def first(self) -> str:
        return self.name.split()[0]

    def header(self) -> Address:
        local, _, domain = self.address.partition("@")
        return Address(self.name, local, domain)

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>"


@dataclass(frozen=True, slots=True)
class Part:
    """An attachment, or with `cid` a picture inside the HTML."""

    filename: str
    content_type: str
    octets: bytes
    cid: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished mail with its envelope. `name` is unique, and names nobody."""

    name: str
    mail_from: str
    rcpt_to: tuple[str, ...]
    octets: bytes
    at: datetime
    message_id: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a mail says. `html` without `text` is an HTML-only mail; both are alternatives."""

    name: str
    sender: Person
    to: tuple[Person, ...]
    subject: str
    at: datetime
    _: KW_ONLY
    text: str = ""
    html: str = ""
    cc: tuple[Person, ...] = ()
    parts: tuple[Part, ...] = ()
    invitation: bytes = b""  # an iCalendar object, as a third alternative and as a file
    parent: Letter | None = None  # what it answers
    headers: tuple[tuple[str, str], ...] = ()
    charset: str = "utf-8"
    transfer: str | None = None  # "8bit", "quoted-printable", "base64"; None: what fits
    flowed: bool = False  # format=flowed, RFC 3676
    rcpt_to: tuple[str, ...] = ()  # empty: To and Cc
    mail_from: str | None = None  # None: the sender; empty: the null sender
    forwarded: tuple[bytes, ...] = ()  # whole messages, as message/rfc822


def body(name: str, **slots: str) -> str:
    """A text or page from the folder `mail`, with its slots filled in."""
    path = files("app.demo.traffic") / "mail" / (name if "." in name else f"{name}.txt")
    return Template(path.read_text(encoding="utf-8")).substitute(slots)


def write(draft: Draft) -> Letter:
    """The mail as it leaves the sender's server."""
    message = EmailMessage(policy=POLICY)
    digest = _digest(draft.name)
    message_id = message_id_of(draft.name, draft.sender)
    references = _set_headers(message, draft, message_id)
    _set_body(message, draft)
    for part in draft.parts:
        if not part.cid:
            _attach(message, part)
    if draft.invitation:
        _attach(message, Part("invite.ics", "application/ics", draft.invitation))
    for octets in draft.forwarded:
        inner = BytesParser(EmailMessage, policy=POLICY).parsebytes(octets)
        message.add_attachment(inner, filename="Forwarded message.eml")
    _name_boundaries(message, digest)
    octets = message.as_bytes()
    if draft.charset != "utf-8":
        encoded = Header(draft.subject, draft.charset, header_name="Subject").encode(linesep="\r\n")
        octets = octets.replace(PLACEHOLDER.encode(), encoded.encode())
    everybody = tuple(person.address for person in (*draft.to, *draft.cc))
    return Letter(
        name=draft.name,
        mail_from=draft.sender.address if draft.mail_from is None else draft.mail_from,
        rcpt_to=draft.rcpt_to or everybody,
        octets=octets,
        at=draft.at,
        message_id=message_id,
        references=references,
    )


def message_id_of(name: str, sender: Person) -> str:
    """The Message-ID of a letter; it does not depend on the time, so an answer can know it."""
    return f"<{_digest(name)[:20]}@{sender.domain}>"


def _digest(name: str) -> str:
    return sha256(f"sample mail {name}".encode()).hexdigest()


def _set_headers(message: EmailMessage, draft: Draft, message_id: str) -> tuple[str, ...]:
    message["Date"] = format_datetime(berlin(draft.at))
    message["From"] = draft.sender.header()
    message["To"] = [person.header() for person in draft.to]
    if draft.cc:
        message["Cc"] = [person.header() for person in draft.cc]
    # The header registry only writes UTF-8; another charset goes in when the octets are there.
    if draft.subject:
        message["Subject"] = draft.subject if draft.charset == "utf-8" else PLACEHOLDER
    message["Message-ID"] = message_id
    references: tuple[str, ...] = ()
    if draft.parent is not None:
        references = (*draft.parent.references, draft.parent.message_id)
        message["In-Reply-To"] = draft.parent.message_id
        message["References"] = " ".join(references)
    for name, value in draft.headers:
        message[name] = value
    return references


def _set_body(message: EmailMessage, draft: Draft) -> None:
    if draft.text or not draft.html:
        text = flow(draft.text) if draft.flowed else draft.text
        params = {"format": "flowed"} if draft.flowed else {}
        message.set_content(text, charset=draft.charset, cte=draft.transfer, params=params)
    if draft.html:
        add = message.add_alternative if draft.text else message.set_content
        add(draft.html, subtype="html", charset=draft.charset, cte=draft.transfer)
        part = message.get_body(("html",)) or message
        for picture in (picture for picture in draft.parts if picture.cid):
            main, _, sub = picture.content_type.partition("/")
            part.add_related(
                picture.octets, main, sub,
                cid=f"<{picture.cid}>", filename=picture.filename, disposition="inline",
            )  # fmt: skip
    if draft.invitation:
        invitation = draft.invitation.decode()
        message.add_alternative(invitation, subtype="calendar", params={"method": "REQUEST"})


def _attach(message: EmailMessage, part: Part) -> None:
    main, _, sub = part.content_type.partition("/")
    message.add_attachment(part.octets, main, sub, filename=part.filename)


def _name_boundaries(message: EmailMessage, digest: str) -> None:
    """Fixed boundaries in place of random ones, so that a draft always gives the same octets."""
    parts = (part for part in message.walk() if part.get_content_maintype() == "multipart")
    for number, part in enumerate(parts):
        part.set_boundary(f"=_{digest[20:40]}_{number}")


def flow(text: str) -> str:
    """Break paragraphs softly (RFC 3676 section 4.2): a space at the end joins two lines."""
    lines = []
    for paragraph in text.split("\n"):
        if paragraph.startswith(">") or len(paragraph) <= WRAP or paragraph == "-- ":
            lines.append(paragraph)
            continue
        broken = textwrap.wrap(paragraph, WRAP - 4, break_long_words=False, break_on_hyphens=False)
        lines += [f"{line} " for line in broken[:-1]] + broken[-1:]
    # Section 4.4: a line that begins with a space or "From " is stuffed with one.
    return "\n".join(f" {line}" if line.startswith((" ", "From ")) else line for line in lines)


def wrapped(text: str) -> str:
    """Break paragraphs hard, as plain text mail programs do; quoted lines stay."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        keep = paragraph.startswith((">", " ", "-", "|")) or len(paragraph) <= WRAP
        lines += [paragraph] if keep else textwrap.wrap(paragraph, WRAP, break_long_words=False)
    return "\n".join(lines)


def quoted(text: str, writer: Person, at: datetime) -> str:
    """The tail of an answer: who wrote when, and each line behind a mark."""
    marks = "\n".join(f"> {line}".rstrip() for line in wrapped(text.rstrip("\n")).split("\n"))
    return f"On {berlin(at):%a, %d %b %Y at %H:%M}, {writer} wrote:\n{marks}\n"


def plain_html(text: str) -> str:
    """What a mail program makes of typed text: paragraphs, no looks of its own."""
    blocks = html.escape(text.strip(), quote=False).split("\n\n")
    body = "\n".join("<p>{}</p>".format(block.replace("\n", "<br>\n")) for block in blocks)
    style = "font-family:Calibri,Arial,sans-serif;font-size:11pt;color:#1f1f1f"
    return f'<html><head></head><body style="{style}">\n{body}\n</body></html>\n'


@dataclass(frozen=True, slots=True)
class Times:
    """Moments of the past days, seen from now, so that no mail comes from the future."""

    now: datetime

    def ago(self, **units: float) -> datetime:
        return self.now - timedelta(**units)

    def day(self, back: int, clock: str) -> datetime:
        """A moment of an earlier day, on Berlin's clock."""
        hour, minute = map(int, clock.split(":"))
        day = berlin(self.now - timedelta(days=max(back, 1)))
        # Odd seconds: people do not send on the full minute.
        return day.replace(hour=hour, minute=minute, second=(hour * 7 + minute) % 60, microsecond=0)

    def workday(self, back: int, clock: str) -> datetime:
        """The same on the n-th working day before today."""
        days = 0
        while back > 0:
            days += 1
            if berlin(self.now - timedelta(days=days)).weekday() < 5:
                back -= 1
        return self.day(days, clock)

    def next_workday(self, ahead: int) -> datetime:
        """The n-th working day after today, at midnight in Berlin."""
        day = berlin(self.now).replace(hour=0, minute=0, second=0, microsecond=0)
        while ahead > 0:
            day += timedelta(days=1)
            if day.weekday() < 5:
                ahead -= 1
        return day
