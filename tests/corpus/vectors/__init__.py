"""Attacks on HTML sanitisers as the suites of others publish them, unchanged.

From packages of npm and PyPI, with their licences: DOMPurify 0.4.5 and 0.8.0 (Apache-2.0 or
MPL-2.0), html-purify 1.1.0 with the vectors of html5sec.org (BSD-3-Clause), html5lib 0.9999999 and
1.1 (MIT), bleach 6.4.0 (Apache-2.0), feedparser 6.0.14 (BSD-2-Clause), big-list-of-naughty-strings
1.0.0 (MIT). Each once, those without markup left out. html5lib's cases of tree construction are not
attacks by themselves: they are where parsers have differed.
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

# Whatever a mail may do is in here; the rest is reported by the browser, and not stopped.
REPORTING = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'none'; base-uri 'none'"
)


class Vector(NamedTuple):
    """One attack, and the package it is from."""

    source: str
    markup: str


@cache
def published() -> tuple[Vector, ...]:
    """All of them."""
    rows = json.loads(Path(__file__).with_name("vectors.json").read_text())
    return tuple(Vector(**row) for row in rows)
