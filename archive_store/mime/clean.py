"""Characters that may reach a person: what hides, reorders or controls text is taken out.

Three strengths: `line` for subjects and other one-line values, `name` for display names (where a
right-to-left override makes a stranger look like a colleague), `block` for body text.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_EMBEDDINGS: Final = r"\u202a-\u202e\u2066-\u2069"
_INVISIBLE: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2060-\u2065\ufeff\ufff9-\ufffb"
)

_LINE_BREAKING: Final = re.compile(f"[{_CONTROLS}]+")
_REORDERING: Final = re.compile(f"[{_EMBEDDINGS}]")
_HIDING: Final = re.compile(f"[{_EMBEDDINGS}{_INVISIBLE}\U000e0000-\U000e007f]")
_IN_BLOCK: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_END: Final = re.compile(r"\r\n?|\x85|\u2028|\u2029")
# The same for text that is ASCII, where octets are many times quicker than expressions.
_BARE_CR: Final = re.compile(rb"\r(?!\n)")
_ASCII_CONTROLS: Final = bytes((*range(0x09), *range(0x0B, 0x20), 0x7F))
_ASCII_BLANKS: Final = bytes.maketrans(b"\t\n\v\f\r\x1c\x1d\x1e\x1f", b" " * 9)
_SPACES: Final = re.compile(rb"  +")


def line(text: str) -> str:
    """One line: controls become a space, overrides go; joiners, as in Persian, stay."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _REORDERING.sub("", _LINE_BREAKING.sub(" ", text)).strip()


def name(text: str) -> str:
    """A name: nothing invisible in it, blanks collapsed."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return " ".join(_HIDING.sub("", _LINE_BREAKING.sub(" ", text)).split())


def block(text: str) -> str:
    """Body text: lines end with \\n, no other controls but tabs."""
    if text.isascii():
        octets = text.encode("ascii")
        if _BARE_CR.search(octets):
            octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return octets.translate(None, _ASCII_CONTROLS).decode("ascii")
    return _IN_BLOCK.sub("", _LINE_END.sub("\n", text))


def visible(text: str) -> str:
    """For previews: without the invisible filler of newsletters, blanks collapsed."""
    return collapsed(text if text.isascii() else _HIDING.sub("", text))


def collapsed(text: str) -> str:
    """One line, whose words have one space between them."""
    if not text.isascii():
        return " ".join(text.split())
    octets = text.encode("ascii").translate(_ASCII_BLANKS)
    return _SPACES.sub(b" ", octets).strip(b" ").decode("ascii")
