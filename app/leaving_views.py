"""How a mailing list can be left, as its own mail says it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """At least one of both ways."""

    url: str = ""  # that takes the one press of RFC 8058; empty: it is not offered
    mail: str = ""  # the address to write to; empty: none is named
    subject: str = ""  # of that letter
    text: str = ""
