"""Proving an exported audit trail without a server: the file and the public key suffice.

`verify` reads the file once and raises `ExportBroken` with the line and the reason at the
first thing that is wrong: an entry changed, added, removed, repeated, out of order or
written in another spelling, a cut file, a signature of another key. What it cannot know
is whether the installation itself signed everything that happened: compare the head with
an earlier export, which must be a part of the later one.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.audit.canonical import (
    HASH_OCTETS,
    AuditEntry,
    NotCanonical,
    decode,
    decode_json,
    encode_json,
    entry_hash,
    genesis,
    read_time,
)
from app.audit.export import FORMAT, PUBLIC_KEY_OCTETS, SIGNATURE_OCTETS, signed_octets
from archive_store import ids

_LONGEST_LINE = 128 * 1024
_HEADER = {
    "format", "installation", "trail", "domain", "from", "to", "exported_at", "first", "prev",
    "public_key",
}  # fmt: skip
_LINE = {"seq", "prev", "hash", "octets"}
_FOOTER = {"count", "last", "head", "signature"}


class ExportBroken(Exception):
    """The file does not prove what it says; `line` (from 1) is where it first fails."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a file."""

    installation: bytes
    trail: bytes
    domain: str
    since: datetime | None
    until: datetime | None
    exported_at: datetime
    first: int
    prev: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a file proves. `pinned`: the caller brought the key, so it is the right one."""

    header: Header
    count: int
    last: int
    head: bytes
    pinned: bool


def verify(
    file: BinaryIO,
    public_key: bytes | None = None,
    on_entry: Callable[[AuditEntry], None] | None = None,
) -> Proof:
    """Prove a file. Without `public_key` the one in the file is used: then the file is proved
    to be whole, and its maker is whoever holds that key. `on_entry` sees each entry that
    follows rightly, before the signature at the end is known to be good.
    """
    lines = _lines(file)
    header_line = next(lines, None)
    if header_line is None:
        raise ExportBroken(1, "the file is empty")
    header = _read_header(header_line)
    if public_key is not None and not hmac.compare_digest(public_key, header.public_key):
        raise ExportBroken(1, "the file names another public key than the one given")
    expected, head = header.first, header.prev
    number = 1
    for number, line in enumerate(lines, 2):
        content = _object(number, line)
        if "signature" in content:
            proof = _read_footer(number, content, header, header_line, (expected, head))
            if next(lines, None) is not None:
                raise ExportBroken(number + 1, "something stands after the signature")
            return Proof(header=header, pinned=public_key is not None, **proof)
        entry, head = _read_entry(number, content, header.trail, expected, head)
        expected += 1
        if on_entry:
            on_entry(entry)
    raise ExportBroken(number + 1, "the file is cut: its signature is missing")


def _lines(file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n"):
            raise ExportBroken(number, "the line is cut or too long")
        yield line[:-1]


def _object(number: int, line: bytes) -> dict[str, Any]:
    try:
        return decode_json(line)
    except NotCanonical as error:
        raise ExportBroken(number, f"the line {error}") from error


def _read_header(line: bytes) -> Header:
    content = _object(1, line)
    if content.get("format") != FORMAT:
        raise ExportBroken(1, f"not an audit export ({FORMAT})")
    if content.keys() != _HEADER:
        raise ExportBroken(1, "the header has other keys")
    try:
        header = Header(
            installation=ids.read(content["installation"]),
            trail=ids.read(content["trail"]),
            domain=str(content["domain"]),
            since=_time(content["from"]),
            until=_time(content["to"]),
            exported_at=read_time(content["exported_at"]),
            first=_number(content["first"]),
            prev=_octets(content["prev"], HASH_OCTETS),
            public_key=_octets(content["public_key"], PUBLIC_KEY_OCTETS),
        )
    except (ValueError, TypeError) as error:
        raise ExportBroken(1, "the header has a value of the wrong form") from error
    if header.first < 1 or (header.first == 1 and header.prev != genesis(header.trail)):
        raise ExportBroken(1, "the header does not begin the trail it names")
    return header


def _read_entry(
    number: int, content: dict[str, Any], trail: bytes, expected: int, head: bytes
) -> tuple[AuditEntry, bytes]:
    if content.keys() != _LINE:
        raise ExportBroken(number, "the line has other keys")
    if content["seq"] != expected or isinstance(content["seq"], bool):
        raise ExportBroken(number, f"entry {expected} is missing here")
    try:
        octets = base64.b64decode(content["octets"], validate=True)
        if base64.b64encode(octets).decode("ascii") != content["octets"]:
            raise ExportBroken(number, "the octets are written in another spelling")
        prev = _octets(content["prev"], HASH_OCTETS)
        stated = _octets(content["hash"], HASH_OCTETS)
        entry = decode(octets)
    except NotCanonical as error:
        raise ExportBroken(number, f"entry {expected} {error}") from error
    except (ValueError, TypeError) as error:
        raise ExportBroken(number, "the line has a value of the wrong form") from error
    if (entry.trail, entry.seq) != (trail, expected):
        raise ExportBroken(number, f"entry {expected} belongs elsewhere")
    if not prev == entry.prev == head:
        raise ExportBroken(number, f"entry {expected} does not follow the entry before")
    if entry_hash(octets) != stated:
        raise ExportBroken(number, f"entry {expected} was changed")
    return entry, stated


def _read_footer(
    number: int,
    content: dict[str, Any],
    header: Header,
    header_line: bytes,
    reached: tuple[int, bytes],
) -> dict[str, Any]:
    if content.keys() != _FOOTER:
        raise ExportBroken(number, "the footer has other keys")
    expected, head = reached
    try:
        count, last = _number(content["count"]), _number(content["last"])
        stated = _octets(content["head"], HASH_OCTETS)
        signature = _octets(content.pop("signature"), SIGNATURE_OCTETS)
    except (ValueError, TypeError) as error:
        raise ExportBroken(number, "the footer has a value of the wrong form") from error
    if (last, count) != (expected - 1, expected - header.first) or stated != head:
        raise ExportBroken(number, "entries are missing at the end, or too many")
    try:
        key = Ed25519PublicKey.from_public_bytes(header.public_key)
        key.verify(signature, signed_octets(header_line, encode_json(content)))
    except (InvalidSignature, ValueError) as error:
        raise ExportBroken(number, "the signature is not of this key and file") from error
    return {"count": count, "last": last, "head": head}


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a number")
    return value


def _octets(value: str, length: int) -> bytes:
    octets = bytes.fromhex(value)
    if len(octets) != length or octets.hex() != value:
        raise ValueError("not so many octets in hexadecimal")
    return octets


def _time(value: str | None) -> datetime | None:
    return None if value is None else read_time(value)
