"""The report of deliveries that failed, are late, or went well: a delivery status notification
(RFC 3464, in RFC 6522's multipart).

Three parts: what happened in plain words, the same for programs, and the header of the
mail it is about, or the whole of a mail that failed, if its sender asked for that (RFC 3461
section 4.3) and it is not large. With an address that is not ASCII the internationalized
types of RFC 6533 are used. Everything that another server said is one line of text here.
Pure: the same facts make the same octets, boundary and Message-ID included in the facts.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from app.delivery.outcome import Answer, Delivered
from archive_store.envelope import NO_WISHES, DsnWishes
from smtp_ingest import xtext
from smtp_ingest.newlines import normalized
from smtp_ingest.peek import header_block

HEADER_OCTETS = 64 * 1024
_WIDTH = 76

FULL_OCTETS = 1024 * 1024  # the largest mail that comes back whole

FAILED = "Undelivered mail returned to sender"
RELAYED = "Your mail was handed on"
DELAYED = "Your mail is late"


_INTRODUCTIONS = {
    "failed": "Your message could not be delivered to:",
    "delayed": "Your message could not be delivered yet, and is tried further. To:",
    "relayed": "Your message was handed on; the next mail server sends no reports. To:",
}


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """One recipient: reached, when the answer says so. `expired`: it was tried long enough.

    `retried_until`: it has not come to an end.
    """

    address: str
    answer: Answer
    expired: bool = False
    wishes: DsnWishes = NO_WISHES
    retried_until: datetime | None = None

    @property
    def action(self) -> str:
        """What became of it (RFC 3464 section 2.3.3)."""
        if self.retried_until is not None:
            return "delayed"
        return "relayed" if self.reached else "failed"

    @property
    def reached(self) -> bool:
        """The next server has it, and will say no more (RFC 3464 section 2.3.3: relayed)."""
        return isinstance(self.answer, Delivered)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """Everything a report says. `original` is the mail's octets, or empty when they are gone."""

    hostname: str
    sender: str
    recipients: Sequence[ReportedRecipient]
    original: bytes
    queued_at: datetime
    now: datetime
    token: str  # random: names the report, and separates its parts

    @property
    def subject(self) -> str:
        """What the report is about, in a few words."""
        actions = {one.action for one in self.recipients}
        if "failed" in actions:
            return FAILED
        return DELAYED if "delayed" in actions else RELAYED

    @property
    def _internationalized(self) -> bool:
        addresses = [self.sender, *(one.address for one in self.recipients)]
        addresses += [one.wishes.original for one in self.recipients]
        return not all(address.isascii() for address in addresses)

    @property
    def _whole(self) -> bool:
        """The mail itself comes back, not its header alone."""
        asked = any(one.wishes.ret == "FULL" for one in self.recipients if one.action == "failed")
        return asked and 0 < len(self.original) <= FULL_OCTETS

    def to_octets(self) -> bytes:
        """The whole mail, with CR LF line ends."""
        boundary = f"=_{self.token}"
        returned = self._mail() if self._whole else self._headers()
        parts = (self._words(), self._status(), returned)
        lines = [*self._head(boundary), ""]
        octets = "\r\n".join(lines).encode() + b"\r\n"
        for part in parts:
            octets += b"--" + boundary.encode() + b"\r\n" + part + b"\r\n"
        return octets + b"--" + boundary.encode() + b"--\r\n"

    def _head(self, boundary: str) -> list[str]:
        return [
            f"From: Mail Delivery System <MAILER-DAEMON@{self.hostname}>",
            f"To: <{self.sender}>",
            f"Subject: {self.subject}",
            f"Date: {format_datetime(self.now)}",
            f"Message-ID: <{self.token}@{self.hostname}>",
            "Auto-Submitted: auto-replied",  # RFC 3834 section 5
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=delivery-status;",
            f'\tboundary="{boundary}"',
        ]

    def _words(self) -> bytes:
        lines = [f"This is the mail system at {self.hostname}.", ""]
        for action, introduction in _INTRODUCTIONS.items():
            some = [one for one in self.recipients if one.action == action]
            if some:
                lines += [introduction, "", *(line for one in some for line in _told(one))]
        returned = "message" if self._whole else "header of your message"
        lines += _wrapped(f"The {returned} is attached. Nothing else is needed from you.", "")
        if any(one.action == "failed" for one in self.recipients):
            lines += _wrapped("You may want to reach the recipient another way.", "")
        head = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
        return "\r\n".join([*head, *lines, ""]).encode(errors="replace")

    def _status(self) -> bytes:
        kind = "global-delivery-status" if self._internationalized else "delivery-status"
        head = [f"Content-Type: message/{kind}"]
        if self._internationalized:
            head += ["Content-Transfer-Encoding: 8bit"]
        message = [
            f"Reporting-MTA: dns; {self.hostname}",
            f"Arrival-Date: {format_datetime(self.queued_at)}",
        ]
        names = {one.wishes.envelope_id for one in self.recipients} - {""}
        message += [f"Original-Envelope-Id: {_plain(name)}" for name in sorted(names)[:1]]
        groups = [line for one in self.recipients for line in ("", *self._group(one))]
        return "\r\n".join([*head, "", *message, *groups, ""]).encode(errors="replace")

    def _group(self, one: ReportedRecipient) -> list[str]:
        kind = "rfc822" if one.address.isascii() else "utf-8"
        status = one.answer.status
        if one.action == "failed" and not status.startswith("5"):
            status = "5.4.7"  # delivery time expired, RFC 3463 section 3.5
        lines = [f"Final-Recipient: {kind}; {one.address}", f"Action: {one.action}"]
        lines += [f"Status: {status}"]
        if one.wishes.original:
            lines.insert(0, f"Original-Recipient: {_original(one.wishes.original)}")
        if one.answer.server:
            lines += [f"Remote-MTA: dns; {one.answer.server}"]
        if one.answer.code:
            said = one.answer.line if self._internationalized else _ascii(one.answer.line)
            lines += _wrapped(f"Diagnostic-Code: smtp; {said}", "", " ")
        lines += [f"Last-Attempt-Date: {format_datetime(self.now)}"]
        if one.retried_until is not None:
            lines += [f"Will-Retry-Until: {format_datetime(one.retried_until)}"]
        return lines

    def _headers(self) -> bytes:
        kind = "message/global-headers" if self._internationalized else "text/rfc822-headers"
        found = normalized(header_block(self.original, HEADER_OCTETS))
        encoding = b"7bit" if found.isascii() else b"8bit"
        head = b"Content-Type: " + kind.encode() + b"\r\nContent-Transfer-Encoding: " + encoding
        return head + b"\r\n\r\n" + found.rstrip(b"\r\n") + b"\r\n"

    def _mail(self) -> bytes:
        kind = b"message/global" if self._internationalized else b"message/rfc822"
        octets = normalized(self.original)
        encoding = b"7bit" if octets.isascii() else b"8bit"
        head = b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding
        return head + b"\r\n\r\n" + octets + (b"" if octets.endswith(b"\r\n") else b"\r\n")


def _told(one: ReportedRecipient) -> list[str]:
    lines = _wrapped(f"<{one.address}>", "  ")
    said = f"{one.answer.server} said: " if one.answer.code else ""
    lines += _wrapped(f"{said}{one.answer.line}", "    ")
    if one.expired:
        lines += ["    It was tried for as long as it is kept, without success."]
    return [*lines, ""]


def _original(orcpt: str) -> str:
    """ORCPT as the report has it: without xtext, unless it is of the type that knows none."""
    kind, _, address = orcpt.partition(";")
    return f"{kind}; {address if kind.lower() == 'utf-8' else _plain(address)}"


def _plain(encoded: str) -> str:
    return xtext.decoded(encoded).decode("ascii")


def _wrapped(text: str, indent: str, further: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode("ascii")
