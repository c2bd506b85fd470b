"""The text of Outlook's RTF: unpacked (MS-OXRTFCP), and without its forms. Pure, and linear.

Of HTML that is wrapped in RTF (MS-OXRTFEX) the tags are groups that are left out; its text is left.
"""

from __future__ import annotations

import codecs
import re
import struct
from typing import Final

MOST: Final = 1024 * 1024  # octets unpacked
_HEAD: Final = struct.Struct("<II4sI")
_SPACE: Final = 4096
_BEGINNING: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_TOKEN: Final = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|[\r\n]+"
    rb"|([^\\{}\r\n]+)"
)
_LEFT_OUT: Final = frozenset(
    b"fonttbl colortbl stylesheet info pict object htmltag mhtmltag header footer generator "
    b"themedata datastore listtable listoverridetable rsidtbl xmlnstbl latentstyles".split()
)
_BREAKS: Final = {b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"row": "\n"} | {
    b"tab": "\t",
    b"cell": "\t",
    b"emdash": "—",
    b"endash": "–",
    b"bullet": "•",
    b"lquote": "‘",
    b"rquote": "’",
    b"ldblquote": "“",
    b"rdblquote": "”",
}
_SIGNS: Final = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\n": "\n"}


def unpacked(octets: bytes) -> bytes:
    """The RTF in a compressed stream; empty for what is none."""
    if len(octets) < _HEAD.size:
        return b""
    _, size, kind, _ = _HEAD.unpack_from(octets)
    if kind == b"MELA":
        return octets[_HEAD.size : _HEAD.size + min(size, MOST)]
    if kind != b"LZFu":
        return b""
    return _expanded(octets[_HEAD.size :], min(size, MOST))


def _expanded(packed: bytes, size: int) -> bytes:
    """Section 2.2.2.1: references into a ring of 4096 octets that begins with usual words."""
    made = bytearray(_BEGINNING)
    begin = len(made)
    position = 0
    while position < len(packed) and len(made) - begin < size:
        control = packed[position]
        position += 1
        for bit in range(8):
            if position >= len(packed):
                break
            if not control >> bit & 1:
                made.append(packed[position])
                position += 1
                continue
            if position + 2 > len(packed):
                break
            word = int.from_bytes(packed[position : position + 2], "big")
            position += 2
            place, length = word >> 4, (word & 15) + 2
            back = (len(made) - place) % _SPACE
            if back == 0:
                return bytes(made[begin:])  # the end, as section 2.2.2.1.2 marks it
            start = len(made) - back
            if start < 0:
                return bytes(made[begin:])
            for at in range(start, start + length):
                made.append(made[at])
    return bytes(made[begin:])


def text_of(octets: bytes) -> str:
    """What is written in an RTF."""
    pieces: list[str] = []
    written = bytearray()  # in the code page: a character may take two octets
    outer: list[tuple[bool, bool, int]] = []
    hidden, wrapped, skip, codec = False, False, 1, "cp1252"
    over = 0  # octets that stand for a character that was written already (\\uN)
    for match in _TOKEN.finditer(octets):
        word, number, code, sign, brace, plain = match.groups()
        octet = bytes([int(code, 16)]) if code is not None else plain
        if octet is not None:
            if not (hidden or wrapped):
                written += octet[over:]
                over = max(0, over - len(octet))
            continue
        pieces.append(written.decode(codec, "replace"))
        written.clear()
        if brace == b"{":
            outer.append((hidden, wrapped, skip))
        elif brace:
            hidden, wrapped, skip = outer.pop() if outer else (False, False, 1)
        elif sign == b"*" or word in _LEFT_OUT:
            hidden = True
        elif word == b"htmlrtf":
            wrapped = number != b"0"
        elif word == b"uc" and number:
            skip = min(max(int(number), 0), 8)
        elif word == b"ansicpg" and number:
            codec = code_page(int(number))
        elif hidden or wrapped:
            continue
        elif word == b"u" and number:
            pieces.append(chr(int(number) % 65536))
            over = skip
        else:
            pieces.append(_BREAKS.get(word, "") if word else _SIGNS.get(sign, ""))
    pieces.append(written.decode(codec, "replace"))
    text = "".join(pieces).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.strip("\n\0")


def code_page(number: int) -> str:
    """Python's name of a Windows code page; the Western one where it has none."""
    try:
        return codecs.lookup("utf-8" if number == 65001 else f"cp{number}").name
    except LookupError:
        return "cp1252"
