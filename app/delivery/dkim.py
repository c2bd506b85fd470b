"""DKIM signatures (RFC 6376, RFC 8463) on what our people send, made just before it is handed over.

Header and body are canonicalised `relaxed`, the body is covered whole, and From is named twice, so
that no second one can be added. Fields that a mail does not have are named too: nobody can add
them afterwards. `d=` is the domain in A-labels, which also an internationalized mail may have
(RFC 8616 section 5). A mail has a signature of each key of the pair that signs.

dkimpy would do the same, but signs RSA in plain Python and needs a second crypto library for
Ed25519; it judges our signatures in the tests.
"""

import base64
import hashlib
import logging
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key

from app.audit import alarms, events
from app.delivery.queue import OUTGOING, Claim
from app.keys.dkim import SigningKey
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.ids import show
from smtp_ingest.newlines import normalized

log = logging.getLogger(__name__)
SIGNED = (
    *("from", "from", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("mime-version", "content-type", "content-transfer-encoding"),
)
_FIELD = re.compile(rb"^([!-9;-~]+)[\t ]*:([^\r\n]*(?:\r\n[\t ][^\r\n]*)*)\r\n", re.MULTILINE)
_BLANKS = re.compile(rb"[\t ]{2,}|\t")  # a single space is one already
_CHUNK = 72  # characters of a signature on a line


class SigningKeys(Protocol):
    """The keys role, as far as signing goes."""

    def open_dkim(self, item_ids: Sequence[bytes], /) -> Mapping[bytes, Sequence[SigningKey]]:
        """Keys by domain, for those that sign; none when they do not open. Raises StoreError."""


class Signer:
    """Signs what goes to the outside. It keeps no key. Safe to share between threads."""

    def __init__(
        self, db: Database, keys: SigningKeys, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db = db
        self._keys = keys
        self._now = now

    def signed(self, claim: Claim, octets: bytes) -> bytes:
        """The mail with its signatures on top, or as it is where its domain does not sign.

        StoreError: the keys role is away, and the mail waits. Keys that do not open will not
        open later either: then the mail goes unsigned, and an alarm says so.
        """
        domain = claim.domain
        if claim.kind != OUTGOING or not domain.dkim:
            return octets
        keys = self._keys.open_dkim(claim.item_ids).get(domain.id)
        if keys is None:  # switched off in this very moment
            return octets
        mail = normalized(octets)  # as it goes on the wire
        found = [signature(mail, domain.name, key, self._now()) for key in keys]
        if not found:
            log.warning("message %s goes out unsigned", show(claim.message_id))
            event = events.MailUnsigned(domain=domain.name)
            alarms.raise_alarm(self._db, event, "deliver", self._now())
        return b"".join(found) + mail


def signature(octets: bytes, domain: str, key: SigningKey, now: datetime) -> bytes:
    """The DKIM-Signature field of a mail with CR LF line ends."""
    header, _, body = octets.partition(b"\r\n\r\n")
    body_hash = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
    lines = (
        f"v=1; a={key.algorithm}-sha256; c=relaxed/relaxed; d={domain};",
        f"s={key.selector}; t={int(now.timestamp())};",
        f"h={':'.join(SIGNED[:6])}:",
        f" {':'.join(SIGNED[6:])};",
        f"bh={body_hash};",
        "b=",
    )
    unsigned = b"DKIM-Signature: " + "\r\n\t".join(lines).encode()
    fields = [*_signed_fields(header + b"\r\n"), *_fields(unsigned + b"\r\n")]
    text = b"".join(_relaxed(*field) for field in fields).removesuffix(b"\r\n")
    made = base64.b64encode(_sign(key, text))
    cuts = range(0, len(made), _CHUNK)
    return unsigned + b"\r\n\t".join(made[at : at + _CHUNK] for at in cuts) + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4."""
    body = _BLANKS.sub(b" ", body).replace(b" \r\n", b"\r\n").rstrip(b" \r\n")
    return body + b"\r\n" if body else b""


def relaxed_fields(header: bytes, names: Collection[bytes]) -> bytes:
    """Every field of a header with one of the names (in lower case), as it comes (3.4.2)."""
    found = (one for one in _fields(header) if one[0].lower() in names)
    return b"".join(_relaxed(name, value) for name, value in found)


def _signed_fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The fields that SIGNED names; of several with one name the last comes first (5.4.2)."""
    fields = list(_fields(header))
    for name in SIGNED:
        places = [at for at, field in enumerate(fields) if field[0].lower() == name.encode()]
        if places:
            yield fields.pop(places[-1])


def _fields(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((found[1], found[2]) for found in _FIELD.finditer(header))


def _relaxed(name: bytes, value: bytes) -> bytes:
    """RFC 6376 section 3.4.2."""
    value = _BLANKS.sub(b" ", value.replace(b"\r\n", b""))
    return name.lower() + b":" + value.strip(b" ") + b"\r\n"


def _sign(key: SigningKey, text: bytes) -> bytes:
    private = load_der_private_key(key.private, None)
    if isinstance(private, Ed25519PrivateKey):
        return private.sign(hashlib.sha256(text).digest())  # RFC 8463 section 3
    if isinstance(private, RSAPrivateKey):
        return private.sign(text, PKCS1v15(), SHA256())
    raise TypeError("a key of another kind")
