"""A bounded look at a mail's header block (RFC 5322 section 2.2), without parsing MIME.

For the mail log, which wants the header's From, Subject and Message-ID as they stand: unfolded,
not decoded, and short; and for the loop check, which counts Received lines. Never raises,
whatever the octets; a field that is not there is "".
"""

import re
from dataclasses import dataclass

HEADER_OCTETS = 64 * 1024  # how much of a mail is looked at
VALUE_CHARACTERS = 1000  # how much of a field is kept
# Seven hundred Received lines of the usual size: a loop shows well within it.
_LOOP_OCTETS = 256 * 1024

_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(
    rb"^(from|subject|message-id)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE
)
_BLANK = re.compile(rb"[\x00-\x20\x7f]+")


@dataclass(frozen=True, slots=True)
class HeaderPeek:
    """The first From, Subject and Message-ID, undecoded. Octets beyond UTF-8 show as U+FFFD."""

    sender: str
    subject: str
    message_id: str


def peek(octets: bytes) -> HeaderPeek:
    """Look at the header block, at most its first 64 KiB."""
    found: dict[bytes, str] = {}
    for field in _FIELD.finditer(header_block(octets, HEADER_OCTETS)):
        found.setdefault(field[1].lower(), _readable(field[2]))
    return HeaderPeek(
        sender=found.get(b"from", ""),
        subject=found.get(b"subject", ""),
        message_id=found.get(b"message-id", ""),
    )


def count_received(octets: bytes) -> int:
    """How many Received lines the mail has, as far as a loop is concerned."""
    return (b"\n" + header_block(octets, _LOOP_OCTETS)).lower().count(b"\nreceived:")


def header_block(octets: bytes, limit: int) -> bytes:
    """The mail up to the empty line that ends its header, at most `limit` octets."""
    if octets.startswith((b"\r\n", b"\n")):
        return b""
    end = octets.find(b"\r\n\r\n", 0, limit)
    if end < 0:  # no such header, or the bare newlines of a trusted feed
        match = _END_OF_HEADER.search(octets, 0, limit)
        end = match.start() if match else limit
    return octets[:end]


def _readable(value: bytes) -> str:
    flat = _BLANK.sub(b" ", value[: 4 * VALUE_CHARACTERS]).strip()
    return flat.decode("utf-8", "replace")[:VALUE_CHARACTERS]
