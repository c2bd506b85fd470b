"""Which parts are the body, which are attachments, and the body's text (RFC 2046 section 5.1).

multipart/alternative gives its last displayable version, and its text version beside; of
multipart/related the root is shown; in every other multipart the parts that are meant to be read
in place are shown one after the other. All else is an attachment, in the order of the octets.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from archive_store.mime import charsets, clean
from archive_store.mime.flowed import unflow
from archive_store.mime.html_text import html_to_text
from archive_store.mime.limits import Limits
from archive_store.mime.structure import Part
from archive_store.mime.transfer import decode_body
from archive_store.mime.values import Problem

HTML: Final = "text/html"
_SHOWN: Final = frozenset(("text/plain", HTML, "text/markdown", "text/x-markdown"))
# Text that is no text to read, wherever it stands.
_NEVER_SHOWN: Final = frozenset(
    ("text/calendar", "text/vcard", "text/x-vcard", "text/directory", "text/rfc822-headers")
)
# Further versions of one text: nobody misses them where another is shown.
_SPARE_VERSIONS: Final = frozenset(
    ("text/x-amp-html", "text/watch-html", "text/enriched", "text/richtext", "text/rtf")
)
_META_CHARSET: Final = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.I)


@dataclass(slots=True)
class Body:
    """The parts to show as text, those to show as HTML, and the rest."""

    text: list[Part] = field(default_factory=list)
    html: list[Part] = field(default_factory=list)
    attached: list[Part] = field(default_factory=list)

    @property
    def has_html(self) -> bool:
        """Whether an HTML part is among what is shown."""
        return any(part.content_type == HTML for part in self.html)

    def add(self, other: Body) -> None:
        """Show `other` after this."""
        self.text += other.text
        self.html += other.html
        self.attached += other.attached


def choose(part: Part, *, leads: bool = True) -> Body:
    """What to do with `part`. `leads`: it may be the body although it has a file name."""
    if part.children:
        if part.content_type == "multipart/alternative":
            return _choose_version(part, leads=leads)
        if part.content_type == "multipart/related":
            return _choose_root(part, leads=leads)
        body = Body()
        for number, child in enumerate(part.children):
            body.add(choose(child, leads=leads and number == 0))
        return body
    if _is_shown(part, leads=leads):
        return Body([part], [part])
    if part.content_type.startswith("multipart/"):
        return Body()  # an empty one
    return Body(attached=[part])


def _is_shown(part: Part, *, leads: bool) -> bool:
    if part.disposition == "attachment" or (part.filename and not leads):
        return False
    if part.content_type in _SHOWN:
        return True
    alone = part.depth == 0 and part.content_type.startswith("text/")
    return alone and part.content_type not in _NEVER_SHOWN


def _choose_version(part: Part, *, leads: bool) -> Body:
    versions = [choose(child, leads=leads) for child in part.children]
    rich = next((one for one in reversed(versions) if one.has_html), None)
    plain = next((one for one in reversed(versions) if one.text and not one.has_html), None)
    chosen = Body()
    first = plain or rich
    second = rich or plain
    if first is not None and second is not None:
        chosen.text, chosen.html = first.text, second.html
    for version in versions:
        chosen.attached += [
            leaf
            for leaf in version.attached
            if first is None or leaf.content_type not in _SPARE_VERSIONS
        ]
    return chosen


def _choose_root(part: Part, *, leads: bool) -> Body:
    start = part.params.get("start", "").strip("<> ")
    bodies = [choose(child, leads=leads) for child in part.children]
    root = next(
        (n for n, child in enumerate(part.children) if start and child.content_id == start),
        next((n for n, body in enumerate(bodies) if body.text), 0),
    )
    chosen = Body()
    for number, child in enumerate(part.children):
        if number == root:
            chosen.add(bodies[number])
        else:
            chosen.attached += leaves(child)
    return chosen


def leaves(part: Part) -> Iterator[Part]:
    """The leaves of `part` in the order of the octets."""
    if not part.children:
        if not part.content_type.startswith("multipart/"):
            yield part
        return
    for child in part.children:
        yield from leaves(child)


@dataclass(slots=True)
class BodyText:
    """Decodes the chosen parts, each kind within its limit over all parts."""

    octets: bytes
    limits: Limits
    problems: list[Problem]

    def text(self, body: Body) -> str | None:
        """The text version; None when there is nothing but HTML."""
        if all(part.content_type == HTML for part in body.text):
            return None
        room = self.limits.text_octets
        shown: list[str] = []
        for part in body.text:
            piece, used = self._decode(part, room, Problem.TEXT_CUT)
            room -= used
            if part.content_type == HTML:
                piece = html_to_text(piece, room)
            if piece.strip():
                shown.append(piece.strip("\n"))
        return "\n\n".join(shown)

    def html(self, body: Body) -> str | None:
        """The HTML version; None when there is nothing but text."""
        if not body.has_html:
            return None
        room = self.limits.html_octets
        shown: list[str] = []
        for part in body.html:
            piece, used = self._decode(part, room, Problem.HTML_CUT)
            room -= used
            if part.content_type != HTML:
                if not piece.strip():
                    continue
                piece = f'<div style="white-space: pre-wrap">{entities.escape(piece)}</div>'
            shown.append(piece)
        return "\n".join(shown)

    def _decode(self, part: Part, room: int, problem: Problem) -> tuple[str, int]:
        content = decode_body(self.octets[part.start : part.end], part.encoding, room + 1)
        if len(content) > room:
            self.problems.append(problem)
            content = content[:room]
        charset = part.params.get("charset", "")
        is_html = part.content_type == HTML
        if is_html and not charsets.known(charset):
            meta = _META_CHARSET.search(content, 0, 2_048)
            charset = meta.group(1).decode("ascii", "replace") if meta else ""
        text = clean.block(charsets.decode(content, charset))
        if not is_html and part.params.get("format", "").lower() == "flowed":
            text = unflow(text, delsp=part.params.get("delsp", "").lower() == "yes")
        return text, len(content)
