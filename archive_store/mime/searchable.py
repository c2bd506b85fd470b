"""The octets that are sealed of a message's searchable words.

The text as `summary.words` made it, in UTF-8: what a reader is shown of a hit. Behind it, when it
is not all ASCII, a NUL and the same text folded, which is what a search compares. Folding takes
some hundred microseconds a mail, and a search looks through all mails of a mailbox: so it is done
once, by the index role, and not at each search. What was sealed without a folded text is folded
when it is searched.
"""

from __future__ import annotations

from typing import Final

from archive_store.mime.summary import folded

LIMIT: Final = 1024 * 1024  # octets of both texts together
_BETWEEN: Final = b"\0"


def to_octets(words: str) -> bytes:
    """Both texts of `words`; the folded one is left out where there is no room for it."""
    words = words.replace("\0", " ")
    octets = words.encode(errors="surrogateescape")
    if octets.isascii():
        return octets
    both = octets + _BETWEEN + folded(words)
    return both if len(both) <= LIMIT else octets


def text_of(octets: bytes) -> str:
    """The text as the message has it."""
    return octets.partition(_BETWEEN)[0].decode(errors="surrogateescape")


def folded_of(octets: bytes) -> bytes:
    """The text as a search compares it."""
    if octets.isascii():
        return octets.lower()
    _, between, prepared = octets.partition(_BETWEEN)
    return prepared if between else folded(text_of(octets))
