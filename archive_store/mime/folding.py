"""Text made comparable: NFKC, case folded, accents taken off (Unicode 15, sections 3.13 and 5.18).

The same is done to the words of a message and to those of a query. Marks that make another letter
in their script (the voicing marks of Japanese) stay; the accents of Latin, Greek and Cyrillic, the
points of Hebrew and the vowel marks of Arabic go, since people leave them out when they search.
Chinese and Japanese are written without blanks, so a line that ends in the middle of a word is
joined to the next one: what is searched for is found in any place, however short it is.

Each letter is folded once in the life of a process, and what is ASCII is not looked at letter by
letter. A long run is folded piece by piece: putting marks in order takes the square of their
number, and a hostile mail has 64 KiB of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from archive_store.mime import clean

_MARKS: Final = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]+")
_INVISIBLE: Final = re.compile(r"[\u00ad\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_LETTERS: Final = str.maketrans(
    {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ħ": "h"}
)
# Words in Cyrillic and the like with the blanks between them: one run for a whole paragraph.
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+(?: [^\x00-\x7f]+)*+")
# Kana, bopomofo, ideographs and their punctuation; Korean has blanks between its words.
_UNSPACED: Final = (
    "[\u3000-\u30ff\u3100-\u312f\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_BROKEN: Final = re.compile(f"(?<={_UNSPACED}) (?={_UNSPACED})")
_HAS_UNSPACED: Final = re.compile(_UNSPACED)


class _Folded(dict[int, str]):
    """What each letter beyond ASCII becomes, by its number; filled as letters are met."""

    def __missing__(self, number: int) -> str:
        letter = chr(number)
        opened = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", letter).casefold())
        bare = _MARKS.sub("", _INVISIBLE.sub("", opened)).translate(_LETTERS)
        folded = self[number] = unicodedata.normalize("NFC", bare)
        return folded


class _FoldedRuns(dict[str, str]):
    """What a letter or two between ASCII become: the usual case in European languages."""

    def __missing__(self, run: str) -> str:
        folded = _fold_letters(run)
        if len(self) < _MOST_RUNS:
            self[run] = folded
        return folded


_SHORT: Final = 2
_PIECE: Final = 256
_MOST_MARKS: Final = 30  # that follow one letter (UAX #15 section 13, "Stream-Safe Text Format")
_MOST_RUNS: Final = 10_000
_FOLDED: Final = _Folded()
_RUNS: Final = _FoldedRuns()


def fold(text: str) -> str:
    """`text` as it is compared in a search; blanks are collapsed."""
    if text.isascii():
        return clean.collapsed(text.lower())
    folded = " ".join(_BEYOND_ASCII.sub(_fold_run, text.lower()).split())
    return _BROKEN.sub("", folded) if _HAS_UNSPACED.search(folded) else folded


def _fold_run(match: re.Match[str]) -> str:
    run = match.group()
    if len(run) <= _SHORT:
        return _RUNS[run]
    return _fold_letters(run) if len(run) <= _PIECE else "".join(map(_fold_letters, _pieces(run)))


def _pieces(run: str) -> Iterator[str]:
    """A long run in pieces, a letter and its marks together."""
    start = 0
    while start < len(run):
        end = start + _PIECE
        most = end + _MOST_MARKS
        while end < most and unicodedata.combining(run[end : end + 1] or " "):
            end += 1
        yield run[start:end]
        start = end


def _fold_letters(run: str) -> str:
    composed = unicodedata.normalize("NFC", run)
    # Two letters that are folded apart can belong together: a half-width kana and its mark.
    return unicodedata.normalize("NFC", composed.translate(_FOLDED))
