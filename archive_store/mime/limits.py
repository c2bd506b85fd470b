"""The bounds of the MIME parser, in one table. Sizes are in octets after transfer decoding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a message may ask of the parser; beyond it, the rest stays in the original."""

    depth: int = 30
    parts: int = 2_000
    headers: int = 1_000
    header_octets: int = 512 * 1024
    html_octets: int = 2 * 1024 * 1024
    text_octets: int = 1024 * 1024
    parameters: int = 64
    addresses: int = 5_000
    references: int = 100


DEFAULT = Limits()
POOR_TEXT = 500  # characters: a text version shorter than this may only say "see the HTML"
