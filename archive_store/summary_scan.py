"""Opening the summaries and words of a mailbox: the same boxes as `SummarySealer`s, many at once.

What is the same for all entries of a day (the cipher, the beginning of the place) is made
once, and a summary is parsed only when its row is shown: a scan of 1,500 of them for the
address they were sent to takes some ten milliseconds.
"""

import struct
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive_store import seal
from archive_store.compression import decompress
from archive_store.errors import SealBroken
from archive_store.ids import ID_OCTETS
from archive_store.indexing import IndexedSummary, sent_to
from archive_store.mime import searchable
from archive_store.summaries import SummarySealer

_ID_LENGTH = struct.pack(">H", ID_OCTETS)


class OpenedSummary:
    """An opened summary, not parsed yet but for the envelope recipient."""

    __slots__ = ("_octets", "sent_to")

    def __init__(self, octets: bytes) -> None:
        self.sent_to = sys.intern(
            sent_to(octets)
        )  # a mailbox has a few of them, and thousands of mails
        self._octets = octets

    def parse(self) -> IndexedSummary:
        """All of it; SealBroken when it is no summary."""
        return IndexedSummary.from_octets(self._octets)


class _Boxes:
    """Opens the boxes of one kind of one mailbox and day."""

    def __init__(self, sealer: SummarySealer, kind: str) -> None:
        self._cipher = AESGCM(seal.derive(sealer.key, kind))
        # A place is its parts one after the other, each with its length: the entry's id is the
        # last one (`seal.context`).
        self._place = sealer.owner.place(sealer.installation, "index", sealer.day) + _ID_LENGTH

    def open(self, entry_id: bytes, sealed: bytes) -> bytes:
        nonce, box = sealed[: seal.NONCE_OCTETS], sealed[seal.NONCE_OCTETS :]
        try:
            plain = self._cipher.decrypt(nonce, box, self._place + entry_id)
        except (InvalidTag, ValueError) as error:
            raise SealBroken("a sealed box does not open") from error
        return seal.unpad(plain)


class SummaryScan:
    """Opens the summaries of one mailbox and day."""

    def __init__(self, sealer: SummarySealer) -> None:
        self._boxes = _Boxes(sealer, "summary")

    def open(self, entry_id: bytes, sealed: bytes) -> OpenedSummary:
        """What `SummarySealer.seal_summary` sealed for this entry, or SealBroken."""
        return OpenedSummary(self.octets(entry_id, sealed))

    def octets(self, entry_id: bytes, sealed: bytes) -> bytes:
        """The same, not looked into."""
        return self._boxes.open(entry_id, sealed)


class WordsScan:
    """Opens the searchable words of one mailbox and day."""

    def __init__(self, sealer: SummarySealer) -> None:
        self._boxes = _Boxes(sealer, "words")

    def text(self, entry_id: bytes, sealed: bytes) -> str:
        """What `SummarySealer.seal_words` sealed for this entry, or SealBroken."""
        return searchable.text_of(self._open(entry_id, sealed))

    def folded(self, entry_id: bytes, sealed: bytes) -> bytes:
        """The same as a search compares it."""
        return searchable.folded_of(self._open(entry_id, sealed))

    def _open(self, entry_id: bytes, sealed: bytes) -> bytes:
        return decompress(self._boxes.open(entry_id, sealed), searchable.LIMIT)
