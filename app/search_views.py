"""What a search hands to its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.views import FolderPage


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """One term of a search as it was understood; `bad` when it was not."""

    name: str  # "from", "has", ...; empty for plain words
    value: str
    bad: bool = False
    before: str = ""  # what joins it to the others, as it is typed: "OR", "(", "-("
    after: str = ""


class QueryProblem(Protocol):
    """What makes no sense in a search: `kind` names it, `meant` what `typed` is close to."""

    @property
    def kind(self) -> str: ...
    @property
    def typed(self) -> str: ...
    @property
    def meant(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage:
    """What a search found, and how its words were read."""

    page: FolderPage
    chips: tuple[Chip, ...]
    problems: Sequence[QueryProblem] = ()
    needles: tuple[str, ...] = ()  # folded words whose hits are marked
