"""Names of people and identities: they end up in headers, lists and on screens."""

from __future__ import annotations

import unicodedata

from app.accounts.errors import Invalid
from app.phrase import phrase

LONGEST_NAME = 100
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"  # Persian and several Indian scripts are misspelt without them


def clean_name(text: str, field: str = "name") -> str:
    """One line of visible text, spaces made single; raises Invalid. Controls would break a
    header (RFC 5322 section 2.2), bidirectional overrides would let a name look like another.
    """
    if any(unicodedata.category(c) in _INVISIBLE and c not in _JOINERS for c in text):
        raise Invalid(field, phrase("a name has a character that cannot be seen"))
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid(field, phrase("a name is needed"))
    if len(name) > LONGEST_NAME:
        raise Invalid(field, phrase("a name has at most %(most)s characters", most=LONGEST_NAME))
    return name
