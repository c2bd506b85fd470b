"""Values of writing that the use cases hand to the pages: see `app.views`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Quoting = Literal["below", "above"]  # where the mail that is answered stands


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a person writes; `signatures` by the ids of the identities, as plain text."""

    rich: bool = False
    quoting: Quoting = "below"
    signatures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RichText:
    """Formatted text that has passed the allow-list: only `app.sending.rich` makes one.

    A picture in it is `cid:` and the name of a file that goes with the letter. Not `whole`: it
    was too much, and its end is missing.
    """

    html: str
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondent:
    """Somebody to write to; the name may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """A file that a draft keeps."""

    index: int
    filename: str
    content_type: str
    size: int
    inline: bool = False
