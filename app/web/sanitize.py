"""HTML of a stranger to a page that is safe to show: the first of two walls.

The markup is balanced (`html_balance`), parsed once by an HTML5 parser and reduced to a list of
elements and attributes (nh3, which is ammonia); every attribute that stays is checked and written
anew by `_Attributes` while it hangs on the tree, styles by `css_filter`. The serialiser of that
parser is the last to touch the body: no string operation comes after it, so that nothing safe is
made unsafe again. Style sheets are put into the head as rules built from tokens. The policy that
the page is served with is the second wall (`frame`).

Nothing is fetched: pictures from elsewhere become their description and are counted, unless the
caller gives them another address (`Remote`); those that came with the message (cid:) become data:
URLs after a look at their first octets. What else would fetch goes: srcset, background, url() in a
style.
It never raises for any input, and its time and output are bounded by the limits below.
"""

from __future__ import annotations

import base64
import binascii
import html as entities
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

import nh3

from app.markup import css_filter
from app.markup.attributes import CHECKS, URL_BLANKS, Styles
from app.markup.attributes import safe_link as safe_link
from app.markup.css_filter import PREFIX
from app.markup.html_balance import ATTRIBUTES, TAGS, Balanced, balance
from app.markup.marks import Needles
from app.markup.pictures import raster_type as raster_type
from app.phrase import phrase
from app.web.frame import FRAME_CSP as FRAME_CSP
from app.web.frame import MARK_ON_PAPER, html_page
from app.web.frame import SafeHtml as SafeHtml
from app.web.plaintext import plain_text_document as plain_text_document

LONGEST_HTML: Final = 2 * 1024 * 1024  # characters
MOST_PICTURES: Final = 16 * 1024 * 1024  # octets of all pictures, each time they are shown
MOST_REMOTE: Final = 200  # pictures from elsewhere, where those are shown
CUT_NOTICE: Final = phrase(
    "This message is longer than what is shown here. The original has all of it."
)
STYLE_NOTICE: Final = phrase("The style of this message is too large and is not applied.")

# Where to ask us for the picture at an address; None: nowhere.
Remote = Callable[[str], str | None]

_REMOTE: Final = re.compile(r"https?:", re.IGNORECASE)
_DATA: Final = re.compile(r"data:image/[a-z.+-]{1,20};base64,([A-Za-z0-9+/=\s]*+)", re.IGNORECASE)
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


def sanitize_html(
    html: str,
    pictures: Mapping[str, bytes] | None = None,
    needles: Needles = (),
    remote: Remote | None = None,
) -> SafeHtml:
    """The page for an HTML body. `pictures`: what came with the message, by Content-ID;
    `needles`: folded words to mark, put in before the sanitiser like all other markup.
    """
    cut = len(html) > LONGEST_HTML
    check = _Attributes(pictures or {}, remote)
    balanced = balance(html[:LONGEST_HTML], needles, check.ours, check.is_unseen)
    body = nh3.clean(
        balanced.markup,
        tags=set(TAGS),
        attributes={"*": set(ATTRIBUTES)},
        attribute_filter=check,
        clean_content_tags={"script", "style"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        url_relative="deny",
        strip_comments=True,
    )
    sheet = _sheet(balanced, check)
    notices = ((CUT_NOTICE,) if cut or balanced.cut else ()) + (
        (STYLE_NOTICE,) if check.styles.left_out else ()
    )
    pieces = html_page(
        body,
        style=sheet,
        language=balanced.body.get("lang", ""),
        direction=balanced.body.get("dir", "").lower(),
        notices=notices,
    )
    return SafeHtml(pieces=pieces, blocked_images=check.blocked, notices=notices)


def _sheet(balanced: Balanced, check: _Attributes) -> str:
    """The rules of the style elements, and what stood on <body>, which is not in the markup."""
    rules = []
    written = "\n".join(balanced.sheets)
    if len(written) <= css_filter.LONGEST_SHEET:
        rules.append(css_filter.sheet(written))
    else:
        check.styles.left_out = True
    on_body = {name: entities.unescape(value) for name, value in balanced.body.items()}
    painted = f"background-color: {on_body.get('bgcolor', '')}; color: {on_body.get('text', '')}"
    # As in a browser: sheets are stronger than the old attributes, and weaker than style="".
    rules.insert(0, f"body {{ {css_filter.declarations(painted)} }}")
    rules.append(f"body {{ {css_filter.declarations(on_body.get('style', ''))} }}")
    return "\n".join(rules) + "\n"


class _Attributes:
    """Decides on each attribute of one message: what it becomes, or None where it goes."""

    def __init__(self, pictures: Mapping[str, bytes], remote: Remote | None) -> None:
        self.blocked = 0
        self._remote = remote
        self._pictures = pictures
        self._picture_room = MOST_PICTURES
        self.styles = Styles()
        self.ours = secrets.token_hex(16)  # the style of our own marks, which no sender can guess

    def __call__(self, tag: str, attribute: str, value: str) -> str | None:
        if attribute == "style":
            return MARK_ON_PAPER if value == self.ours else self.styles(value)
        if attribute == "src":
            return self._source(value) if tag == "img" else None
        if attribute == "href":
            return safe_link(value) if tag == "a" else None
        if (tag, attribute) in _OURS:
            return value  # written by the parser's own settings, after the sender's were dropped
        check = _CHECKS.get(attribute)
        return check(value) if check else None

    def is_unseen(self, source: str) -> bool:
        """Whether a picture is elsewhere and nobody asked for it; such are counted."""
        away = self._remote is None and bool(_REMOTE.match(URL_BLANKS.sub("", source)))
        self.blocked += away
        return away

    def _source(self, value: str) -> str | None:
        value = URL_BLANKS.sub("", value)
        if _REMOTE.match(value):
            self.blocked += 1
            if self._remote is None or self.blocked > MOST_REMOTE:
                return None
            return self._remote(value)
        if value[:4].lower() == "cid:":
            content = self._pictures.get(unquote(value[4:]))
        else:
            content = _embedded(value)
        if content is None or len(content) > self._picture_room:
            return None
        kind = raster_type(content)
        if kind is None:
            return None
        self._picture_room -= len(content)
        return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _embedded(value: str) -> bytes | None:
    """The octets of a data: URL that claims to be a picture."""
    match = _DATA.fullmatch(value)
    if match is None:
        return None
    try:
        return binascii.a2b_base64(match.group(1))
    except binascii.Error:
        return None


def _classes(value: str) -> str | None:
    names = (PREFIX + name for name in value.split()[:50] if _NAME.fullmatch(name))
    return " ".join(names) or None


def _id(value: str) -> str | None:
    return PREFIX + value if _NAME.fullmatch(value) else None


_OURS: Final = frozenset((("a", "rel"), ("a", "target")))
_CHECKS: Final = {"class": _classes, "id": _id, **CHECKS}
