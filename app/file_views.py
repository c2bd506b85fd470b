"""The files of a message as pages name and show them. Nothing here is proven of any of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.views import AttachmentFacts, ParsedFacts

Section = tuple[int, ...]
"""The place of a file: its index among the attachments of its mail, after the indices of the mails
around it when that is itself a file of another one (as in IMAP, RFC 9051 section 6.4.5.1).
"""


class FileState(StrEnum):
    """What is known of viruses in a message, as its page says it."""

    OFF = "off"  # nothing is checked here
    UNCHECKED = "unchecked"
    CLEAN = "clean"
    INFECTED = "infected"  # its files are locked
    LARGE = "large"  # more than the scanner looks at


class FilesLocked(Exception):
    """A virus was found in the message: none of its files is given to anybody."""


class FilesUnchecked(Exception):
    """Nobody knows whether there is a virus: the person is warned first. `state` says why."""

    def __init__(self, state: FileState) -> None:
        super().__init__(state)
        self.state = state


MOST_DEEP = 5  # mails in one another, with the one that came
MAIL_TYPES = frozenset(("message/rfc822", "message/global"))  # RFC 2046 5.2.1, RFC 6532 3.7
PICTURE_TYPES = frozenset(f"image/{kind}" for kind in ("png", "jpeg", "jpg", "gif", "webp", "avif"))
PDF_TYPES = frozenset(("application/pdf", "application/x-pdf"))
UNTYPED = frozenset(("application/octet-stream", "binary/octet-stream"))  # the name alone says what
LARGEST_PICTURE = 20 * 1024 * 1024  # octets of a file that is previewed
MOST_PREVIEWED = 12  # pictures of one mail, the first ones


def is_picture(file: AttachmentFacts) -> bool:
    """Whether a file says that it is a picture that can be drawn anew."""
    return file.content_type in PICTURE_TYPES and file.size <= LARGEST_PICTURE


def previewed(attachments: Sequence[AttachmentFacts]) -> frozenset[int]:
    """The indices of the files that a list shows as pictures."""
    pictures = [file.index for file in attachments if is_picture(file)]
    return frozenset(pictures[:MOST_PREVIEWED])


def claims_mail(file: AttachmentFacts) -> bool:
    """Whether a file says that it is a mail, by its type or, where that says nothing, its name."""
    named = file.filename.lower().endswith(".eml") and file.content_type in UNTYPED
    return named or file.content_type in MAIL_TYPES


def is_mail(file: AttachmentFacts, around: Section) -> bool:
    """Whether a file can be opened as a mail; `around`: the section of the mail it is in."""
    return claims_mail(file) and len(around) + 1 < MOST_DEEP


def is_paper(file: AttachmentFacts) -> bool:
    """Whether a file says that it is a PDF whose pages can be drawn."""
    named = file.filename.lower().endswith(".pdf")
    claims = file.content_type in PDF_TYPES or (named and file.content_type in UNTYPED)
    return claims and file.size <= LARGEST_PICTURE


def section_text(section: Section) -> str:
    """A section as it stands in an address."""
    return ".".join(map(str, section))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnclosedMail:
    """A mail that came as a file of another one. Its text is not here: the frame asks for it."""

    section: Section
    parsed: ParsedFacts
    attachments: tuple[AttachmentFacts, ...]
    size: int  # octets
    blocked_images: int  # pictures from outside that are not fetched
    marked_links: int = 0  # links that lead elsewhere than they seem to
    files: str = FileState.OFF  # of viruses in the message around it
    told: str | None = None  # a phrase: what the reader is to know of who sent it


class SheetFacts(Protocol):
    """One page of a document: its size in points, and what is written on it."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Some pages of a PDF, the first of which has the number `first`; none that can be shown: it
    has no `sheets`. Their pictures are asked for one by one.
    """

    section: Section
    filename: str
    first: int
    count: int
    sheets: Sequence[SheetFacts]
    files: str = FileState.OFF

    @property
    def last(self) -> int:
        return self.first + len(self.sheets) - 1
