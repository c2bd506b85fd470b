"""A query cut into words, parentheses and ORs, in one linear pass."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from archive_store.search.problems import Problem, ProblemKind

LONGEST_QUERY: Final = 2_000
MOST_TERMS: Final = 50
DEEPEST: Final = 10

_BLANKS: Final = re.compile(r"\s*+")
_OPENING: Final = re.compile(r"(-?)(?:([A-Za-z]{1,12}):)?\(")
_WORD: Final = re.compile(r'(-?)(?:([A-Za-z]{1,12}):)?("[^"]*+"?|[^\s"]*+)')


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    OPEN = auto()
    CLOSE = auto()
    OR = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the query. `operator` is as typed, and one of the known ones or not."""

    kind: Kind
    operator: str = ""
    value: str = ""  # without its quotation marks
    negated: bool = False


class Scanner:
    """Cuts one query. `problems` are complete once `tokens` are."""

    def __init__(self, text: str, operators: frozenset[str]) -> None:
        self.problems: list[Problem] = []
        self._text = text[:LONGEST_QUERY]
        self._operators = operators
        self._depth = 0
        self._at = 0
        if len(text) > LONGEST_QUERY:
            self.problems.append(Problem(ProblemKind.LONG))

    def tokens(self) -> list[Token]:
        """All of them; what is opened is closed."""
        found: list[Token] = []
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at >= len(self._text):
                break
            token = self._next()
            if token is not None:
                found.append(token)
        if self._depth:
            self.problems.append(Problem(ProblemKind.OPENED))
        return found + [Token(Kind.CLOSE)] * self._depth

    def _next(self) -> Token | None:
        if self._text[self._at] == ")" and self._closes():
            return self._close()
        opening = _OPENING.match(self._text, self._at)
        if opening and (not opening[2] or opening[2].lower() in self._operators):
            return self._open(opening)
        return self._word()

    def _closes(self) -> bool:
        """Whether a parenthesis belongs to the language: ":)" and the like are words."""
        rest = self._text[self._at :].lstrip(")")
        return self._depth > 0 or not rest or rest[0].isspace()

    def _close(self) -> Token | None:
        self._at += 1
        if not self._depth:
            self.problems.append(Problem(ProblemKind.CLOSED))
            return None
        self._depth -= 1
        return Token(Kind.CLOSE)

    def _open(self, opening: re.Match[str]) -> Token | None:
        self._at = opening.end()
        if self._depth >= DEEPEST:
            self.problems.append(Problem(ProblemKind.DEEP))
            return None
        self._depth += 1
        return Token(Kind.OPEN, opening[2] or "", negated=bool(opening[1]))

    def _word(self) -> Token | None:
        match = _WORD.match(self._text, self._at)
        if match is None:  # cannot be: each of its parts may be empty
            raise AssertionError
        minus, operator, written = match.groups()
        quoted = written.startswith('"')
        if quoted and (len(written) < 2 or not written.endswith('"')):
            self.problems.append(Problem(ProblemKind.QUOTE))
        if not quoted and written.endswith(")"):
            written = self._without_closing(written)
        self._at = max(match.start(3) + len(written), self._at + 1)
        value = written.strip('"').strip()
        if not (minus or operator or quoted):
            if value == "OR":
                return Token(Kind.OR)
            if value == "AND":  # everything is joined so anyway
                return None
        if not (value or operator):
            return None
        return Token(Kind.WORD, operator or "", value, bool(minus))

    def _without_closing(self, written: str) -> str:
        """What belongs to a word: of "f(x))" all but the last one; all of ":)" by itself."""
        if not self._depth and not any(map(str.isalnum, written)):
            return written
        extra = written.count(")") - written.count("(")
        while extra > 0 and written.endswith(")"):
            written, extra = written[:-1], extra - 1
        return written
