"""Chance that can be repeated: the same seed draws the same pictures and writes the same mail."""

from random import Random


def seeded(seed: int | str) -> Random:
    """Numbers for looks, never for secrets."""
    return Random(seed)  # noqa: S311 - nothing secret is made of it
