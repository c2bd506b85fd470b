"""winmail.dat as Outlook writes it (MS-OXTNEF), made here: what tests need of it, and no more."""

import struct
from collections.abc import Sequence

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)
RTF = b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
PACKED_RTF = bytes.fromhex(  # the example of MS-OXRTFCP section 3.1
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542"
    "320af32068656c090020627705b06c647d0a800fa0"
)


def attribute(level: int, name: int, content: bytes) -> bytes:
    return (
        struct.pack("<BII", level, name, len(content))
        + content
        + struct.pack("<H", sum(content) % 65536)
    )


def prop(kind: int, name: int, content: bytes) -> bytes:
    """A property with one value of some length."""
    head = struct.pack("<HHII", kind, name, 1, len(content))
    return head + content + bytes(-len(content) % 4)


def text(name: int, value: str) -> bytes:
    return prop(0x1F, name, value.encode("utf-16-le") + b"\0\0")


def properties(*some: bytes) -> bytes:
    return struct.pack("<I", len(some)) + b"".join(some)


def file(title: str, data: bytes, *more: bytes) -> bytes:
    return (
        attribute(2, 0x00069002, bytes(14))
        + attribute(2, 0x00018010, title.encode("cp1252") + b"\0")
        + attribute(2, 0x0006800F, data)
        + (attribute(2, 0x00069005, properties(*more)) if more else b"")
    )


def tnef(*attributes: bytes, body: Sequence[bytes] = ()) -> bytes:
    codepage = attribute(1, 0x00069007, struct.pack("<II", 1252, 0))
    written = attribute(1, 0x00069003, properties(*body)) if body else b""
    return SIGNATURE + codepage + written + b"".join(attributes)
