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
    if "\r" in text or not text.isascii():
        text = _LINE_END.sub("\n", text)
    return _IN_BLOCK.sub("", text)


def visible(text: str) -> str:
    """For previews: without the invisible filler of newsletters, blanks collapsed."""
    return " ".join(_HIDING.sub("", text).split())
