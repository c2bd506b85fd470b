"""A second reader: opens a segment by docs/store-format.md alone, with none of our code."""

import base64
import hmac
import json
import struct
import zlib
from collections.abc import Iterator

from backports import zstd
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from tests.archive_store.conftest import World  # makes the segment, and reads nothing of it

MAIL = b"Subject: read twice\r\n\r\n" + bytes(range(256)) * 700
SLOT = 109
SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def context(kind: str, *fields: bytes) -> bytes:
    every = (b"LiveArchive v1", kind.encode(), *fields)
    return b"".join(struct.pack(">H", len(field)) + field for field in every)


def derived(key: bytes, label: str) -> bytes:
    return hmac.digest(key, b"livearchive/1/" + label.encode() + b"\x01", "sha256")


def unboxed(cipher: AESGCM | AESGCMSIV, box: bytes, place: bytes) -> bytes:
    return cipher.decrypt(box[:12], box[12:], place)


def field(body: bytes, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">I", body, at)
    return body[at + 4 : at + 4 + length], at + 4 + length


def frames(segment: bytes) -> Iterator[tuple[int, list[bytes], bytes]]:
    at = 0
    while at < len(segment):
        magic, kind, count, length, checksum = struct.unpack_from(">4sBHQI", segment, at)
        slots_at, at = at + 19, at + 19 + count * SLOT + length
        body = segment[at - length : at]
        assert (magic, zlib.crc32(body)) == (b"LAF1", checksum)
        yield kind, [segment[slots_at + n * SLOT :][:SLOT] for n in range(count)], body


class Reader:
    """Keys from a keyring's file and the key frames of a segment."""

    def __init__(self, keyring: bytes) -> None:
        found = json.loads(keyring)
        self.installation, self.days = bytes.fromhex(found["installation"]), found["days"]
        self.writer: dict[bytes, tuple[tuple[bytes, ...], bytes]] = {}
        self.names: list[str] = []

    def learn(self, body: bytes) -> None:
        parts, at = [], 0
        while at < len(body):
            part, at = field(body, at)
            parts.append(part)
        _, series, tenant, owner, day, _, _, private, _, writer_id, sealed, name = parts
        kek = base64.b64decode(self.days[series.decode()][day.decode()])
        place = (self.installation, series, tenant, owner, day)
        pair = unboxed(AESGCMSIV(kek), private, context("day-key", *place))
        key = hpke.MLKEM768X25519PrivateKey(
            mlkem.MLKEM768PrivateKey.from_seed_bytes(pair[:64]),
            x25519.X25519PrivateKey.from_private_bytes(pair[64:]),
        )
        opened = SUITE.decrypt(sealed, key, info=context("writer-key", *place, writer_id))
        self.writer[writer_id] = place, opened
        if name:
            padded = unboxed(AESGCM(opened), name, context("owner-name", *place, writer_id))
            self.names.append(field(padded, 0)[0].decode())

    def read(
        self, slots: list[bytes], body: bytes
    ) -> Iterator[tuple[bytes, dict[str, str], bytes]]:
        message, tenant, _, size = struct.unpack_from(">16s16sqQ", body)
        _, at = field(body, 48)
        envelopes = []
        for _ in slots:
            envelope, at = field(body, at)
            envelopes.append(envelope)
        for slot, sealed in zip(slots, envelopes, strict=True):
            kind, slot_id, _, writer_id, wrap = struct.unpack(">c16s16s16s60s", slot)
            place, writer = self.writer[writer_id]
            here = (*place, message, slot_id)
            key = unboxed(AESGCM(writer), wrap, context("wrap", *here))
            outer = derived(key, "queue") if kind in (b"Q", b"O", b"L") else key
            cipher = AESGCM(derived(outer, "envelope"))
            padded = unboxed(cipher, sealed, context("envelope", *here))
            octets = self.content(key, body[at:], context("content", place[0], tenant, message))
            assert len(octets) == size
            yield kind, json.loads(field(padded, 0)[0]), octets

    def content(self, key: bytes, sealed: bytes, place: bytes) -> bytes:
        cipher, step = AESGCM(derived(key, "content")), 64 * 1024 + 16
        chunks = [sealed[at : at + step] for at in range(0, len(sealed), step)]
        packed = b""
        for number, chunk in enumerate(chunks):
            nonce = number.to_bytes(11, "big") + bytes([number == len(chunks) - 1])
            packed += cipher.decrypt(nonce, chunk, place)
        return zstd.decompress(packed)


def test_a_segment_opens_by_its_specification_alone(world: World) -> None:
    world.store(world.mail(MAIL, world.mailbox(), relay=True))
    [day] = world.segments.days()
    [name] = world.segments.names(day)
    reader, found = Reader(world.keyring.to_json()), []
    for kind, slots, body in frames(b"".join(world.segments.take_out(day, name))):
        if kind == 2:
            reader.learn(body)
        else:
            found += list(reader.read(slots, body))
    assert reader.names == ["vlad@acme.example"]
    assert [(kind, octets) for kind, _, octets in found] == [(b"E", MAIL), (b"Q", MAIL)]
    assert {envelope["rcpt_to"] for _, envelope, _ in found} == {"vlad@acme.example"}
