"""What the index role makes of a batch of messages: summaries, words, and the text of documents.

Summaries come first and from a child of their own. Documents have a few seconds of each batch, so
that a flood of heavy ones cannot keep everybody's mail from being listed; what there is no time
for is found by its name alone.
"""

import re
from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol

from archive_store.mime.summary import section
from archive_store.mime.worker import Listed, ParserPool, PoolLimits

DOCUMENTS: Final = PoolLimits(children=1, seconds=2.0, memory=512 * 1024 * 1024)
BATCH_SECONDS: Final = 4.0
_READABLE: Final = re.compile(r"\.(pdf|doc[xm]|xls[xm]|ppt[xm]|od[tsp])$", re.IGNORECASE)
_MODULE: Final = "archive_store.mime.documents"


class Summaries(Protocol):
    """The parser."""

    def summaries(self, batch: Sequence[bytes]) -> list[Listed]: ...


class Understanding:
    """Both pools. For one thread; `close` ends what it started."""

    def __init__(self, parser: Summaries) -> None:
        self._parser = parser
        self._documents = ParserPool(DOCUMENTS, module=_MODULE)

    def summaries(self, batch: Sequence[bytes]) -> list[Listed]:
        """Summary and searchable words of each message; never raises for content."""
        found = self._parser.summaries(batch)
        until = monotonic() + BATCH_SECONDS
        return [
            (summary, self._with_documents(octets, words, until))
            if any(map(_READABLE.search, summary.attachments))
            else (summary, words)
            for octets, (summary, words) in zip(batch, found, strict=True)
        ]

    def close(self) -> None:
        """End the child for documents."""
        self._documents.close()

    def _with_documents(self, octets: bytes, words: str, until: float) -> str:
        if monotonic() >= until:
            return words
        text = self._documents.text(octets)
        return f"{words}\n{section('d', text)}" if text else words
