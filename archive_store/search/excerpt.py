"""Where the words of a query stand in a text as it was written, and a piece of it around them.

A hit is found in the folded text and told in places of the text itself, so that what a reader
sees is marked whatever its case, its accents and its line breaks are.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from archive_store.mime.folding import fold

Hit = tuple[int, int]  # from, to

MOST_HITS: Final = 2_000
_LONGEST: Final = 100_000  # characters of a text beyond ASCII; the rest is not looked through
_PIECE: Final = re.compile(
    r"\s+|[^\s][\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u3099\u309a\uff9e\uff9f\u00ad\u200b-\u200f\u2060-\u2069\ufeff]*"
)
_BEFORE: Final = 24  # a hit has to be seen on a telephone, too
_LENGTH: Final = 200


def hits(text: str, needles: Sequence[str]) -> list[Hit]:
    """Where any of the folded `needles` stands in `text`, in order and without overlaps."""
    wanted = [needle for needle in needles if needle.strip()]
    if not wanted or not text:
        return []
    if text.isascii():
        lower = text.lower()
        found = [match.span() for needle in wanted for match in _written(needle, lower)]
        return _merged(sorted(found))
    return _folded_hits(text[:_LONGEST], wanted)


def _written(needle: str, text: str) -> Iterator[re.Match[str]]:
    """Where a needle stands, whatever blanks are between its words."""
    pattern = r"\s+".join(map(re.escape, needle.split(" ")))
    return islice(re.finditer(pattern, text), MOST_HITS)


def _folded_hits(text: str, needles: Sequence[str]) -> list[Hit]:
    folded, places = _mapped(text)
    found: list[Hit] = []
    for needle in needles:
        at = folded.find(needle)
        while at >= 0 and len(found) < MOST_HITS:
            end = at + len(needle)
            found.append((places[at][0], places[end - 1][1]))
            at = folded.find(needle, end)
    return _merged(sorted(found))


def _mapped(text: str) -> tuple[str, list[Hit]]:
    """The folded text, and for each of its characters which piece of the text it comes from."""
    pieces: list[str] = []
    places: list[Hit] = []
    for match in _PIECE.finditer(text):
        folded = fold(match.group()) or (" " if match.group().isspace() else "")
        pieces.append(folded)
        places += [match.span()] * len(folded)
    whole = "".join(pieces)
    joined = fold(whole)
    if len(joined) == len(whole):
        return whole, places
    # Blanks that folding takes out: between two ideographs, and at both ends.
    kept: list[Hit] = []
    at = 0
    for character, place in zip(whole, places, strict=True):
        if at < len(joined) and joined[at] == character:
            kept.append(place)
            at += 1
    return (joined, kept) if at == len(joined) else (whole, places)


def _merged(found: Sequence[Hit]) -> list[Hit]:
    merged: list[Hit] = []
    for start, end in found:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def excerpt(text: str, needles: Sequence[str]) -> str:
    """About 200 characters of `text` around the first hit; empty when there is none."""
    found = hits(text, needles)
    if not found:
        return ""
    start, _ = found[0]
    begin = max(0, start - _BEFORE)
    if begin:
        blank = text.find(" ", begin, start)
        begin = blank + 1 if blank >= 0 else begin
    piece = text[begin : begin + _LENGTH].strip()
    return ("… " if begin else "") + piece + (" …" if begin + _LENGTH < len(text) else "")
