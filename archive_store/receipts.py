"""Receipts: a writer signs what it stored, so that a reader can tell who sealed it.

HPKE's base mode says nothing of the sender: anyone with the public key can
seal. A receipt covers the message's place, the SHA-256 of its sealed octets,
its size and its arrival time; without a valid one a reader shows "not received
by this service".

What is stored together is signed together, since a signature costs as much as
sealing a small mail: one Ed25519 over the root of a hash tree (as in RFC 6962
section 2.1, leaves and nodes told apart by their first octet). A receipt is

    signature 64 | for each step from its leaf to the root: side 1 | hash 32

where the side says whether the other hash stands to the left (0) or right (1).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from archive_store.durable import replace_file
from archive_store.errors import KeyringError
from archive_store.seal import context

WRITERS = ("ingest", "web", "deliver")
_SIGNATURE_OCTETS = 64
_STEP_OCTETS = 33
_LEFT, _RIGHT = b"\x00", b"\x01"
_KNOWN_ROOTS = 1024


def statement(place: bytes, sealed: bytes, size: int, received_at: datetime) -> bytes:
    """What a receipt says of a message."""
    return b"".join(
        (
            context("receipt", place),
            hashlib.sha256(sealed).digest(),
            size.to_bytes(8, "big"),
            received_at.isoformat().encode(),
        )
    )


class ReceiptKey:
    """A writer's signing key, a file of its own beside the public keys."""

    def __init__(self, writer: str, key: Ed25519PrivateKey) -> None:
        self.writer = writer
        self.key = key

    @classmethod
    def load(cls, keys_dir: Path, writer: str) -> "ReceiptKey":
        """Read `receipt-WRITER.key`."""
        path = keys_dir / f"receipt-{writer}.key"
        try:
            return cls(writer, Ed25519PrivateKey.from_private_bytes(path.read_bytes()))
        except FileNotFoundError:
            raise KeyringError(
                f"no {path}: put it back from a backup; in a new data folder run `livearchive init`"
            ) from None
        except OSError as error:
            raise KeyringError(f"cannot read {path}: {error.strerror}") from error
        except ValueError as error:
            raise KeyringError(f"{path} is not a receipt key") from error

    @classmethod
    def create(cls, keys_dir: Path, writer: str) -> "ReceiptKey":
        """Make a new key and keep it, mode 0400."""
        key = Ed25519PrivateKey.generate()
        replace_file(keys_dir / f"receipt-{writer}.key", key.private_bytes_raw(), mode=0o400)
        return cls(writer, key)

    def sign(self, statements: Sequence[bytes]) -> list[bytes]:
        """A receipt for each statement about octets that are to be stored together."""
        if not statements:
            return []
        root, ways = _tree([_leaf(each) for each in statements])
        signature = self.key.sign(_signed(root))
        return [signature + way for way in ways]


class ReceiptBook:
    """The writers' public keys; built once, since loading one costs more than a check."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {
            name: Ed25519PublicKey.from_public_bytes(octets) for name, octets in keys.items()
        }
        # Who signed a root: neighbours share theirs.
        self._known: dict[tuple[bytes, bytes], str] = {}

    def genuine(self, receipt: bytes, said: bytes) -> str | None:
        """The writer that signed this receipt for a statement; None when nobody of ours did."""
        signature, way = receipt[:_SIGNATURE_OCTETS], receipt[_SIGNATURE_OCTETS:]
        if len(way) % _STEP_OCTETS or way[::_STEP_OCTETS].strip(_LEFT + _RIGHT):
            return None
        root = _root(_leaf(said), way)
        writer = self._known.get((signature, root)) or self._signer(signature, root)
        if writer is not None:
            if len(self._known) >= _KNOWN_ROOTS:
                self._known.clear()
            self._known[signature, root] = writer
        return writer

    def _signer(self, signature: bytes, root: bytes) -> str | None:
        for name, key in self._keys.items():
            try:
                key.verify(signature, _signed(root))
            except InvalidSignature:
                continue
            return name
        return None


def _signed(root: bytes) -> bytes:
    return context("receipts", root)


def _leaf(said: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + said).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _tree(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """The root, and for each leaf the way to it. Who has no neighbour moves up as it is."""
    ways = [b""] * len(leaves)
    level = [(leaf, [number]) for number, leaf in enumerate(leaves)]
    while len(level) > 1:
        above = []
        for (left, under_left), (right, under_right) in zip(level[::2], level[1::2], strict=False):
            for number in under_left:
                ways[number] += _RIGHT + right
            for number in under_right:
                ways[number] += _LEFT + left
            above.append((_node(left, right), under_left + under_right))
        level = above + level[len(above) * 2 :]
    return level[0][0], ways


def _root(leaf: bytes, way: bytes) -> bytes:
    reached = leaf
    for at in range(0, len(way), _STEP_OCTETS):
        side, other = way[at : at + 1], way[at + 1 : at + _STEP_OCTETS]
        reached = _node(other, reached) if side == _LEFT else _node(reached, other)
    return reached
