"""The files of a message as pages name and show them. Nothing here is proven of any of them."""

from dataclasses import dataclass

from app.views import AttachmentFacts, ParsedFacts

Section = tuple[int, ...]
"""The place of a file: its index among the attachments of its mail, after the indices of the mails
around it when that is itself a file of another one (as in IMAP, RFC 9051 section 6.4.5.1).
"""

MOST_DEEP = 5  # mails in one another, with the one that came
MAIL_TYPES = frozenset(("message/rfc822", "message/global"))  # RFC 2046 5.2.1, RFC 6532 3.7


def is_mail(file: AttachmentFacts, around: Section) -> bool:
    """Whether a file can be opened as a mail; `around`: the section of the mail it is in."""
    return file.content_type in MAIL_TYPES and len(around) + 1 < MOST_DEEP


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
