"""A query as a tree of conditions, and what can be said of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from archive_store.search.conditions import Candidate, Condition, Facts, Needs
from archive_store.search.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """How one term was understood, for showing. `bad`: an operator that made no sense."""

    name: str  # the operator; empty for plain words
    value: str
    negated: bool = False
    bad: bool = False
    before: str = ""  # what joins it to the others: "OR", "(", "-(" and blanks between them
    after: str = ""  # ")"


@dataclass(frozen=True, slots=True)
class Term:
    """One condition and its chip."""

    chip: Chip
    condition: Condition

    @property
    def needs(self) -> Needs:
        return self.condition.needs

    def holds(self, candidate: Candidate) -> bool:
        """Whether the candidate meets it."""
        return self.condition.test(candidate) is not self.chip.negated


@dataclass(frozen=True, slots=True)
class Both:
    """All parts must hold."""

    parts: "tuple[Node, ...]"
    negated: bool = False

    @property
    def needs(self) -> Needs:
        return max((part.needs for part in self.parts), default=Needs.FACTS)

    def holds(self, candidate: Candidate) -> bool:
        """Whether they do."""
        for part in self.parts:  # a mailbox has thousands of candidates: no generator for each
            if not part.holds(candidate):
                return self.negated
        return not self.negated


@dataclass(frozen=True, slots=True)
class Either:
    """Any one part must hold."""

    parts: "tuple[Node, ...]"

    @property
    def needs(self) -> Needs:
        return max((part.needs for part in self.parts), default=Needs.FACTS)

    def holds(self, candidate: Candidate) -> bool:
        """Whether one does."""
        return any(part.holds(candidate) for part in self.parts)


Node = Term | Both | Either
NOTHING: Final = Both(())


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. Without any parts everything matches."""

    root: Both = NOTHING
    problems: tuple[Problem, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.root.parts

    @property
    def needs(self) -> Needs:
        """What has to be opened to answer it."""
        return self.root.needs

    @property
    def folder(self) -> str:
        """The one folder asked for with in:, so that a caller can narrow its scan."""
        alone = (part.chip for part in self.root.parts if isinstance(part, Term))
        folders = {chip.value.lower() for chip in alone if chip.name == "in" and not chip.negated}
        return folders.pop() if len(folders) == 1 else ""

    @property
    def needles(self) -> tuple[str, ...]:
        """The folded words whose hits are worth marking."""
        found = (one.condition.needle for one in _terms(self.root) if not one.chip.negated)
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def narrow(self) -> Both:
        """What can be asked before anything is opened: all that matches meets it."""
        return Both(tuple(part for part in self.root.parts if part.needs is Needs.FACTS))

    def matches(self, facts: Facts, words: bytes, sent_to: str = "") -> bool:
        """Whether an entry is found that has these words (`mime.summary.folded`)."""
        return self.root.holds(Candidate(facts, words, sent_to))

    def describe(self) -> tuple[Chip, ...]:
        """The terms as they were understood, in the order they were typed."""
        return tuple(chip for part in self.root.parts for chip in _chips(part))


def _terms(node: Node) -> Iterator[Term]:
    """The terms that have to be there; those of a negated group do not."""
    if isinstance(node, Term):
        yield node
    elif not (isinstance(node, Both) and node.negated):
        for part in node.parts:
            yield from _terms(part)


def _chips(node: Node) -> list[Chip]:
    if isinstance(node, Term):
        return [node.chip]
    groups = [_chips(part) for part in node.parts]
    if isinstance(node, Either):
        return groups[0] + [chip for group in groups[1:] for chip in _around(group, "OR ", "")]
    return _around(list(chain.from_iterable(groups)), "-(" if node.negated else "(", ")")


def _around(chips: list[Chip], before: str, after: str) -> list[Chip]:
    chips[0] = replace(chips[0], before=before + chips[0].before)
    chips[-1] = replace(chips[-1], after=chips[-1].after + after)
    return chips
