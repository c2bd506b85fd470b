"""Search words marked in a text that goes into a page; each piece is escaped as it is written."""

import html as entities
from collections.abc import Sequence

from archive_store.search import hits

Needles = Sequence[str]  # folded


def marked_text(text: str, needles: Needles) -> str:
    """`text` escaped, with its hits in <mark>."""
    if not needles:
        return entities.escape(text)
    pieces = []
    at = 0
    for start, end in hits(text, needles):
        pieces.append(entities.escape(text[at:start]))
        pieces.append(f"<mark>{entities.escape(text[start:end])}</mark>")
        at = end
    return "".join(pieces) + entities.escape(text[at:])
