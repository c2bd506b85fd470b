"""HTML cut into tokens, in one linear pass (WHATWG HTML section 13.2.5, simplified).

This is no sanitiser: it says where tags, text, comments and raw text end, the way a browser does,
for a rough text version and for counting. It keeps no tree. Unlike `html.parser` it is linear for
every input: what is not closed reaches to the end, once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

_ATTRIBUTE: Final = (
    r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'>][^\s>]*+|(?=>)))?+"
)
_TAG: Final = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)((?:[\s/]++|{_ATTRIBUTE})*+)>")
_ONE_ATTRIBUTE: Final = re.compile(
    r"([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'>][^\s>]*+)|(?=>)))?+"
)
_COMMENT_END: Final = re.compile(r"--!?>")

RAW: Final = frozenset(
    ("script", "style", "xmp", "iframe", "noembed", "noframes", "textarea", "title")
)
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in RAW}


class Kind(IntEnum):
    """What a token is."""

    TEXT = 0  # value: text with its character references
    START = 1  # name in lower case; value: the attributes as written
    END = 2
    RAW = 3  # name of the element; value: its content (style sheets, scripts, ...)


class Token(NamedTuple):
    """A piece of the input."""

    kind: Kind
    name: str
    value: str


def tokens(html: str) -> Iterator[Token]:
    """The tokens of `html`; comments, doctypes and processing instructions are left out."""
    position = 0
    text_from = 0
    size = len(html)
    while True:
        opening = html.find("<", position)
        if opening < 0:
            break
        tag = _TAG.match(html, opening)
        if tag is None:
            after = _skip(html, opening)
            if after == opening + 1:  # a "<" that begins nothing is text
                position = after
                continue
            if text_from < opening:
                yield Token(Kind.TEXT, "", html[text_from:opening])
            position = text_from = after
            continue
        if text_from < opening:
            yield Token(Kind.TEXT, "", html[text_from:opening])
        slash, written, attributes = tag.groups()
        name = written.lower()
        position = text_from = tag.end()
        if slash:
            yield Token(Kind.END, name, "")
        elif name in RAW:
            end = _RAW_END[name].search(html, position)
            stop = end.start() if end else size
            yield Token(Kind.RAW, name, html[position:stop])
            position = text_from = _after_end_tag(html, stop)
        elif name == "plaintext":
            position = size
            break
        else:
            yield Token(Kind.START, name, attributes)
    if text_from < size:
        yield Token(Kind.TEXT, "", html[text_from:])


def attributes(written: str) -> Iterator[tuple[str, str]]:
    """The attributes of a start tag: lower-case name, value with its character references."""
    for match in _ONE_ATTRIBUTE.finditer(written):
        name, double, single, bare = match.groups()
        yield name.lower(), double or single or bare or ""


def _skip(html: str, opening: int) -> int:
    """Where reading goes on after a "<" that opens no complete tag."""
    following = html[opening + 1 : opening + 2]
    if html.startswith("<!--", opening):
        if html.startswith((">", "->"), opening + 4):
            return html.index(">", opening) + 1
        end = _COMMENT_END.search(html, opening + 4)
        return end.end() if end else len(html)
    if following in ("!", "?") or (
        following == "/" and not html[opening + 2 : opening + 3].isalpha()
    ):
        end_of = html.find(">", opening)
        return end_of + 1 if end_of >= 0 else len(html)
    if following == "/" or (following.isascii() and following.isalpha()):
        return len(html)  # a tag that never ends takes the rest with it
    return opening + 1


def _after_end_tag(html: str, position: int) -> int:
    end = html.find(">", position)
    return end + 1 if end >= 0 else len(html)
