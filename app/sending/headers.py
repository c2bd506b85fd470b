"""Header fields as octets (RFC 5322 section 2.2, RFC 2047): written and folded by our own code.

Every value is made of pieces that hold no control character and are joined by single
blanks, so nothing that a person typed, or a stranger's message brought into an answer,
can end a field and begin another. Lines stay within 78 octets wherever a piece allows.
The standard library's folding is not used: it has taken the quotes off names with a
comma in long lists, which made one recipient two.
"""

import base64
import re
from collections.abc import Iterable, Sequence

from app.sending.addressees import Addressee
from archive_store.mime import clean

LINE_OCTETS = 78
_WORD_OCTETS = 39  # of UTF-8: with "Subject: " a line of 73 characters (RFC 2047 allows 76)
_LONGEST_PIECE = 500
_LONGEST_PLAIN_NAME = 60
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_SPECIAL = re.compile(r'(["\\])')
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,240}@[!-;=?A-~]{1,240}>")


def text_field(name: str, value: str) -> bytes:
    """A field of free text, such as Subject."""
    return _fold(name, _text_pieces(value))


def text_value(value: str) -> str:
    """The value of such a field as it stands in the header, on one line."""
    return " ".join(_text_pieces(value))


def address_field(name: str, people: Sequence[Addressee]) -> bytes:
    """A field of addresses, such as To."""
    pieces: list[str] = []
    for one in people:
        phrase = _phrase(clean.name(one.name))
        pieces += [*phrase, f"<{one.wire}>" if phrase else one.wire]
        pieces[-1] += ","
    pieces[-1] = pieces[-1].removesuffix(",")
    return _fold(name, pieces)


def id_field(name: str, ids: Iterable[str]) -> bytes:
    """A field of message ids, such as References; `ids` have passed `usable_ids`."""
    return _fold(name, list(ids))


def plain_field(name: str, value: str) -> bytes:
    """A field whose value is made by us."""
    return _fold(name, value.split(" "))


def usable_ids(ids: Iterable[str]) -> tuple[str, ...]:
    """Those of a stranger's message ids that may stand in a header of ours.

    An encoded word has no business in one, and some readers would decode it.
    """
    usable = (one for one in ids if _MESSAGE_ID.fullmatch(one) and "=?" not in one)
    return tuple(dict.fromkeys(usable))


def _text_pieces(value: str) -> list[str]:
    value = clean.line(value)
    words = value.split(" ")
    plain = value.isascii() and "=?" not in value and "" not in words
    if plain and all(len(word) <= _LONGEST_PIECE for word in words):
        return words
    return _encoded(value) if value else [""]


def _phrase(name: str) -> list[str]:
    """A display name: atoms, one quoted string, or encoded words (RFC 5322 section 3.2.5)."""
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > _LONGEST_PLAIN_NAME:
        return _encoded(name)
    if _ATOMS.fullmatch(name):
        return name.split(" ")
    return ['"' + _SPECIAL.sub(r"\\\1", name) + '"']


def _encoded(text: str) -> list[str]:
    """Encoded words in UTF-8, none of which ends inside a character."""
    words: list[str] = []
    chunk = b""
    for character in text:
        octets = character.encode("utf-8", "replace")
        if len(chunk) + len(octets) > _WORD_OCTETS:
            words.append(_word(chunk))
            chunk = b""
        chunk += octets
    return [*words, _word(chunk)]


def _word(chunk: bytes) -> str:
    return f"=?utf-8?B?{base64.b64encode(chunk).decode('ascii')}?="


def _fold(name: str, pieces: Sequence[str]) -> bytes:
    lines = [f"{name}:"]
    for piece in pieces:
        room = LINE_OCTETS - len(lines[-1].encode()) - 1
        if len(piece.encode()) <= room or len(lines[-1]) <= len(name) + 1:
            lines[-1] += f" {piece}"
        else:
            lines.append(f" {piece}")
    return "\r\n".join(lines).encode() + b"\r\n"
