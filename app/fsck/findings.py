"""What a check of the store saw."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy.orm import Session

Change = Callable[[Session], None]


class Wrong(StrEnum):
    """The kinds of problems, as they are counted."""

    SEGMENT = "damaged segments"
    MESSAGE = "messages"
    ENTRY = "entries"
    SLOT = "key slots"
    QUEUE_ITEM = "queue items"
    SUMMARY = "summaries"
    HELD = "messages under a legal hold"
    LOG_LINE = "mail log lines"
    DAY_KEY = "day keys"
    WRITER_KEY = "writer keys"


class Mended(StrEnum):
    """What `--repair` did about a problem."""

    PUT_BACK = "put back from the segments"
    TAKEN_OUT = "taken out"
    INDEXED_ANEW = "to be indexed anew"
    MADE_ANEW = "to be made anew"
    QUARANTINED = "put into quarantine"


@dataclass(frozen=True, slots=True)
class Mend:
    """How a problem can be mended."""

    how: Mended
    change: Change = field(repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `text` names it, for a person."""

    wrong: Wrong
    text: str
    mend: Mend | None = None


@dataclass(slots=True)
class Findings:
    """Counts of what was looked at, and what is wrong. Without problems all is well.

    `past`: entries whose time is over, which need not open. `not_genuine`: messages that no
    writer of ours signed. `orphan_frames`: mail that no row names, left by what got no 250.
    `torn_tails`: what a crash left of a batch in a segment. `half_erased`: entries and queue
    items that open by their row while their slot is erased already. `quarantined`: damaged
    octets of segments that a repair has seen before.
    """

    messages: int = 0
    entries: int = 0
    opened: int = 0
    past: int = 0
    queue_items: int = 0
    summaries: int = 0
    held: int = 0
    log_lines: int = 0
    day_keys: int = 0
    writer_keys: int = 0
    not_genuine: int = 0
    frames: int = 0
    orphan_frames: int = 0
    torn_tails: int = 0
    half_erased: int = 0
    quarantined: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def wrong(self) -> dict[str, int]:
        """How many problems of each kind."""
        return {kind.value: n for kind, n in Counter(p.wrong for p in self.problems).items()}

    def add(self, other: "Findings") -> None:
        """Take in what a part of the check saw."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems

    def counts(self) -> dict[str, int]:
        """The counts by name."""
        return {name: getattr(self, name) for name in COUNTS}


COUNTS = (
    "messages",
    "entries",
    "opened",
    "past",
    "queue_items",
    "summaries",
    "held",
    "log_lines",
    "day_keys",
    "writer_keys",
    "not_genuine",
    "frames",
    "orphan_frames",
    "torn_tails",
    "half_erased",
    "quarantined",
)
