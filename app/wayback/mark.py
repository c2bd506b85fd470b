"""The mark on a Sent copy that goes by SMTP, so that it makes no second entry here.

A primary may hand everything that it takes to LiveArchive, its people's own copies too. A copy
has a field with the digest of its body, and a signature over that, over whose mailbox it is for,
and over its Message-ID, From and Date; all canonicalised as in RFC 6376 section 3.4. It is made
with the key that the deliver role signs receipts with, and everybody has its public half. Whoever
has seen a copy can only have the same copy skipped.

Strangers may write such a field, too, so a look at it is cheap: a few checks of a signature over a
header of ordinary size, and no mail for many people. Only a genuine mark has the body looked at.

The copy says `Auto-Submitted` (RFC 3834), so that no program answers it.
"""

import base64
import binascii
import contextlib
import hashlib
from collections.abc import Sequence

from app.delivery.dkim import relaxed_body, relaxed_fields
from archive_store.address import EmailAddress
from archive_store.directory import PublicKeys
from archive_store.receipts import ReceiptBook, ReceiptKey
from archive_store.seal import context

FIELD = b"X-LiveArchive-Copy"
AUTO = b"Auto-Submitted: auto-generated\r\n"
SIGNER = "deliver"
SIGNATURE_OCTETS = 64
DIGEST_OCTETS = 32
COVERED = frozenset({b"message-id", b"from", b"date"})
LARGEST_HEADER = 256 * 1024  # of what people send from here
MOST_RECIPIENTS = 20  # a copy goes to one mailbox, and a server adds few when it sends it on
_END = b"\r\n\r\n"


class Marker:
    """Puts the mark on top of copies."""

    def __init__(self, installation: bytes, key: ReceiptKey) -> None:
        self._installation = installation
        self._key = key

    def marked(self, octets: bytes, address: EmailAddress) -> bytes:
        """A copy of a mail for the mailbox of an address; the mail itself is as it was."""
        head, _, body = octets.partition(_END)
        digest = _digest(body)
        [signature] = self._key.sign([_said(self._installation, address.key, head, digest)])
        return FIELD + b": " + base64.b64encode(signature + digest) + b"\r\n" + AUTO + octets


class Marks:
    """Knows the mark again."""

    def __init__(self, public: PublicKeys) -> None:
        self._installation = public.installation
        self._book = ReceiptBook(public.receipts)

    def owner(self, octets: bytes, recipients: Sequence[EmailAddress]) -> EmailAddress | None:
        """Which of its recipients has sent from here what this is a copy of; None: nobody."""
        end = octets.find(_END)
        # Nearly no mail has the field: one look tells, and copies nothing.
        if octets.find(FIELD, 0, end) < 0 or end > LARGEST_HEADER:
            return None
        head = octets[:end]
        mark = _mark(head)
        unlike = {address.key: address for address in recipients}
        if mark is None or len(unlike) > MOST_RECIPIENTS:
            return None
        signature, digest = mark[:SIGNATURE_OCTETS], mark[SIGNATURE_OCTETS:]
        for key, address in unlike.items():
            said = _said(self._installation, key, head, digest)
            if self._book.genuine(signature, said) == SIGNER:
                return address if _digest(octets[end + len(_END) :]) == digest else None
        return None


def _mark(head: bytes) -> bytes | None:
    """Signature and digest of the first field; a copy has one, and nothing else in it."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == FIELD:
            with contextlib.suppress(binascii.Error):
                mark = base64.b64decode(value.strip(), validate=True)
                return mark if len(mark) == SIGNATURE_OCTETS + DIGEST_OCTETS else None
            return None
    return None


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(relaxed_body(body)).digest()


def _said(installation: bytes, owner: str, head: bytes, digest: bytes) -> bytes:
    covered = hashlib.sha256(relaxed_fields(head + b"\r\n", COVERED)).digest()
    return context("sent-copy", installation, owner.encode(), covered, digest)
