"""Whether a server could be talked to at all: what health is judged by.

`why` is our own wording, never the server's: it is kept in clear.
"""

from dataclasses import dataclass
from enum import StrEnum


class Contact(StrEnum):
    """How far we got."""

    ANSWERED = "answered"  # it greeted us and talked SMTP
    REFUSED = "refused"  # nobody listens there
    SILENT = "silent"  # no connection, or no word in time
    UNREADY = "unready"  # it answered, and would not talk


@dataclass(frozen=True, slots=True)
class Reached:
    """How an attempt to reach a server went."""

    contact: Contact
    why: str = ""


class NoSession(Exception):
    """No SMTP session with a server; `reached` says how far we got."""

    def __init__(self, reached: Reached, server: str) -> None:
        super().__init__(reached.why)
        self.reached = reached
        self.server = server
