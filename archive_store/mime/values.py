"""What a message is once it was parsed: frozen values, without the octets of attachments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Problem(StrEnum):
    """What was wrong with a message. The value is a sentence that may be shown."""

    UNREADABLE = "This message could not be read here. The original is complete."
    TOO_DEEP = "Some parts are nested too deeply and are shown as one attachment."
    TOO_MANY_PARTS = "The message has more parts than are shown."
    TOO_MANY_HEADERS = "The message has more header fields than are shown."
    TOO_MANY_ADDRESSES = "The message has more addresses than are shown."
    TEXT_CUT = "The text is longer than what is shown."
    HTML_CUT = "The HTML is longer than what is shown."
    NO_BOUNDARY = "A part names no usable boundary, so it is shown as text."
    SEVERAL_SENDERS = "The message has more than one From field."
    NO_HEADERS = "The message has no header fields."


@dataclass(frozen=True, slots=True)
class Address:
    """A display name and an address as the message claims them: nothing here is proven."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """One part that is not the body. `index` counts from 0 and is stable for the same octets."""

    index: int
    filename: str  # safe on every system; never empty
    content_type: str  # "type/subtype", lower case, well formed
    size: int  # octets after transfer decoding
    content_id: str = ""
    inline: bool = False  # the HTML body refers to it by its Content-ID
    method: str = ""  # of a text/calendar part (RFC 6047 section 2.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMessage:
    """A message as far as it could be read. Text is free of control characters."""

    subject: str = ""
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    date: datetime | None = None  # aware, UTC
    message_id: str = ""  # with its angle brackets
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    text: str | None = None  # lines end with \n; format=flowed is undone
    html: str | None = None  # as the sender wrote it: hostile
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()
    auto_submitted: bool = False  # RFC 3834 section 5
    list_id: str = ""
    list_unsubscribe: str = ""
    unreadable: bool = False


UNREADABLE = ParsedMessage(unreadable=True, problems=(Problem.UNREADABLE.value,))
