"""What a page shows of an invitation, and what can be answered to it."""

from dataclasses import dataclass
from typing import Literal

from archive_store.mime.invitation import Invitation

Participation = Literal["accepted", "tentative", "declined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """The invitation of an open message.

    `own` is the address of the reader that is invited; with it the reader can answer. `stranger`:
    the mail is not from the organiser.
    """

    event: Invitation
    own: str = ""
    stranger: bool = False
    participation: str = ""  # what was answered here, one of `Participation`
