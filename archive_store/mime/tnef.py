"""What a winmail.dat holds (MS-OXTNEF): Outlook's body of a mail, and its files. Pure, and linear.

A stream is a signature, a key and attributes, each with a level, an id, a length and octets; the
attributes that matter hold MAPI properties (section 2.1.3.4). What does not fit raises `NotTnef`;
what comes after an end too early is left out. A mail in it is its files, and its text as a file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from archive_store.mime import rtf

SIGNATURE: Final = struct.pack("<I", 0x223E9F78)
MOST_FILES: Final = 500
MOST_DEEP: Final = 5
_HEAD: Final = struct.Struct("<BII")
_SUM: Final = 2  # octets of a checksum after each attribute, which not all writers get right
_CODEPAGE, _SUBJECT, _BODY, _PROPERTIES = 0x00069007, 0x00018004, 0x0002800C, 0x00069003
_FILE_BEGINS, _FILE_TITLE, _FILE_DATA = 0x00069002, 0x00018010, 0x0006800F
_FILE_PROPERTIES: Final = 0x00069005
_TEXT, _RTF, _HTML, _TITLE = 0x1000, 0x1009, 0x1013, 0x0037
_LONG_NAME, _NAME, _DISPLAY_NAME, _TYPE = 0x3707, 0x3704, 0x3001, 0x370E
_CONTENT_ID, _OBJECT = 0x3712, 0x3701
_SIZES: Final = {0x02: 4, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 4} | {
    0x14: 8,
    0x40: 8,
    0x48: 16,
}
_STRING, _UNICODE, _BINARY, _EMBEDDED = 0x1E, 0x1F, 0x102, 0x0D
_VARIABLE: Final = frozenset((_STRING, _UNICODE, _BINARY, _EMBEDDED))
_MANY: Final = 0x1000
_INTERFACE: Final = bytes.fromhex("00000000c000000000000046")  # how the id of what it holds ends


class NotTnef(ValueError):
    """These are no such octets."""


@dataclass(frozen=True, slots=True)
class File:
    """A file; `content_type` and `content_id` are what Outlook wrote, or empty."""

    name: str
    content: bytes
    content_type: str = ""
    content_id: str = ""


@dataclass(slots=True)
class Opened:
    """The mail: its text as HTML or plain, as far as it has any, in UTF-8; and its files."""

    subject: str = ""
    html: bytes = b""
    text: bytes = b""
    files: list[File] = field(default_factory=list)


@dataclass(slots=True)
class _File:
    title: str = ""
    data: bytes = b""
    properties: dict[int, bytes | str] = field(default_factory=dict)

    def opened(self, depth: int) -> Iterator[File]:
        inside = self.properties.get(_OBJECT, b"")
        stream = inside if isinstance(inside, bytes) else b""
        if stream[4:16] == _INTERFACE:
            stream = stream[16:]
        names = (self.properties.get(one) for one in (_LONG_NAME, _NAME, _DISPLAY_NAME))
        name = next((str(one) for one in names if one), self.title)
        if stream.startswith(SIGNATURE) and depth < MOST_DEEP:
            yield from _as_files(name, stream, depth + 1)
        else:
            yield File(
                name,
                self.data or stream,
                str(self.properties.get(_TYPE, "")),
                str(self.properties.get(_CONTENT_ID, "")).strip("<>"),
            )


def open_tnef(octets: bytes, depth: int = 0) -> Opened:
    """What is in it; NotTnef when nothing can be said of it."""
    if not octets.startswith(SIGNATURE):
        raise NotTnef
    opened, files, codepage = Opened(), list[_File](), "cp1252"
    for name, content in _attributes(octets):
        if name == _CODEPAGE and len(content) >= 4:
            codepage = rtf.code_page(int.from_bytes(content[:4], "little"))
        elif name == _SUBJECT:
            opened.subject = _string(content, codepage)
        elif name == _BODY:
            opened.text = _string(content, codepage).encode("utf-8", "replace")
        elif name == _PROPERTIES:
            _read_body(opened, _properties(content, codepage))
        elif name == _FILE_BEGINS:
            if len(files) >= MOST_FILES:
                break
            files.append(_File())
        elif files and name == _FILE_TITLE:
            files[-1].title = _string(content, codepage)
        elif files and name == _FILE_DATA:
            files[-1].data = content
        elif files and name == _FILE_PROPERTIES:
            files[-1].properties.update(_properties(content, codepage))
    opened.files = [one for file in files for one in file.opened(depth)][:MOST_FILES]
    return opened


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    position = len(SIGNATURE) + 2
    while position + _HEAD.size <= len(octets):
        _, name, length = _HEAD.unpack_from(octets, position)
        position += _HEAD.size
        if position + length > len(octets):
            return
        yield name, octets[position : position + length]
        position += length + _SUM


def _read_body(opened: Opened, found: Mapping[int, bytes | str]) -> None:
    opened.subject = str(found.get(_TITLE, opened.subject))
    html, text, packed = found.get(_HTML), found.get(_TEXT), found.get(_RTF)
    if html:
        opened.html = html if isinstance(html, bytes) else html.encode("utf-8", "replace")
    if isinstance(text, str) and text.strip():
        opened.text = text.encode("utf-8", "replace")
    elif isinstance(packed, bytes) and not opened.html and not opened.text.strip():
        opened.text = rtf.text_of(rtf.unpacked(packed)).encode("utf-8", "replace")


def _properties(octets: bytes, codepage: str) -> dict[int, bytes | str]:
    """Strings and octets by the property's id; numbers are passed over."""
    found: dict[int, bytes | str] = {}
    try:
        for kind, name, content in _raw_properties(octets):
            if kind == _STRING:
                found[name] = _string(content, codepage)
            elif kind == _UNICODE:
                found[name] = content.decode("utf-16-le", "replace").rstrip("\0")
            elif kind in (_BINARY, _EMBEDDED):
                found[name] = content
    except (struct.error, NotTnef):
        pass  # what was read until there counts
    return found


def _raw_properties(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    (count,) = struct.unpack_from("<I", octets)
    position = 4
    for _ in range(min(count, len(octets) // 4)):
        kind, name = struct.unpack_from("<HH", octets, position)
        position += 4
        if name >= 0x8000:
            position = _after_name(octets, position)
        values = 1
        plain = kind & ~_MANY
        if kind & _MANY or plain in _VARIABLE:
            (values,) = struct.unpack_from("<I", octets, position)
            position += 4
        for _ in range(min(values, len(octets) // 4)):
            if plain in _VARIABLE:
                (length,) = struct.unpack_from("<I", octets, position)
                position += 4
                if position + length > len(octets):
                    raise NotTnef
                yield kind, name, octets[position : position + length]
                position += length + -length % 4
            elif plain in _SIZES:
                position += _SIZES[plain]
            else:
                raise NotTnef


def _after_name(octets: bytes, position: int) -> int:
    """Past the name of a named property: a set's GUID, and a number or a text."""
    (kind,) = struct.unpack_from("<I", octets, position + 16)
    position += 20
    (number,) = struct.unpack_from("<I", octets, position)
    position += 4
    if kind == 0:
        return position
    return position + int(number) + -int(number) % 4


def _as_files(name: str, stream: bytes, depth: int) -> Iterator[File]:
    """A mail in a mail: its text as a file, then its files."""
    try:
        inside = open_tnef(stream, depth)
    except NotTnef:
        yield File(name, stream)
        return
    if not (inside.html or inside.text or inside.files):
        yield File(name, stream)
        return
    title = inside.subject or name or "message"
    if inside.html:
        yield File(f"{title}.html", inside.html, "text/html")
    elif inside.text:
        yield File(f"{title}.txt", inside.text, "text/plain")
    yield from inside.files


def _string(octets: bytes, codepage: str) -> str:
    return octets.split(b"\0", 1)[0].decode(codepage, "replace")
