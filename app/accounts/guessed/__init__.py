"""How many guesses a password stands: what a list of common ones is for when fifteen characters
are the least (NIST SP 800-63B-4 section 3.1.1.2: common, expected and compromised values).

Of the 19,640 passwords of breaches that Django carries, 48 have fifteen characters; whoever is
refused "manchester" writes "Manchester2026!". So a password is taken apart in the way that is
guessed soonest, as those do who guess (zxcvbn, D. Wheeler, USENIX Security 2016): words of that
list by their rank, words that are expected here, the person's own name and address, rows of keys,
years, what stood before in it already, and single characters for the rest. The sum is in bits.
"""

from __future__ import annotations

import gzip
import math
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

from app.accounts.guessed.expected import EXPECTED_WORDS, SEQUENCES

COMMON = Path(__file__).with_name("common-passwords.txt.gz")  # the most common one first
ENOUGH = 32.0  # bits: four thousand million guesses, of which a page takes some hundred a day
SHORTEST, LONGEST = 3, 24  # characters of a word
LOOKALIKES = str.maketrans("@4310!$57", "aaeioisst")
OWN, EXPECTED, ROW, AGAIN, YEAR = 2.0, 4.0, 6.0, 5.0, 6.0  # bits
DISGUISED = 1.0  # letters written as digits, or the word backwards
YEARS = re.compile(r"19[4-9]\d|20[0-4]\d")
SIGN, DIGIT, LETTER = 3.0, math.log2(10), math.log2(26)


class Kind(Enum):
    """What a piece of a password is."""

    PLAIN = "characters"
    PATTERN = "a row of keys, a year, or once more the same"
    WORD = "a word that is guessed first"
    OWN = "of the person's own name or address"


@dataclass(frozen=True, slots=True)
class Guess:
    """How soon a password is guessed, and by what."""

    bits: float
    kinds: frozenset[Kind]

    @property
    def is_soon(self) -> bool:
        return self.bits < ENOUGH


Piece = tuple[int, float, Kind]  # characters, bits


def guess(folded: str, own: Set[str]) -> Guess:
    """The cheapest way to put a password together; it and the own words in small letters."""
    spelled = folded.translate(LOOKALIKES)
    cheapest = [Guess(0.0, frozenset())] + [Guess(math.inf, frozenset())] * len(folded)
    for place, so_far in enumerate(cheapest):
        pieces = [*_plain(folded, place), *_patterns(folded, place), *_words(folded, place, own)]
        if spelled != folded:
            pieces += ((n, bits + DISGUISED, kind) for n, bits, kind in _words(spelled, place, own))
        for length, bits, kind in pieces:
            if so_far.bits + bits < cheapest[place + length].bits:
                cheapest[place + length] = Guess(so_far.bits + bits, so_far.kinds | {kind})
    return cheapest[-1]


@lru_cache(maxsize=1)
def common() -> Mapping[str, float]:
    """The bits of each word of the lists."""
    with gzip.open(COMMON, "rt", encoding="utf-8") as file:
        bits = {line.strip(): math.log2(rank + 2) for rank, line in enumerate(file)}
    return bits | {word: min(EXPECTED, bits.get(word, EXPECTED)) for word in EXPECTED_WORDS}


def _plain(text: str, place: int) -> Iterator[Piece]:
    for character in text[place : place + 1]:
        if character.isdigit():
            yield 1, DIGIT, Kind.PLAIN
        else:
            yield 1, LETTER if character.isalpha() else SIGN, Kind.PLAIN


def _words(text: str, place: int, own: Set[str]) -> Iterator[Piece]:
    known = common()
    for length in range(SHORTEST, min(LONGEST, len(text) - place) + 1):
        word = text[place : place + length]
        if word in own:
            yield length, OWN, Kind.OWN
        elif word in known:
            yield length, known[word], Kind.WORD
        elif word[::-1] in known:
            yield length, known[word[::-1]] + DISGUISED, Kind.WORD


def _patterns(text: str, place: int) -> Iterator[Piece]:
    if YEARS.match(text, place):
        yield 4, YEAR, Kind.PATTERN
    for length in range(2, len(text) - place + 1):
        part = text[place : place + length]
        again = text.find(part, 0, place + length - 1) >= 0  # it may lap over its own beginning
        in_row = any(part in row for row in SEQUENCES)
        if not (again or in_row):
            return
        if again or length > 2:
            yield length, AGAIN if again else ROW, Kind.PATTERN
