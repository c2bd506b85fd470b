"""Encoded words (RFC 2047, with the language of RFC 2231 section 5) and raw octets in headers.

Lenient where mailers are wrong and the meaning is plain: words that are too long, blanks inside
a word, a character cut in two between words, words inside quotes. Linear, and never raises.
"""

from __future__ import annotations

import binascii
import re
from typing import Final

from archive_store.mime import charsets
from archive_store.mime.transfer import decode_base64

_WORD: Final = re.compile(r"=\?([^?\s]{1,80})\?([bBqQ])\?")
_FOLD: Final = re.compile(rb"\r?\n")
_MOST_WORDS: Final = 2_000


def decode_raw(value: bytes) -> str:
    """A header value as text: unfolded; octets above 127 are UTF-8, or else windows-1252."""
    if b"\n" in value:
        value = _FOLD.sub(b"", value)
    if value.isascii():
        return value.decode("ascii").strip()
    return charsets.decode(value).strip()


def decode_words(text: str) -> str:
    """`text` with its encoded words decoded; blanks between two of them go (section 6.2)."""
    if "=?" not in text:
        return text
    out: list[str] = []
    run = bytearray()  # the octets of neighbouring words in one charset
    run_charset = ""
    after_word = False
    position = 0
    closed_at = -1  # where the next "?=" is: looked for once, not once per word
    for _ in range(_MOST_WORDS):
        word = _WORD.search(text, position)
        if word is None:
            break
        inner_from, gap_to = word.end(), word.start()
        if closed_at < inner_from:
            closed_at = text.find("?=", inner_from)
            if closed_at < 0:
                break
        end = closed_at
        if _WORD.search(text, inner_from, end):  # this one never ended; the next begins inside
            gap_to, end = inner_from, inner_from - 2
        gap = text[position:gap_to]
        inner = text[inner_from:end]
        if after_word and gap.isspace():
            gap = ""
        charset = word.group(1).partition("*")[0].lower()
        if gap or charset != run_charset:
            out += charsets.decode(bytes(run), run_charset), gap
            run.clear()
        after_word = end >= inner_from
        run_charset = charset
        run += _word_octets(inner, word.group(2))
        position = end + 2
    out.append(charsets.decode(bytes(run), run_charset))
    return "".join(out) + text[position:]


def _word_octets(inner: str, encoding: str) -> bytes:
    octets = inner.encode("utf-8", "replace")
    if encoding in "bB":
        return decode_base64(octets)
    return binascii.a2b_qp(octets, header=True)
