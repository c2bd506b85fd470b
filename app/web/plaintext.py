"""A plain text body as a page: links, quotes by depth, a long quoted tail folded away.

Plain text is attack surface too: links are found as tokens of the text, and every piece, link or
not, is escaped where it is written. Linear, also for one line of megabytes.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from app.markup import leads
from app.markup.marks import Needles, marked_text
from app.phrase import Phrase, phrase
from app.web.frame import MARK_IN_TEXT, SafeHtml, text_page

LONGEST_TEXT: Final = 2 * 1024 * 1024
CUT_NOTICE: Final = phrase(
    "This text is longer than what is shown here. The original has all of it."
)
FOLD_LABEL: Final = phrase("Quoted text")
DEEPEST_QUOTE: Final = 8
FOLDED_FROM: Final = 8  # lines of a quoted tail; a shorter one is no burden
_MOST_LINKS: Final = 5_000

_QUOTE: Final = re.compile(r"(?:> ?)+")
_LINK: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:https?://|www\.)[^\s<>\"'`{}|\\^\u202a-\u202e\u2066-\u2069]{1,2000}+"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}+@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?",
    re.IGNORECASE,
)
_AFTER: Final = ".,;:!?*_~)]"
_PAIRS: Final = {")": "(", "]": "["}

Line = tuple[int, str]  # how deeply it is quoted, and its text


def plain_text_document(text: str, needles: Needles = ()) -> SafeHtml:
    """The page for `text`; "\\n" ends lines. The folded `needles` are marked in it. A phrase is
    ours, and has neither quotes nor links.
    """
    if isinstance(text, Phrase):
        return SafeHtml(pieces=text_page(('<div class="text">', text, "</div>")))
    cut = len(text) > LONGEST_TEXT
    lines = [_line(line) for line in text[:LONGEST_TEXT].split("\n")]
    links = _Links(needles)
    fold = _folded_tail(lines)
    body = ['<div class="text">', *_blocks(lines[:fold], links), "</div>"]
    if fold < len(lines):
        body += ["<details><summary>", FOLD_LABEL, '</summary><div class="text">']
        body += [*_blocks(lines[fold:], links), "</div></details>"]
    notices = (CUT_NOTICE,) if cut else ()
    return SafeHtml(pieces=text_page(tuple(body), notices=notices), notices=notices)


def _line(line: str) -> Line:
    marks = _QUOTE.match(line) if line.startswith(">") else None
    if marks is None:
        return 0, line
    return min(marks.group().count(">"), DEEPEST_QUOTE), line[marks.end() :]


def _folded_tail(lines: list[Line]) -> int:
    """Where the quoted text begins that ends the message; len(lines) when nothing is folded.

    Only below something that the sender wrote himself: an answer between quotes stays whole.
    """
    end = len(lines)
    while end and not lines[end - 1][1].strip():
        end -= 1
    start = end
    while start and (lines[start - 1][0] or not lines[start - 1][1].strip()):
        start -= 1
    while start < end and not lines[start][0]:
        start += 1  # blank lines above the quote are not part of it
    own = any(depth == 0 and content.strip() for depth, content in lines[:start])
    return start if own and end - start >= FOLDED_FROM else len(lines)


def _blocks(lines: list[Line], links: _Links) -> Iterator[str]:
    depth = 0
    for wanted, group in groupby(lines, key=lambda line: line[0]):
        yield "<blockquote>" * max(0, wanted - depth)
        yield "</blockquote>" * max(0, depth - wanted)
        depth = wanted
        yield from links.write("\n".join(content for _, content in group))
        yield "\n" if not depth else ""
    yield "</blockquote>" * depth


class _Links:
    """Writes text with its links; stops making links after the first few thousand."""

    def __init__(self, needles: Needles) -> None:
        self._left = _MOST_LINKS
        self._needles = needles

    def write(self, text: str) -> Iterator[str]:
        position = 0
        for match in _LINK.finditer(text):
            if not self._left:
                break
            shown = _without_punctuation(match.group())
            target = _target(shown)
            if target is None:
                continue
            self._left -= 1
            yield marked_text(text[position : match.start()], self._needles)
            title = entities.escape(leads.destination(target))
            yield (
                f'<a href="{entities.escape(target)}" rel="noopener noreferrer nofollow" '
                f'target="_blank" title="{title}">{marked_text(shown, self._needles)}</a>'
            )
            place = leads.disguised(target)
            if place:
                yield f'<span style="{MARK_IN_TEXT}">{leads.SIGN} {entities.escape(place)}</span>'
            position = match.start() + len(shown)
        yield marked_text(text[position:], self._needles)


def _without_punctuation(link: str) -> str:
    """A link as a reader sees it: the full stop or bracket after it belongs to the sentence."""
    end = len(link)
    while end and link[end - 1] in _AFTER:
        opening = _PAIRS.get(link[end - 1])
        if opening and link.count(opening, 0, end) >= link.count(link[end - 1], 0, end):
            break
        end -= 1
    return link[:end]


def _target(shown: str) -> str | None:
    lower = shown.lower()
    if lower.startswith(("http://", "https://")):
        return shown if len(shown) > len("https://") else None
    if lower.startswith("www."):
        return f"https://{shown}" if "." in shown[4:] else None
    local, _, domain = shown.rpartition("@")
    return f"mailto:{shown}" if local and "." in domain else None
