"""How an attempt to reach a server went: what its health is judged by.

`why` is our own wording, never the server's: it is kept in clear.
"""

from dataclasses import dataclass
from enum import StrEnum


class Contact(StrEnum):
    """How far we got."""

    ANSWERED = "answered"  # it greeted us and would take mail
    DENIED = "denied"  # it greeted us and would not have this one mail, or any: ask by a probe
    REFUSED = "refused"  # nobody listens there
    SILENT = "silent"  # no connection, or no word in time
    UNREADY = "unready"  # it answered, and would not talk or take mail

    @property
    def failed(self) -> bool:
        """No mail can go there now."""
        return self in (Contact.REFUSED, Contact.SILENT, Contact.UNREADY)


@dataclass(frozen=True, slots=True)
class Reached:
    """How an attempt to reach a server went.

    `took`: seconds until it had greeted us; 0 when the session was open already.
    `took_mail`: False when it put all recipients off, and not for a mailbox's sake; None when
    that cannot be told (a probe, a full mailbox).
    """

    contact: Contact
    why: str = ""
    took: float = 0.0
    took_mail: bool | None = None


class NoSession(Exception):
    """No SMTP session with a server; `reached` says how far we got."""

    def __init__(self, reached: Reached, server: str) -> None:
        super().__init__(reached.why)
        self.reached = reached
        self.server = server
