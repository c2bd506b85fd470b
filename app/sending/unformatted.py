"""Rich text without its forms: the text/plain part of a letter, and what a plain editor gets.

Reads only what has passed the allow-list, so every element is closed inside its parent. A block is
a paragraph of its own, a quote has "> " before its lines, a list its marks, a link its address
behind its words.
"""

import html as entities
import re
from dataclasses import dataclass, field

from app.sending.flowing import SIGNATURE
from app.views import RichText
from archive_store.mime.html_tokens import Kind, attributes, tokens

_BLOCKS = frozenset(
    "address article aside blockquote caption center dd div dl dt figcaption figure footer "
    "h1 h2 h3 h4 h5 h6 header hr li main ol p pre section table tbody tfoot thead tr ul".split()
)
_APART = frozenset("blockquote dl h1 h2 h3 h4 h5 h6 ol p pre table ul".split())
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_RULE = "-" * 24


def unformatted(rich: RichText) -> str:
    """The text of it; lines end with \\n."""
    writer = _Writer()
    for kind, name, value in tokens(rich.html):
        if kind is Kind.TEXT:
            writer.text(entities.unescape(value))
        elif kind is Kind.START:
            writer.start(name, value)
        elif kind is Kind.END:
            writer.end(name)
    return writer.finish()


@dataclass(slots=True)
class _Writer:
    lines: list[str] = field(default_factory=list)
    line: str = ""
    quotes: int = 0
    literal: int = 0  # depth of <pre>
    lists: list[int] = field(default_factory=list)  # the next number; 0 where there are none
    links: list[tuple[str, int]] = field(default_factory=list)  # address, where its words begin
    begun: bool = False  # something stands on the line, be it an empty one
    apart: bool = False  # an empty line comes before the next text

    def text(self, written: str) -> None:
        if self.literal:
            first, *more = written.split("\n")
            self._put(first)
            for one in more:
                self._break()
                self._put(one)
            return
        written = _BLANKS.sub(" ", written)
        if not self.line:
            written = written.lstrip(" ")
        if written:
            self._put(written.replace("\u00a0", " "))

    def start(self, name: str, written: str) -> None:
        if name in _BLOCKS:
            self._end_line()
            self.apart = self.apart or (name in _APART and not self.lists)
        if name == "br":
            self._break()
        elif name == "hr":
            self._put(_RULE)
            self._end_line()
        elif name == "img":
            alt = entities.unescape(dict(attributes(written)).get("alt", ""))
            self._put(f"[{alt}]" if alt else "")
        elif name in ("td", "th") and self.line:
            self._put("  ")
        self._open(name, written)

    def _open(self, name: str, written: str) -> None:
        if name == "blockquote":
            self._gap()
            self.quotes += 1
        elif name == "pre":
            self.literal += 1
        elif name in ("ul", "ol"):
            self.lists.append(int(name == "ol"))
        elif name == "li":
            self._put(self._mark())
        elif name == "a":
            address = entities.unescape(dict(attributes(written)).get("href", ""))
            self.links.append((address, len(self.line)))

    def end(self, name: str) -> None:
        if name in _BLOCKS:
            self._end_line()
            self.apart = self.apart or (name in _APART and len(self.lists) < 2)
        if name == "blockquote":
            self.quotes = max(self.quotes - 1, 0)
        elif name == "pre":
            self.literal = max(self.literal - 1, 0)
        elif name in ("ul", "ol") and self.lists:
            self.lists.pop()
        elif name == "a" and self.links:
            self._name_link(*self.links.pop())

    def finish(self) -> str:
        self._end_line()
        return "\n".join(self.lines).strip("\n") + "\n" if self.lines else ""

    def _name_link(self, address: str, begins: int) -> None:
        words = self.line[begins:].strip()
        bare = address.removeprefix("mailto:").removeprefix("tel:")
        if address and words and words not in (address, bare, address.rstrip("/")):
            self._put(f" <{address}>")

    def _mark(self) -> str:
        number = self.lists[-1] if self.lists else 0
        if number:
            self.lists[-1] = number + 1
        indent = "  " * max(len(self.lists) - 1, 0)
        return f"{indent}{number}. " if number else f"{indent}* "

    def _put(self, piece: str) -> None:
        self._gap()
        self.line += piece
        self.begun = True

    def _gap(self) -> None:
        """The empty line that stands between two things."""
        if self.apart and not self.begun:
            if self.lines and self.lines[-1].strip("> "):
                self.lines.append(">" * self.quotes)
            self.apart = False

    def _break(self) -> None:
        if not self.begun:
            self.apart = False  # an empty line is one already
        self._put("")
        self._end_line()

    def _end_line(self) -> None:
        if not self.begun:
            return
        content = self.line if self.literal else self.line.rstrip(" ")
        if content == SIGNATURE.rstrip():
            content = SIGNATURE  # whose blank a browser does not show
        marks = ">" * self.quotes
        self.lines.append(f"{marks} {content}" if marks and content else marks or content)
        self.line, self.begun = "", False
