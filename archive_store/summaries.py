"""Sealed summaries and words: what listing and searching open instead of the mail.

Both are sealed under the summary key of their mailbox and day, each with its
own derived key, and padded to steps, so that a row's size says little.
"""

from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive_store import seal
from archive_store.compression import compress, decompress
from archive_store.directory import Owner
from archive_store.mime import searchable

SUMMARY_STEP = 256
WORDS_STEP = 1024


@dataclass(frozen=True, slots=True)
class SummarySealer:
    """Seals and opens the summaries of one mailbox and day."""

    installation: bytes
    owner: Owner
    day: date
    key: bytes

    def seal_summary(self, entry_id: bytes, summary: bytes) -> bytes:
        """Seal a summary's octets for its entry."""
        cipher = AESGCM(seal.derive(self.key, "summary"))
        return seal.seal_box(cipher, seal.pad(summary, SUMMARY_STEP), self._place(entry_id))

    def open_summary(self, entry_id: bytes, sealed: bytes) -> bytes:
        """Undo `seal_summary`."""
        key = seal.derive(self.key, "summary")
        return seal.unpad(seal.open_box(key, sealed, self._place(entry_id)))

    def seal_words(self, entry_id: bytes, words: str) -> bytes:
        """Compress and seal the searchable text, folded as well (`mime.searchable`)."""
        cipher = AESGCM(seal.derive(self.key, "words"))
        packed = compress(searchable.to_octets(words))
        return seal.seal_box(cipher, seal.pad(packed, WORDS_STEP), self._place(entry_id))

    def open_words(self, entry_id: bytes, sealed: bytes) -> str:
        """Undo `seal_words`."""
        key = seal.derive(self.key, "words")
        packed = seal.unpad(seal.open_box(key, sealed, self._place(entry_id)))
        return searchable.text_of(decompress(packed, searchable.LIMIT))

    def _place(self, entry_id: bytes) -> bytes:
        return self.owner.place(self.installation, "index", self.day, entry_id)
