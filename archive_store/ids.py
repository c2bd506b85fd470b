"""Identifiers: 16 random octets in the store, 26 characters wherever a person or a URL sees one.

The shown form is base32 (RFC 4648 section 6) in lower case without padding: it survives being
read aloud, typed, double-clicked and put into a file name. `read` takes only what `show` makes,
so that every thing has exactly one name; anything else raises BadId.
"""

import base64
import re
import secrets
from datetime import datetime

ID_OCTETS = 16
# 128 bits are 25 characters of 5 bits and 3 bits more: the last character has two zero bits.
_SHOWN = re.compile(r"[a-z2-7]{25}[aeimquy4]")


class BadId(ValueError):
    """Not an identifier as `show` writes them."""


def new_id() -> bytes:
    """Return a fresh identifier; nobody can guess it, and two are never the same."""
    return secrets.token_bytes(ID_OCTETS)


def new_ordered_id(now: datetime) -> bytes:
    """Return a fresh identifier that begins with its time, for what comes in by the thousand.

    Six octets of milliseconds, then ten that nobody can guess (as RFC 9562 section 5.7 has it for
    UUIDs). Neighbours in time are neighbours in every index, which halves what the database
    writes; an id of nothing but chance would dirty a page of its own in each.
    """
    milliseconds = int(now.timestamp() * 1000)
    return milliseconds.to_bytes(6, "big") + secrets.token_bytes(ID_OCTETS - 6)


def show(identifier: bytes) -> str:
    """Return the form that people, URLs and file names use."""
    if len(identifier) != ID_OCTETS:
        raise BadId(f"an identifier has {ID_OCTETS} octets, not {len(identifier)}")
    return base64.b32encode(identifier).decode("ascii").rstrip("=").lower()


def read(text: str) -> bytes:
    """Return the identifier that `show` wrote as `text`, or raise BadId."""
    if not _SHOWN.fullmatch(text):
        raise BadId("an identifier is 26 characters of a-z and 2-7")
    return base64.b32decode(text.upper() + "======")
