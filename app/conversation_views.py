"""What an opened conversation hands to its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.views import OpenMessage, Position, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenConversation:
    """A conversation, oldest message first; those that were opened, by their ids."""

    rows: tuple[Row, ...]
    opened: Mapping[str, OpenMessage]
    position: Position
    left_out: int = 0  # messages older than these

    @property
    def answered(self) -> OpenMessage:
        """The one that an answer is to: the newest that the person did not send."""
        return self.opened[newest_received(self.rows).id]

    def acted_on(self, folder: str) -> str:
        """The message that names the conversation in a folder: its newest one there."""
        starred = folder == "starred"
        here = [row.id for row in self.rows if (row.starred if starred else row.folder == folder)]
        return here[-1] if here else self.rows[-1].id


def newest_received(rows: Sequence[Row]) -> Row:
    """Of rows that stand oldest first; the newest of all when the person sent all of them."""
    return next((row for row in reversed(rows) if row.folder != "sent"), rows[-1])
