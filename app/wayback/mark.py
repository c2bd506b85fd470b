"""The mark on a Sent copy that goes by SMTP, so that it makes no second entry here.

A primary may hand everything that it takes to LiveArchive, its people's own copies too. A copy
has a field with a signature over whose mailbox it is for and over its body, canonicalised as in
RFC 6376 section 3.4.4. It is made with the key that the deliver role signs receipts with, and
everybody has its public half. Whoever has seen a copy can only have the same copy skipped.

Strangers may write such a field, too, so a look at it is cheap: one signature, one digest of the
body, and no mail for many people.

The copy says `Auto-Submitted` (RFC 3834), so that no program answers it.
"""

import base64
import binascii
import contextlib
import hashlib
from collections.abc import Sequence

from app.delivery.dkim import relaxed_body
from archive_store.address import EmailAddress
from archive_store.directory import PublicKeys
from archive_store.receipts import ReceiptBook, ReceiptKey
from archive_store.seal import context

FIELD = b"X-LiveArchive-Copy"
AUTO = b"Auto-Submitted: auto-generated\r\n"
SIGNER = "deliver"
SIGNATURE_OCTETS = 64
MOST_RECIPIENTS = 20  # a copy goes to one mailbox, and a server adds few when it sends it on
_END = b"\r\n\r\n"


class Marker:
    """Puts the mark on top of copies."""

    def __init__(self, installation: bytes, key: ReceiptKey) -> None:
        self._installation = installation
        self._key = key

    def marked(self, octets: bytes, address: EmailAddress) -> bytes:
        """A copy of a mail for the mailbox of an address; the mail itself is as it was."""
        [signature] = self._key.sign([_said(self._installation, address.key, _digest(octets))])
        return FIELD + b": " + base64.b64encode(signature) + b"\r\n" + AUTO + octets


class Marks:
    """Knows the mark again."""

    def __init__(self, public: PublicKeys) -> None:
        self._installation = public.installation
        self._book = ReceiptBook(public.receipts)

    def owner(self, octets: bytes, recipients: Sequence[EmailAddress]) -> EmailAddress | None:
        """Which of its recipients has sent from here what this is a copy of; None: nobody."""
        end = octets.find(_END)
        # Nearly no mail has the field: one look tells, and copies nothing.
        if octets.find(FIELD, 0, end) < 0:
            return None
        signature = _signature(octets[:end])
        unlike = {address.key: address for address in recipients}
        if signature is None or len(unlike) > MOST_RECIPIENTS:
            return None
        digest = _digest(octets)
        for key, address in unlike.items():
            if self._book.genuine(signature, _said(self._installation, key, digest)) == SIGNER:
                return address
        return None


def _signature(head: bytes) -> bytes | None:
    """That of the first field; a copy has one, and nothing in it but a signature."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == FIELD:
            with contextlib.suppress(binascii.Error):
                signature = base64.b64decode(value.strip(), validate=True)
                return signature if len(signature) == SIGNATURE_OCTETS else None
            return None
    return None


def _digest(octets: bytes) -> bytes:
    return hashlib.sha256(relaxed_body(octets.partition(_END)[2])).digest()


def _said(installation: bytes, owner: str, digest: bytes) -> bytes:
    return context("sent-copy", installation, owner.encode(), digest)
