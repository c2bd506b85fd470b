"""The attributes of HTML elements that may stay, each checked and written anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from app.markup import css_filter

LONGEST_URL: Final = 16 * 1024

_LINK: Final = re.compile(r"(https?://|mailto:|tel:)[^\s]", re.IGNORECASE)
URL_BLANKS: Final = re.compile(r"^[\x00-\x20\x7f-\xa0]+|[\x00-\x20\x7f-\xa0]+$|[\t\r\n]+")
_LENGTH: Final = re.compile(r"\d{1,4}(?:\.\d{1,3})?(?:%|px)?")
_SPAN: Final = re.compile(r"[1-9]\d?|100")
_NUMBER: Final = re.compile(r"-?\d{1,6}")
_FONT_SIZE: Final = re.compile(r"[+-]?\d")
_COLOUR: Final = re.compile(r"#?[A-Za-z0-9]{1,30}")
_WORD: Final = re.compile(r"[A-Za-z0-9-]{0,35}")
_FACE: Final = re.compile(r"[\w ,'.-]{1,200}")
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


class Styles:
    """The style attributes of one document, each filtered once, all within a budget."""

    def __init__(self) -> None:
        self.left_out = False
        self._room = css_filter.MOST_STYLE
        self._known: dict[str, str | None] = {}  # newsletters repeat few styles many times

    def __call__(self, value: str) -> str | None:
        if value not in self._known:
            self._room -= len(value)
            if self._room < 0:
                self.left_out = True
                return None
            self._known[value] = css_filter.declarations(value) or None
        return self._known[value]


def safe_link(value: str) -> str | None:
    """The address of a link that may be followed; None for any other scheme, or none."""
    value = URL_BLANKS.sub("", value)  # what a browser leaves out before it reads the scheme
    return value if len(value) <= LONGEST_URL and _LINK.match(value) else None


def _shown(value: str) -> str | None:
    return _UNSEEN.sub(" ", value)[:2_000]


def _like(pattern: re.Pattern[str]) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        value = value.strip()
        return value if pattern.fullmatch(value) else None

    return check


CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "alt": _shown,
    "title": _shown,
    "face": _like(_FACE),
    "bgcolor": _like(_COLOUR),
    "color": _like(_COLOUR),
    "size": _like(_FONT_SIZE),
    "start": _like(_NUMBER),
    "value": _like(_NUMBER),
    "colspan": _like(_SPAN),
    "rowspan": _like(_SPAN),
    "span": _like(_SPAN),
    **dict.fromkeys(("align", "valign", "dir", "type", "lang", "nowrap"), _like(_WORD)),
    **dict.fromkeys(
        ("width", "height", "border", "cellpadding", "cellspacing", "hspace", "vspace"),
        _like(_LENGTH),
    ),
}
