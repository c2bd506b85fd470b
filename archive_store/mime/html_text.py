"""The text of an HTML body, roughly as it reads: for previews, search and quoting.

Linear, never raises, and stops once it has enough. It is text and nothing else: whoever puts it
on a page escapes it like any other.
"""

from __future__ import annotations

import html as entities
import re
from typing import Final

from archive_store.mime.html_tokens import Kind, attributes, tokens

_BLOCKS: Final = frozenset(
    "address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 "
    "h2 h3 h4 h5 h6 head header hr html li main nav ol p pre section table tbody td tfoot th "
    "thead tr ul".split()
)
_BLANKS: Final = re.compile(r"[ \t\r\f\v\u00a0]*\n\s*")
_RUNS: Final = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_HTML_READ: Final = 512 * 1024


def html_to_text(html: str, most: int = 64 * 1024) -> str:
    """At most about `most` characters of the text in `html`, one line per block."""
    pieces: list[str] = []
    length = 0
    for kind, name, value in tokens(html[:_HTML_READ]):
        if kind is Kind.TEXT:
            piece = _RUNS.sub(" ", value)
            pieces.append(piece)
            length += len(piece)
            if length >= most:
                break
        elif name in _BLOCKS and kind is not Kind.RAW:
            pieces.append("\n")
    text = entities.unescape("".join(pieces))
    return _BLANKS.sub("\n", text).strip()


def remote_images(html: str) -> int:
    """How many pictures `html` would fetch from elsewhere; they are never fetched."""
    found = 0
    for kind, name, value in tokens(html):
        if kind is Kind.START and name == "img":
            source = dict(attributes(value)).get("src", "")
            found += entities.unescape(source).strip().lower().startswith(("http:", "https:", "//"))
    return found
