"""HTML of a stranger made cheap to parse: balanced, not deep, not endless.

This is not the sanitiser, and no safety hangs on it. It comes before the sanitiser because a
browser's parsing rules let a small input become an enormous tree (formatting elements that are
never closed are opened again in every paragraph) and because sanitising is quadratic in depth.
What leaves here closes each element inside its parent, is at most `MOST_DEPTH` deep and has at
most `MOST_ELEMENTS` elements; tags outside of the list are left out, their content stays. Style
sheets and what stood on <body> are put aside. One linear pass.
"""

from __future__ import annotations

import html as entities
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.markup import leads
from app.markup.marks import Needles, marked_text
from archive_store.mime.html_tokens import Kind, attributes, tokens
from archive_store.search import hits

MOST_DEPTH: Final = 256
MOST_ELEMENTS: Final = 50_000

TAGS: Final = frozenset(
    "a abbr address article aside b bdi bdo big blockquote br caption center cite code col "
    "colgroup dd del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i "
    "img ins kbd li main mark ol p pre q s samp section small span strike strong sub sup table "
    "tbody td tfoot th thead tr tt u ul var wbr".split()
)
VOID: Final = frozenset(("br", "col", "hr", "img", "wbr"))
ATTRIBUTES: Final = frozenset(
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height href "
    "hspace id lang nowrap rowspan size span src start style title type valign value vspace "
    "width".split()
)
STAND_IN: Final = "unseen"  # the class of what stands in the place of a picture
Unseen = Callable[[str], bool]  # whether a picture of this address will not be shown
_LENGTH: Final = re.compile(r"(\d{1,4})(%?)(?:px)?")
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_ENDS_PARAGRAPH: Final = _HEADINGS | frozenset(
    "address article aside blockquote center dd div dl dt figcaption figure footer header hr li "
    "main ol p pre section table ul".split()
)
_CELLS: Final = ("td", "th", "caption")
_SCOPE: Final = ("table", *_CELLS)

_CLOSED_BY_GROUP: Final = (("thead", "tbody", "tfoot", "colgroup", "tr", *_CELLS), ("table",))

# A start tag closes these (the outermost that is open), but nothing outside of the fences.
_CLOSES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "a": (("a",), _SCOPE),
    "li": (("li",), ("ul", "ol", *_SCOPE)),
    "dt": (("dt", "dd"), ("dl", *_SCOPE)),
    "dd": (("dt", "dd"), ("dl", *_SCOPE)),
    "td": (_CELLS, ("table",)),
    "th": (_CELLS, ("table",)),
    "tr": (("tr", *_CELLS), ("table",)),
    "thead": _CLOSED_BY_GROUP,
    "tbody": _CLOSED_BY_GROUP,
    "tfoot": _CLOSED_BY_GROUP,
    **dict.fromkeys(_HEADINGS, (tuple(_HEADINGS), _SCOPE)),
}
_TABLE_PARTS: Final = frozenset(("table", "thead", "tbody", "tfoot", "tr", *_CELLS))


@dataclass(slots=True)
class Balanced:
    """What is left of a document."""

    markup: str
    sheets: list[str]
    body: dict[str, str]  # the attributes of <html> and <body>, raw
    cut: bool  # it had too many elements
    marked: int = 0  # links that lead elsewhere than they seem to


@dataclass(slots=True)
class _Writer:
    unseen: Unseen | None = None
    out: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    places: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    left_out: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def start(self, name: str, written: str, title: str | None) -> None:
        if name in _ENDS_PARAGRAPH:
            self._close(("p",), _SCOPE)
        rule = _CLOSES.get(name)
        if rule is not None:
            self._close(*rule)
        if name not in VOID:
            if len(self.stack) >= MOST_DEPTH:
                self.left_out[name] += 1  # its end tag must not close another one
                return
            self.places[name].append(len(self.stack))
            self.stack.append(name)
        elif name == "img" and self.unseen and (words := _stand_in(written, self.unseen)):
            self.out.append(words)
            return
        self.out.append(f"<{name}{_kept(written, title)}>")

    def end(self, name: str) -> None:
        if self.left_out[name]:
            self.left_out[name] -= 1
        elif name == "br":  # browsers read </br> as <br>
            self.out.append("<br>")
        elif self.places[name]:
            fences = ("table",) if name in _TABLE_PARTS and name != "table" else _SCOPE
            place = self.places[name][-1]
            if name == "table" or place > self._last(fences):
                self._pop_to(place)

    def mark(self, place: str, style: str) -> None:
        """Say where a link leads that has just ended; an empty place says nothing."""
        if place:
            said = entities.escape(f"{leads.SIGN} {place}")
            self.out.append(f'<span style="{style}">{said}</span>')

    def finish(self) -> None:
        self._pop_to(0)

    def _close(self, names: tuple[str, ...], fences: tuple[str, ...]) -> None:
        """Close the outermost of `names` that is open inside of the innermost fence."""
        fence = self._last(tuple(one for one in fences if one not in names))
        inside = [
            self.places[name][bisect_right(self.places[name], fence)]
            for name in names
            if self.places[name] and self.places[name][-1] > fence
        ]
        if inside:
            self._pop_to(min(inside))

    def _last(self, names: tuple[str, ...]) -> int:
        return max((self.places[name][-1] for name in names if self.places[name]), default=-1)

    def _pop_to(self, place: int) -> None:
        while len(self.stack) > place:
            name = self.stack.pop()
            self.places[name].pop()
            self.out.append(f"</{name}>")


def balance(
    html: str, needles: Needles = (), mark_style: str = "", unseen: Unseen | None = None
) -> Balanced:
    """`html` with its structure made plain, and the folded `needles` marked in its text. What
    stands beside a link that leads elsewhere than it seems to has `mark_style`. In the place of a
    picture that is `unseen` stands its description, in the room it was given.
    """
    writer, links = _Writer(unseen), leads.Reader()
    sheets: list[str] = []
    body: dict[str, str] = {}
    elements = 0
    for kind, name, value in tokens(html):
        if kind is Kind.TEXT:
            links.text(value)
            writer.out.append(_text(value, needles))
        elif kind is Kind.RAW:
            if name == "style":
                sheets.append(value)
        elif kind is Kind.END:
            if name in TAGS:
                writer.end(name)
                writer.mark(links.end(name), mark_style)
        elif name in TAGS:
            elements += 1
            if elements > MOST_ELEMENTS:
                break
            writer.mark(links.start(name, value), mark_style)
            writer.start(name, value, links.title)
        elif name in ("body", "html"):
            body.update(attributes(value))
    writer.mark(links.end("a"), mark_style)
    writer.finish()
    return Balanced("".join(writer.out), sheets, body, elements > MOST_ELEMENTS, links.marked)


def _text(written: str, needles: Needles) -> str:
    """Text with its character references; unchanged where nothing is marked."""
    if needles:
        text = entities.unescape(written)
        if hits(text, needles):
            return marked_text(text, needles)
    return written.replace("<", "&lt;")


def _kept(written: str, title: str | None) -> str:
    """The attributes that may matter, in double quotes, their character references as they were;
    with `title` in place of their own one, unless it is None.
    """
    if not written or written.isspace():
        return ""
    kept = [f' title="{entities.escape(title)}"'] if title else []
    for name, value in attributes(written):
        if name in ATTRIBUTES and (name != "title" or title is None):
            quoted = value.replace('"', "&quot;")
            if name == "src" and value.lstrip().startswith("//"):
                quoted = "https:" + quoted.lstrip()  # what a browser makes of it, to be counted
            kept.append(f' {name}="{quoted}"')
    return "".join(kept)


def _stand_in(written: str, unseen: Unseen) -> str | None:
    """The description of a picture that is not shown; None for one that is.

    A browser would draw its sign for what is broken, and give the picture no room.
    """
    found = dict(reversed(list(attributes(written))))  # of two, the first counts
    source = entities.unescape(found.get("src", ""))
    if not unseen("https:" + source.lstrip() if source.lstrip().startswith("//") else source):
        return None
    room = [
        f"{side}: {size[1]}{size[2] or 'px'}"
        for side in ("width", "height")
        if (size := _LENGTH.fullmatch(found.get(side, "").strip()))
    ]
    kept = {
        "class": f"{STAND_IN} {found.get('class', '')}",
        "style": "; ".join([*room, found.get("style", "")]),
        "title": found.get("title", ""),
    }
    said = "".join(
        ' {}="{}"'.format(name, value.replace('"', "&quot;"))
        for name, value in kept.items()
        if value
    )
    return f"<span{said}>{found.get('alt', '').replace('<', '&lt;')}</span>"
