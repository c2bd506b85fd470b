"""Sealing and opening: every cryptographic box of the store.

- `seal_to` / `open_with`: HPKE (RFC 9180), ML-KEM-768 + X25519, HKDF-SHA256,
  AES-256-GCM; the library's one-shot mode has no associated data, so the
  context goes into `info`.
- `wrap_kek` / `unwrap_kek`: AES-256-GCM-SIV (RFC 8452) under a day's
  key-encryption key, which wraps many things.
- `wrap` / `unwrap`, `seal_box` / `open_box`: AES-256-GCM, random nonce in front.
- `seal_content` / `open_content`: zstd level 1, then AES-256-GCM in 64 KiB
  chunks with the nonces of age's STREAM (11-octet counter, final flag): nothing
  can be cut off, reordered or appended.

A `context` binds each box to its place; a box moved elsewhere does not open and
raises `SealBroken`, as does any changed octet.
"""

import hmac
import os
import struct
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from archive_store.compression import compress, decompress
from archive_store.errors import SealBroken

KEY_OCTETS = 32
NONCE_OCTETS = 12
TAG_OCTETS = 16
WRAP_OCTETS = NONCE_OCTETS + KEY_OCTETS + TAG_OCTETS
CHUNK_OCTETS = 64 * 1024
_MLKEM_SEED = 64
_MLKEM_PUBLIC = 1184
_VERSION = b"LiveArchive v1"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

PublicKey = hpke.MLKEM768X25519PublicKey
_LENGTH = struct.Struct(">H")
PrivateKey = hpke.MLKEM768X25519PrivateKey


def context(kind: str, *parts: bytes | date) -> bytes:
    """Name a box's place: length-prefixed, so that no two places read alike."""
    fields = [_VERSION, kind.encode()]
    fields += [part if isinstance(part, bytes) else part.isoformat().encode() for part in parts]
    return prefixed(*fields)


def prefixed(*fields: bytes) -> bytes:
    """Each field with its length in front: what `context` goes on with when parts are added."""
    return b"".join([_LENGTH.pack(len(field)) + field for field in fields])


def new_key() -> bytes:
    """A random 256-bit key."""
    return os.urandom(KEY_OCTETS)


def derive(key: bytes, label: str) -> bytes:
    """HKDF-Expand (RFC 5869 section 2.3) of one 32-octet block.

    With a single block the expansion is one HMAC, which costs a tenth of the
    library's object; `key` is uniformly random, so no extract step is needed.
    """
    return hmac.digest(key, b"livearchive/1/" + label.encode() + b"\x01", "sha256")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A hybrid key pair in the octets that we store (the library has no serialiser)."""

    private: bytes  # ML-KEM seed (64) + X25519 scalar (32)
    public: bytes  # ML-KEM public key (1184) + X25519 point (32)

    @classmethod
    def generate(cls) -> "KeyPair":
        """A fresh pair; about a quarter of a millisecond."""
        lattice = mlkem.MLKEM768PrivateKey.generate()
        curve = x25519.X25519PrivateKey.generate()
        return cls(
            lattice.private_bytes_raw() + curve.private_bytes_raw(),
            lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw(),
        )


def public_half(private: bytes) -> bytes:
    """The public octets of a private key's octets."""
    lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(private[:_MLKEM_SEED])
    curve = x25519.X25519PrivateKey.from_private_bytes(private[_MLKEM_SEED:])
    return lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()


def load_public(octets: bytes) -> PublicKey:
    """Read a public key; raises SealBroken for octets that are none."""
    try:
        return PublicKey(
            mlkem.MLKEM768PublicKey.from_public_bytes(octets[:_MLKEM_PUBLIC]),
            x25519.X25519PublicKey.from_public_bytes(octets[_MLKEM_PUBLIC:]),
        )
    except ValueError as error:
        raise SealBroken("not a public key") from error


@lru_cache(maxsize=512)
def _load_private(octets: bytes) -> PrivateKey:
    return PrivateKey(
        mlkem.MLKEM768PrivateKey.from_seed_bytes(octets[:_MLKEM_SEED]),
        x25519.X25519PrivateKey.from_private_bytes(octets[_MLKEM_SEED:]),
    )


def forget_private_keys() -> None:
    """Drop the parsed private keys, so that an expired day is not held in memory."""
    _load_private.cache_clear()


def seal_to(public: PublicKey, plain: bytes, place: bytes) -> bytes:
    """Seal to whoever holds the private half."""
    return _SUITE.encrypt(plain, public, info=place)


def open_with(private: bytes, sealed: bytes, place: bytes) -> bytes:
    """Open what `seal_to` made for the same place."""
    try:
        return _SUITE.decrypt(sealed, _load_private(private), info=place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed key does not open") from error


def wrap_kek(kek: bytes, plain: bytes, place: bytes) -> bytes:
    """Wrap under a day's key-encryption key."""
    nonce = os.urandom(NONCE_OCTETS)
    return nonce + AESGCMSIV(kek).encrypt(nonce, plain, place)


def unwrap_kek(kek: bytes, wrapped: bytes, place: bytes) -> bytes:
    """Undo `wrap_kek`."""
    try:
        return AESGCMSIV(kek).decrypt(wrapped[:NONCE_OCTETS], wrapped[NONCE_OCTETS:], place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a wrapped key does not open") from error


def seal_box(cipher: AESGCM, plain: bytes, place: bytes) -> bytes:
    """Seal a small thing under a key that seals fewer than 2^32 of them."""
    nonce = os.urandom(NONCE_OCTETS)
    return nonce + cipher.encrypt(nonce, plain, place)


def open_box(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Undo `seal_box`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_OCTETS], sealed[NONCE_OCTETS:], place)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a sealed box does not open") from error


def pad(plain: bytes, step: int) -> bytes:
    """Add a length and fill up to a multiple of `step`, so that sizes say less."""
    framed = struct.pack(">I", len(plain)) + plain
    return framed + bytes(-len(framed) % step)


def unpad(padded: bytes) -> bytes:
    """Undo `pad`."""
    (length,) = struct.unpack_from(">I", padded)
    return padded[4 : 4 + length]


def seal_content(key: bytes, octets: bytes, place: bytes) -> bytes:
    """Compress and seal a whole message under its content key."""
    cipher = AESGCM(derive(key, "content"))
    packed = memoryview(compress(octets))
    chunks = range(0, max(len(packed), 1), CHUNK_OCTETS)
    last = len(chunks) - 1
    return b"".join(
        cipher.encrypt(_stream_nonce(number, number == last), packed[at : at + CHUNK_OCTETS], place)
        for number, at in enumerate(chunks)
    )


def open_content(key: bytes, sealed: bytes, place: bytes, size: int) -> bytes:
    """Open and decompress a message of `size` octets; nothing unverified gets out."""
    cipher = AESGCM(derive(key, "content"))
    step = CHUNK_OCTETS + TAG_OCTETS
    view = memoryview(sealed)
    chunks = range(0, len(view), step)
    last = len(chunks) - 1
    try:
        packed = b"".join(
            cipher.decrypt(_stream_nonce(number, number == last), view[at : at + step], place)
            for number, at in enumerate(chunks)
        )
    except (InvalidTag, ValueError) as error:
        raise SealBroken("a message does not open") from error
    octets = decompress(packed, size)
    if len(octets) != size:
        raise SealBroken("a message has another size than its index row says")
    return octets


def _stream_nonce(counter: int, final: bool) -> bytes:
    return counter.to_bytes(11, "big") + (b"\x01" if final else b"\x00")
