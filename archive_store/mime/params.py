"""Header fields with parameters: Content-Type and Content-Disposition (RFC 2045, RFC 2231).

`split_value` never raises and is linear; it reads at most `limit` parameters. Of two parameters
with one name the first counts. RFC 2047 words in a value are decoded too, since they are common
although RFC 2231 forbids them.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from archive_store.mime import charsets
from archive_store.mime.encoded import decode_words

_PARAMETER: Final = re.compile(
    r";\s*+([^\s=;\"]++)\s*+=\s*+(\"(?:[^\"\\]++|\\.)*+\"|[^;]*+)", re.DOTALL
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NAME: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_KEEPS_BLANKS: Final = ("filename", "name")

Segment = tuple[str, bool]  # a value, and whether it is percent-encoded


def split_value(text: str, limit: int) -> tuple[str, dict[str, str]]:
    """The value before the first semicolon, in lower case, and the decoded parameters."""
    head, semicolon, _ = text.partition(";")
    main = head.partition("(")[0].strip().lower()
    if not semicolon:
        return main, {}
    plain: dict[str, str] = {}
    extended: dict[str, dict[int, Segment]] = {}
    for count, match in enumerate(_PARAMETER.finditer(text, len(head)), 1):
        _add(match.group(1).lower(), match.group(2), plain, extended)
        if count >= limit:
            break
    for name, segments in extended.items():
        joined = _join(segments)
        if joined:
            plain[name] = joined  # RFC 2231 wins: the plain one is for old readers
    return main, plain


def _add(
    name: str, raw: str, plain: dict[str, str], extended: dict[str, dict[int, Segment]]
) -> None:
    parts = _NAME.fullmatch(name)
    if parts is None:
        return
    base, number, star = parts.groups()
    value = _unquote(raw, keep_blanks=base in _KEEPS_BLANKS)
    if number is None and star is None:
        plain.setdefault(base, decode_words(value))
    else:
        extended.setdefault(base, {}).setdefault(int(number or 0), (value, star is not None))


def _unquote(raw: str, *, keep_blanks: bool) -> str:
    if raw.startswith('"'):
        closed = len(raw) > 1 and raw.endswith('"')
        return _ESCAPED.sub(r"\1", raw[1:-1] if closed else raw[1:])
    raw = raw.strip()
    if keep_blanks or not raw:
        return raw
    return raw.split(None, 1)[0]  # a comment may follow


def _join(segments: dict[int, Segment]) -> str:
    """The value of RFC 2231 continuations, as far as they follow each other from 0."""
    first, is_extended = segments.get(0, ("", False))
    charset = ""
    if is_extended and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
    octets = bytearray(_octets(first, is_extended))
    for index in range(1, len(segments)):
        if index not in segments:
            break
        octets += _octets(*segments[index])
    return charsets.decode(bytes(octets), charset or "utf-8")


def _octets(value: str, is_extended: bool) -> bytes:
    if is_extended:
        return unquote_to_bytes(value)
    return value.encode("utf-8", "replace")
