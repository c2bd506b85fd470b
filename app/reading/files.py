"""Which attachments are listed beside a body: none that the reader sees already. Pure.

A picture that the HTML shows is part of the body. An invitation comes as two parts that say the
same, one for calendars among the alternatives of the text, one as a file to save: the file is
listed (RFC 6047 section 2.4 is the first; the second is what Outlook needs).
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from archive_store.mime.values import Attachment

CALENDARS = frozenset({"text/calendar", "application/ics"})


# Only a picture that is an element is shown: a background is not (`css_filter` lets no url pass).
_IMAGE = re.compile(
    r"""<img\b[^<>]{0,2000}?\bsrc\s{0,9}=\s{0,9}["']?cid:([^"'\s<>]{1,998})""", re.I
)


MOST_ZIPPED = 100
MOST_PARSED = 1024 * 1024 * 1024  # octets: the message is looked through once for each file


def fit_a_zip(count: int, size: int) -> bool:
    """Whether that many files of a message of `size` octets are given as one archive."""
    return 1 < count <= MOST_ZIPPED and count * size <= MOST_PARSED


def referred(html: str) -> frozenset[str]:
    """The Content-IDs of the pictures that stand in a body (RFC 2392)."""
    return frozenset(unquote(found) for found in _IMAGE.findall(html))


def listed(attachments: Sequence[Attachment], shown: frozenset[str]) -> tuple[Attachment, ...]:
    """`shown`: the Content-IDs of the pictures in the body."""
    rest = [one for one in attachments if not (one.inline and one.content_id in shown)]
    files = [one for one in rest if one.content_type in CALENDARS and not _is_alternative(one)]
    return tuple(one for one in rest if not (files and _is_alternative(one)))


def _is_alternative(attachment: Attachment) -> bool:
    """A calendar among the alternatives of the text: it has a method and no name of its own."""
    made_up = f"attachment-{attachment.index + 1}.ics"
    return bool(attachment.method) and attachment.filename == made_up
