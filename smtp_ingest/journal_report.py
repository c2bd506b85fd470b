"""A journal report: the mail that Exchange and Microsoft 365 wrap, and whom it really went to.

The format is Microsoft's (MS-XJRNL, and "Understanding Journal Reports" of Exchange 2007 to 2019):
a multipart/mixed whose first part is a text of `Sender:`, `Subject:`, `Message-Id:` and one line a
recipient, and whose attached `message/rfc822` is the mail itself. Also read: the form of Exchange
2003 (`Recipients:`, then a line each), an attachment in base64 or quoted-printable, which RFC 2046
section 5.2.1 forbids and senders do, and a second attachment that is a protected mail in clear.

Only the outermost level of MIME is read, by `archive_store.mime`, in time linear in the octets.
`read_report` raises NotRead when the mail or its recipients could not be had; what could be had
with a doubt says so in `doubt`, and whoever stores it keeps the report whole beside it.
"""

import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from archive_store.address import BadAddress, EmailAddress
from archive_store.mime.charsets import decode
from archive_store.mime.headers import parse_addresses
from archive_store.mime.limits import DEFAULT
from archive_store.mime.structure import Part, read_tree
from archive_store.mime.transfer import decode_body
from archive_store.mime.values import Problem

LIMITS = replace(DEFAULT, depth=1, parts=100)
MOST_TEXT = 8 * 1024 * 1024  # octets of the first part
MOST_RECIPIENTS = 20_000  # each is looked up; Exchange has lists of some thousands

_MESSAGES = frozenset({"message/rfc822", "message/global"})  # RFC 6532 section 3.7
_BROKEN = frozenset({Problem.TOO_MANY_PARTS, Problem.TOO_MANY_HEADERS})
_AS_IT_IS = frozenset({"", "7bit", "8bit", "binary"})
_LINE_END = re.compile(r"\r\n|\r|\n")  # a subject may hold other breaks
_LINE = re.compile(r"[ \t]*([A-Za-z][A-Za-z-]*)[ \t]*:[ \t]*(.*)")
_REDIRECTED = re.compile(r",[ \t]*(?:Expanded|Forwarded)[ \t]*:.*", re.IGNORECASE)
_RECIPIENTS = frozenset({"to", "cc", "bcc", "recipient"})
_PROTECTED = re.compile(rb"application/x-microsoft-rpmsg-message", re.IGNORECASE)


class Doubt(StrEnum):
    """What was not understood of a report."""

    NO_REPORT = "no report"  # not in one of the forms
    CUT_OFF = "cut off"  # its end is missing
    TOO_LARGE = "too large"
    NO_MESSAGE = "no message attached"
    SEVERAL_MESSAGES = "several messages attached"
    BAD_ENCODING = "the attachment does not decode"
    NO_RECIPIENTS = "no recipients"
    BAD_RECIPIENT = "a recipient that is no address"
    TOO_MANY_RECIPIENTS = "too many recipients"


class NotRead(ValueError):
    """A report out of which no mail can be had. Its text is the doubt's, and holds no mail."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__(doubt.value)
        self.doubt = doubt


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What a report says. `message` holds nothing of the report itself."""

    sender: str  # of the envelope; empty: the null sender, or none that is an address
    recipients: tuple[EmailAddress, ...]  # the last of each way: members of lists, not the lists
    message: bytes  # exactly as attached; of a protected one, the copy in clear
    protected: bool = False  # the mail as it was sent is only in the report
    doubt: Doubt | None = None


def read_report(octets: bytes) -> JournalReport:
    """Read a report; raises NotRead."""
    tree = read_tree(octets, LIMITS)
    root = tree.root
    if root.content_type != "multipart/mixed" or not root.children:
        raise NotRead(Doubt.NO_REPORT)
    if _BROKEN & set(tree.problems):
        raise NotRead(Doubt.TOO_LARGE)
    if root.children[-1].end == len(octets):
        raise NotRead(Doubt.CUT_OFF)  # nothing closed the last part
    envelope = _Envelope.read(_text(octets, root.children[0]))
    messages = [_content(octets, one) for one in root.children if one.content_type in _MESSAGES]
    if not messages:
        raise NotRead(Doubt.NO_MESSAGE)
    message, protected, doubt = _to_show(messages)
    return JournalReport(
        envelope.sender, envelope.recipients, message, protected, doubt or envelope.doubt
    )


def _text(octets: bytes, part: Part) -> str:
    if part.content_type != "text/plain":
        raise NotRead(Doubt.NO_REPORT)
    if part.end - part.start > MOST_TEXT:
        raise NotRead(Doubt.TOO_LARGE)
    content = decode_body(octets[part.start : part.end], part.encoding)
    return decode(content, part.params.get("charset", ""))


def _content(octets: bytes, part: Part) -> bytes:
    """The attached message, to the octet."""
    written = octets[part.start : part.end]
    if part.encoding in _AS_IT_IS:
        return written
    if part.encoding == "quoted-printable":
        return binascii.a2b_qp(written)
    if part.encoding != "base64":
        raise NotRead(Doubt.BAD_ENCODING)
    try:
        # Lenient decoding would make another mail of a damaged one.
        return binascii.a2b_base64(written.translate(None, b" \t\r\n"), strict_mode=True)
    except binascii.Error:
        raise NotRead(Doubt.BAD_ENCODING) from None


def _to_show(messages: Sequence[bytes]) -> tuple[bytes, bool, Doubt | None]:
    """Which of the attached ones people read, whether it is a protected one's copy in clear."""
    if len(messages) == 1:
        return messages[0], False, None
    clear = [one for one in messages if not _PROTECTED.search(one)]
    if len(messages) == 2 and len(clear) == 1:
        return clear[0], True, None
    return messages[0], False, Doubt.SEVERAL_MESSAGES


@dataclass(frozen=True, slots=True)
class _Envelope:
    sender: str
    recipients: tuple[EmailAddress, ...]
    doubt: Doubt | None

    @classmethod
    def read(cls, text: str) -> "_Envelope":
        sender: str | None = None
        found: dict[str, EmailAddress] = {}
        doubt = None
        for name, value in _lines(text):
            if name == "sender" and sender is None:
                address = _address(value)
                sender = address.text if address else ""
            elif name == "message-id" and found:
                # The subject stands above, in the sender's words: if it holds a line end, it
                # cannot name recipients of its own.
                found.clear()
                doubt = Doubt.BAD_RECIPIENT
            elif name in _RECIPIENTS and value:
                address = _address(_REDIRECTED.sub("", value))
                if address is None:
                    doubt = Doubt.BAD_RECIPIENT
                elif len(found) < MOST_RECIPIENTS or address.key in found:
                    found.setdefault(address.key, address)
                else:
                    doubt = Doubt.TOO_MANY_RECIPIENTS  # kept whole, for a person to look at
        if sender is None:
            raise NotRead(Doubt.NO_REPORT)
        if not found:
            raise NotRead(doubt or Doubt.NO_RECIPIENTS)
        return cls(sender, tuple(found.values()), doubt)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    """Name and value of each line; those under `Recipients:` count as `Recipient:` each."""
    listing = False
    for line in _LINE_END.split(text):
        match = _LINE.fullmatch(line.rstrip())
        if listing and match is None:
            yield "recipient", line.strip()
        elif match is not None:
            name, value = match[1].lower(), match[2]
            listing = name == "recipients"
            yield ("recipient" if listing else name), value


def _address(written: str) -> EmailAddress | None:
    """The one address in `ann@x`, `<ann@x>` or `"Ann" <ann@x>`."""
    bare = written.strip().removeprefix("<").removesuffix(">")
    try:
        return EmailAddress.parse(bare)
    except BadAddress:
        pass
    try:
        [named] = parse_addresses(written, 2)
        return EmailAddress.parse(named.address)
    except ValueError:
        return None
