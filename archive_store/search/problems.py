"""What makes no sense in a query: facts for a page to put into words. Nothing here is an error."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What is wrong, each with what the search did about it."""

    QUOTE = "quote"  # opened and not closed: reaches to the end
    OPENED = "opened"  # a parenthesis not closed: closed at the end
    CLOSED = "closed"  # a parenthesis not opened: left out
    DEEP = "deep"  # too many parentheses inside each other: left out
    ALONE = "alone"  # an operator without a word: left out
    OR = "or"  # OR with nothing on one side: left out
    DAY = "day"  # the others: searched for as typed
    SIZE = "size"
    STATE = "state"
    HAS = "has"
    FOLDER = "folder"
    UNKNOWN = "unknown"  # looks like an operator with a slip of the finger
    LONG = "long"  # only the beginning was read
    MANY = "many"  # only the first terms were looked at


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to tell the reader. Both texts are as typed, or names of ours."""

    kind: ProblemKind
    typed: str = ""
    meant: str = ""  # the operator that `typed` is close to
