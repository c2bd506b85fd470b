"""The private halves of DKIM keys: made here, sealed in the database, and opened for a signature.

The key that seals them is derived from the keyring, so that neither the database nor a backup
of it can sign. What leaves is the key of a domain of which mail waits to go out, to the deliver
role alone; it forgets it with the mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import select

from app import audit
from app.accounts.dkim import Algorithm
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import DkimKey, Domain, QueueItem
from app.viewer import Actor
from archive_store import seal
from archive_store.errors import KeysMissing, NotFound, SealBroken

OUTGOING, UNDELIVERED = "outgoing", ("queued", "leased", "held")
_RSA_BITS = 2048  # what every verifier takes, and a record of two strings holds
_RSA_EXPONENT = 65537
_LABEL = "dkim"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs. `private`: PKCS #8 in DER."""

    selector: str
    algorithm: Algorithm
    private: bytes


class OperatorDkim:
    """The verb of the admin socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def make_dkim_keys(self, operator: str, domain_id: bytes, name: str) -> None:
        """Make a pair of keys for a domain; keys of that name that are there already stay."""
        pairs = {algorithm: _new_pair(algorithm) for algorithm in Algorithm}
        with self._agent.lock, self._agent.db.write() as tx:
            domain = tx.get(Domain, domain_id)
            if domain is None:
                raise NotFound("no such domain")
            if name in {key.name for key in domain.dkim_keys}:
                return
            kek, now = self._agent.keyring.secrets_key(_LABEL), self._agent.now()
            for algorithm, (private, public) in pairs.items():
                selector = algorithm.selector(name)
                sealed = seal.wrap_kek(kek, private, _place(domain_id, selector))
                key = DkimKey(domain_id=domain_id, selector=selector, name=name, public=public)
                key.algorithm, key.sealed, key.created_at = algorithm, sealed, now
                tx.add(key)
            event = events.DkimKeysMade(domain=domain.name, selector=name)
            actor = Actor.command_line(operator)
            audit.record(tx, event, trail=domain_id, actor=actor, at=now)


class DeliverDkim:
    """The verb of the deliver role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def open_dkim(self, item_ids: Sequence[bytes]) -> dict[bytes, list[SigningKey]]:
        """The keys that sign, by domain, of mail that waits to go out.

        A domain that signs and none of whose keys opens has an empty list.
        """
        waits = QueueItem.id.in_(item_ids), QueueItem.state.in_(UNDELIVERED)
        wanted = (
            select(Domain)
            .join(QueueItem, QueueItem.domain_id == Domain.id)
            .where(*waits, QueueItem.kind == OUTGOING, Domain.dkim != "")
        )
        with self._agent.lock, self._agent.db.read() as tx:
            return {domain.id: self._opened(domain) for domain in tx.scalars(wanted).unique()}

    def _opened(self, domain: Domain) -> list[SigningKey]:
        found = []
        for key in domain.dkim_keys:
            if key.name != domain.dkim:
                continue
            try:
                kek = self._agent.keyring.secrets_key(_LABEL)
                private = seal.unwrap_kek(kek, key.sealed, _place(domain.id, key.selector))
            except (KeysMissing, SealBroken):
                continue  # it was sealed under a keyring that is lost
            found.append(SigningKey(key.selector, Algorithm(key.algorithm), private))
        return found


def _place(domain_id: bytes, selector: str) -> bytes:
    return seal.context("dkim", domain_id, selector.encode())


def _new_pair(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """The private half in PKCS #8, and the public one as `p=` has it."""
    if algorithm is Algorithm.ED25519:
        curve = Ed25519PrivateKey.generate()
        # RFC 8463 section 4: the octets themselves, without the structure around them.
        return _pkcs8(curve), curve.public_key().public_bytes_raw()
    key = generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return _pkcs8(key), public


def _pkcs8(key: Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
