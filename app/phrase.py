"""Texts for people that Python writes.

A `Phrase` reads as its English text wherever it goes: in an exception, in a command's output, in
the log. It remembers what it was made of, so that a page can say it in its reader's language (see
`app.languages`). Nothing is translated when a module is imported.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

Say = Callable[[str], str]  # says a phrase in somebody's language, and any other text as it is


class Phrase(str):
    """An English text, and the message of the catalogues that it was made from."""

    __slots__ = ("many", "message", "number", "values")
    message: str
    many: str  # the message of more than one; empty: there is none
    number: int
    values: Mapping[str, object]

    def reading(self, english: str) -> Self:
        """The same message, whose English is to read otherwise here."""
        return self._made(english, self.message, self.many, self.number, self.values)

    @classmethod
    def _made(
        cls, english: str, message: str, many: str, number: int, values: Mapping[str, object]
    ) -> Self:
        made = cls(english)
        made.message, made.many, made.number, made.values = message, many, number, values
        return made


def phrase(message: str, /, **values: object) -> Phrase:
    """Mark a text. Values stand in it as %(name)s, a per cent sign as %%."""
    return Phrase._made(message % values, message, "", 1, values)


def phrases(one: str, many: str, num: int, /, **values: object) -> Phrase:
    """Mark a text that depends on a number, which stands in it as %(num)s."""
    english = (one if num == 1 else many) % {"num": num, **values}
    return Phrase._made(english, one, many, num, values)


def together(texts: Sequence[str]) -> str:
    """Sentences one after the other."""
    if len(texts) < 2:
        return texts[0] if texts else ""
    return phrase("%(one)s %(rest)s", one=texts[0], rest=together(texts[1:]))
