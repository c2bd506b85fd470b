"""The mark on a Sent copy that goes by SMTP, so that it makes no second entry here.

A primary may hand everything that it takes to LiveArchive, its people's own copies too. A copy
has a field with a signature over whose mailbox it is for and over its body, canonicalised as in
RFC 6376 section 3.4.4. It is made with the key that the deliver role signs receipts with, and
everybody has its public half. Whoever has seen a copy can only have the same copy skipped.

The copy says `Auto-Submitted` (RFC 3834), so that no program answers it.
"""

import base64
import binascii
import contextlib
import hashlib
from collections.abc import Iterable, Iterator

from app.delivery.dkim import relaxed_body
from archive_store.address import EmailAddress
from archive_store.directory import PublicKeys
from archive_store.receipts import ReceiptBook, ReceiptKey
from archive_store.seal import context

FIELD = b"X-LiveArchive-Copy"
AUTO = b"Auto-Submitted: auto-generated\r\n"
SIGNER = "deliver"
_END = b"\r\n\r\n"


class Marker:
    """Puts the mark on top of copies."""

    def __init__(self, installation: bytes, key: ReceiptKey) -> None:
        self._installation = installation
        self._key = key

    def marked(self, octets: bytes, address: EmailAddress) -> bytes:
        """A copy of a mail for the mailbox of an address; the mail itself is as it was."""
        [signature] = self._key.sign([_said(self._installation, octets, address)])
        return FIELD + b": " + base64.b64encode(signature) + b"\r\n" + AUTO + octets


class Marks:
    """Knows the mark again."""

    def __init__(self, public: PublicKeys) -> None:
        self._installation = public.installation
        self._book = ReceiptBook(public.receipts)

    def is_ours(self, octets: bytes, address: EmailAddress) -> bool:
        """Whether this is a copy of what the owner of this address has sent from here."""
        end = octets.find(_END)
        # Nearly no mail has the field: one look tells, and copies nothing.
        if octets.find(FIELD, 0, end) < 0:
            return False
        said = _said(self._installation, octets, address)
        return any(
            self._book.genuine(signature, said) == SIGNER
            for signature in _signatures(octets[:end].split(b"\r\n"))
        )


def _signatures(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        name, _, value = line.partition(b":")
        if name == FIELD:
            with contextlib.suppress(binascii.Error):
                yield base64.b64decode(value.strip(), validate=True)


def _said(installation: bytes, octets: bytes, address: EmailAddress) -> bytes:
    body = relaxed_body(octets.partition(_END)[2])
    owner, digest = address.key.encode(), hashlib.sha256(body).digest()
    return context("sent-copy", installation, owner, digest)
