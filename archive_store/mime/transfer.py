"""Content-Transfer-Encoding (RFC 2045 section 6) undone leniently; never raises."""

from __future__ import annotations

import binascii
import re
from typing import Final

_NOT_BASE64: Final = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
)
_UU_BEGIN: Final = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)
_LINE: Final = re.compile(rb"[^\n]+")
_MOST_UU_LINES: Final = 2_000_000  # 90 MB of them, as encoders write them


def decode_body(octets: bytes, encoding: str, limit: int | None = None) -> bytes:
    """The content of a part; with `limit`, no more than its first `limit` octets."""
    if encoding == "base64":
        content = decode_base64(octets if limit is None else octets[: limit * 2])
    elif encoding == "quoted-printable":
        # One octet takes three, and each 76 of them a soft line end of three more.
        content = binascii.a2b_qp(octets if limit is None else octets[: limit * 4])
    elif encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        content = decode_uu(octets, len(octets) if limit is None else limit)
    else:
        content = octets
    return content if limit is None else content[:limit]


def decoded_size(octets: bytes, start: int, end: int, encoding: str) -> int:
    """How long the content of `octets[start:end]` is, without decoding base64."""
    if encoding == "base64":
        blanks = sum(octets.count(blank, start, end) for blank in (b"\n", b"\r", b" ", b"\t"))
        padding = octets[max(start, end - 8) : end].count(b"=")
        return max(0, (end - start - blanks - padding) * 3 // 4)
    if encoding in ("", "7bit", "8bit", "binary"):
        return end - start
    return len(decode_body(octets[start:end], encoding))


def decode_base64(octets: bytes) -> bytes:
    """Base64 with whatever else is in it, with or without its padding, in one or more runs."""
    octets = octets.rstrip(b"\r\n\t =")
    if b"=" not in octets:
        try:
            return binascii.a2b_base64(octets + b"==")
        except binascii.Error:
            return _decode_run(octets)
    return b"".join(map(_decode_run, filter(None, octets.split(b"="))))


def _decode_run(octets: bytes) -> bytes:
    run = octets.translate(None, _NOT_BASE64)
    if len(run) % 4 == 1:  # six bits are no octet
        run = run[:-1]
    return binascii.a2b_base64(run + b"=" * (-len(run) % 4))


def decode_uu(octets: bytes, limit: int) -> bytes:
    """About `limit` octets of the first uuencoded file in `octets`; these when there is none."""
    begin = _UU_BEGIN.search(octets)
    if begin is None:
        return octets
    out = bytearray()
    for number, line in enumerate(_LINE.finditer(octets, begin.end())):
        row = line.group().rstrip(b"\r")
        if row in (b"end", b"", b"`") or len(out) >= limit or number >= _MOST_UU_LINES:
            break
        try:
            out += binascii.a2b_uu(row)
        except binascii.Error:
            # Some encoders write a wrong length or lose trailing blanks.
            count = (((row[0] - 32) & 63) * 4 + 5) // 3
            try:
                out += binascii.a2b_uu(row[:count])
            except binascii.Error:
                break
    return bytes(out)
