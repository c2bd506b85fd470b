"""From the text of a query to its tree (recursive descent; the depth is bounded by the tokens)."""

from datetime import UTC, date, tzinfo
from difflib import get_close_matches

from archive_store.search import conditions
from archive_store.search.conditions import OPERATORS, Condition, Days
from archive_store.search.problems import Problem, ProblemKind
from archive_store.search.query import Both, Chip, Either, Node, Query, Term
from archive_store.search.tokens import MOST_TERMS, Kind, Scanner, Token

_SHORTEST_SLIP = 3  # "re:" and "b:" mean what they say


def parse_query(text: str, *, today: date | None = None, zone: tzinfo = UTC) -> Query:
    """The query in `text`. `today` gives "today" and "yesterday" their meaning; days begin and
    end in `zone`.
    """
    scanner = Scanner(text, OPERATORS)
    parser = _Parser(scanner.tokens(), Days(today, zone))
    root = Both(parser.sequence(""))
    return Query(root, tuple(dict.fromkeys(scanner.problems + parser.problems)))


class _Parser:
    def __init__(self, tokens: list[Token], days: Days) -> None:
        self.problems: list[Problem] = []
        self._tokens = tokens
        self._days = days
        self._at = 0
        self._terms = 0

    def sequence(self, operator: str) -> tuple[Node, ...]:
        """What stands up to the next closing parenthesis; `operator` is that of the group."""
        groups: list[list[Node]] = []
        joining = False
        while (token := self._take()) is not None and token.kind is not Kind.CLOSE:
            if token.kind is Kind.OR:
                joining = bool(groups)
                if not joining:
                    self._say(ProblemKind.OR)
                continue
            node = self._node(token, operator)
            if node is None:
                continue
            if joining:
                groups[-1].append(node)
            else:
                groups.append([node])
            joining = False
        if joining:
            self._say(ProblemKind.OR)
        return tuple(group[0] if len(group) == 1 else Either(tuple(group)) for group in groups)

    def _node(self, token: Token, operator: str) -> Node | None:
        """One part; None when nothing is left of it."""
        if token.kind is Kind.OPEN:
            return self._group(token, operator)
        if token.operator.lower() in OPERATORS and not token.value:
            return self._spaced(token, operator)
        return self._term(token, operator)

    def _group(self, token: Token, operator: str) -> Node | None:
        parts = self.sequence(token.operator.lower() or operator)
        if not parts:
            return None
        if len(parts) == 1 and not token.negated:
            return parts[0]
        return Both(parts, token.negated)

    def _spaced(self, token: Token, operator: str) -> Node | None:
        """`from: anna`, with a blank."""
        following = self._tokens[self._at] if self._at < len(self._tokens) else None
        fits = following is not None and not (following.operator or following.negated)
        if following is None or not fits or following.kind not in (Kind.WORD, Kind.OPEN):
            self._say(ProblemKind.ALONE, f"{token.operator}:")
            return None
        self._at += 1
        joined = Token(following.kind, token.operator, following.value, token.negated)
        return self._node(joined, operator)

    def _term(self, token: Token, operator: str) -> Term | None:
        if self._terms >= MOST_TERMS:
            self._say(ProblemKind.MANY)
            return None
        name = token.operator.lower() or operator
        found = conditions.condition(name, token.value, self._days) if name else None
        if isinstance(found, Condition):
            self._terms += 1
            return Term(Chip(name=name, value=token.value, negated=token.negated), found)
        plain = f"{token.operator}:{token.value}" if token.operator else token.value
        if found is not None:
            self._say(found, f"{name}:{token.value}")
        elif name:
            self._suspect(name)
        asked = conditions.words(plain)
        if asked is None:
            return None
        self._terms += 1
        chip = Chip(name="", value=plain, negated=token.negated, bad=found is not None)
        return Term(chip, asked)

    def _suspect(self, name: str) -> None:
        close = get_close_matches(name, OPERATORS, 1, 0.75) if len(name) >= _SHORTEST_SLIP else ()
        for meant in close:
            self._say(ProblemKind.UNKNOWN, f"{name}:", f"{meant}:")

    def _say(self, kind: ProblemKind, typed: str = "", meant: str = "") -> None:
        self.problems.append(Problem(kind, typed, meant))

    def _take(self) -> Token | None:
        if self._at >= len(self._tokens):
            return None
        self._at += 1
        return self._tokens[self._at - 1]
