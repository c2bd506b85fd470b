"""What a list shows of a message, and the words a search looks through.

`Summary` goes to the store as JSON (UTF-8), `words` as text: one line per section, each begun by
its letter and a tab, as the message has it but for its blanks and line breaks:

    f  sender: name and address      c  Cc         a  names of attachments
    t  To                            s  subject    b  body, 64 KiB of it
    d  attached documents, 64 KiB of their text (`understanding`)

A search compares what `folded` makes of them. All is bounded whatever the message holds.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Self

from archive_store.mime import clean
from archive_store.mime.folding import fold
from archive_store.mime.html_text import html_to_text
from archive_store.mime.limits import POOR_TEXT
from archive_store.mime.values import Address, ParsedMessage

PREVIEW: Final = 200  # characters
_BEGINNING: Final = 800
BODY_WORDS: Final = 64 * 1024
_ADDRESSES: Final = 100
_NAMES: Final = 100
_LINE: Final = 1_000
_BEFORE_QUOTE: Final = ("wrote", "schrieb", "a écrit")
_QUOTING: Final = re.compile(
    rf"^[ \t]*+(>.*|.{{0,200}}({'|'.join(_BEFORE_QUOTE)})[ \t]*+:[ \t]*+)$", re.MULTILINE
)
_ADDRESS_LINE: Final = re.compile(r"https?://\S+|[-=_*~#]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One row of a list. Every text is one line, free of control characters."""

    subject: str = ""
    sender_name: str = ""
    sender_address: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    date: str | None = None  # RFC 3339, UTC, as the message claims
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    preview: str = ""
    attachments: tuple[str, ...] = ()
    has_attachments: bool = False
    unreadable: bool = False

    def to_bytes(self) -> bytes:
        """As stored."""
        row = {name: value for name in _ORDER if (value := getattr(self, name))}
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def from_bytes(cls, octets: bytes) -> Self:
        """As stored by this or an earlier version. Raises ValueError when it is none."""
        row = json.loads(octets)
        if not isinstance(row, dict):
            raise ValueError("a summary is a JSON object")  # noqa: TRY004 - as json.loads does
        return cls(**{name: _typed(name, row[name]) for name in _FIELDS & row.keys()})


_ORDER: Final = tuple(Summary.__dataclass_fields__)
_FIELDS: Final = frozenset(_ORDER)
_LISTS: Final = frozenset(("to", "cc", "references", "attachments"))
_FLAGS: Final = frozenset(("has_attachments", "unreadable"))


def _typed(name: str, value: Any) -> Any:
    if name in _LISTS:
        return tuple(map(str, value))
    return value is True if name in _FLAGS else str(value)


UNREADABLE: Final = Summary(unreadable=True)


def summarise(message: ParsedMessage) -> Summary:
    """The row of `message`."""
    sender = message.sender or Address("", "")
    real = [one for one in message.attachments if not one.inline]
    return Summary(
        subject=message.subject[:_LINE],
        sender_name=sender.name[:_LINE],
        sender_address=sender.address,
        to=tuple(map(_spoken, message.to[:_ADDRESSES])),
        cc=tuple(map(_spoken, message.cc[:_ADDRESSES])),
        date=message.date.isoformat() if message.date else None,
        message_id=message.message_id,
        in_reply_to=message.in_reply_to,
        references=message.references,
        preview=_preview(message),
        attachments=tuple(one.filename for one in real[:_NAMES]),
        has_attachments=bool(real),
        unreadable=message.unreadable,
    )


def words(message: ParsedMessage) -> str:
    """The searchable text of `message`, in sections."""
    names = (one.filename for one in message.attachments[:_NAMES])
    sections = (
        ("f", " ".join(map(_spoken, (message.sender,) if message.sender else ()))),
        ("t", " ".join(map(_spoken, message.to[:_ADDRESSES]))),
        ("c", " ".join(map(_spoken, message.cc[:_ADDRESSES]))),
        ("s", message.subject[:_LINE]),
        ("a", " ".join(names)),
        ("b", _body(message)),
    )
    return "\n".join(section(letter, text) for letter, text in sections if text)


def section(letter: str, text: str) -> str:
    """One line of `words`."""
    return f"{letter}\t{clean.collapsed(text)}"


def folded(text: str) -> bytes:
    """What `words` made as a search compares it: folded, in UTF-8."""
    if text.isascii():  # its blanks are collapsed already
        return text.lower().encode("ascii")
    rows = (line.partition("\t") for line in text.split("\n"))
    lines = (f"{letter}\t{fold(content)}" for letter, _, content in rows)
    return "\n".join(lines).encode(errors="surrogatepass")


def sections(text: str) -> dict[str, str]:
    """The sections of what `words` made, by their letters."""
    rows = (line.partition("\t") for line in text.split("\n"))
    return {letter: content for letter, tab, content in rows if tab}


def _spoken(one: Address) -> str:
    if not one.name:
        return one.address
    return f"{one.name[:_LINE]} <{one.address}>" if one.address else one.name[:_LINE]


def _body(message: ParsedMessage) -> str:
    text = (message.text or "")[:BODY_WORDS]
    if message.html and len(text) < POOR_TEXT:
        text = f"{text}\n{html_to_text(message.html, BODY_WORDS)}"
    return text[:BODY_WORDS]


def _preview(message: ParsedMessage) -> str:
    """The beginning of what the sender wrote: without what he quotes, rules and links."""
    text = (message.text or "")[:8_000]
    if not text.strip() and message.html:
        text = html_to_text(message.html, 4_000)
    # Most mails say enough in their first lines; whole ones, since half of one hides what it is.
    own = _own(text[:_BEGINNING].rpartition("\n")[0])
    if len(own) <= PREVIEW:
        own = _own(text)
    return (own or clean.visible(text))[:PREVIEW].rstrip()


def _own(text: str) -> str:
    if ">" in text or any(word in text for word in _BEFORE_QUOTE):
        text = _QUOTING.sub("", text)
    return clean.visible(_ADDRESS_LINE.sub(" ", text))
