"""xtext (RFC 3461 section 4): printable ASCII in which "+" and two hex digits stand for an octet.

Strict: what is no xtext raises ValueError, which never repeats it.
"""

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEXCHAR = re.compile(rb"\+([0-9A-F]{2})")
_NEEDS_HEXCHAR = re.compile(rb"[^!-*,-<>-~]")


def decoded(text: str) -> bytes:
    """The octets that a text stands for."""
    if not _XTEXT.fullmatch(text):
        raise ValueError("no xtext")
    return _HEXCHAR.sub(lambda match: bytes.fromhex(match[1].decode()), text.encode("ascii"))


def encoded(octets: bytes) -> str:
    """The text that stands for these octets."""
    return _NEEDS_HEXCHAR.sub(lambda match: b"+%02X" % match[0][0], octets).decode("ascii")
