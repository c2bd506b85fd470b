"""Domains as people read them and as browsers do: their forms, who registers them, their letters.

Which part of a name somebody registers says the Public Suffix List (publicsuffix.org), the copy
that comes with the package: nothing is fetched. A name under no suffix of the list is taken as one
under its last label. What a host is follows the WHATWG URL standard (section 4.3) as far as it
matters who is reached. Nothing here raises, whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import unquote

import idna
from publicsuffixlist import PublicSuffixList

LONGEST_HOST: Final = 1_000  # characters that are looked at
_WEB: Final = re.compile(r"https?:[/\\]*([^/\\?#]*)", re.IGNORECASE)
# Nearly all of them, in a quarter of the time.
_PLAIN_WEB: Final = re.compile(
    r"https?://((?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24})(?=[/?#]|$)", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")
# Small letters that look like Latin ones, of Cyrillic and Greek.
ALIKE: Final = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf"
        "\u0475\u03bf\u03b1\u03b9\u03c1\u03bd\u03c5",
        "aeopcyxijshdqwlvoaipvu",
        strict=True,
    )
)


def authority(url: str) -> tuple[str, str]:
    """Who is reached by a web address, as a browser has it in lower-case ASCII, and what stands
    before an at sign there; both empty for any other address.
    """
    plain = _PLAIN_WEB.match(url)
    if plain:
        return plain[1].lower(), ""
    found = _WEB.match(url)
    if found is None:
        return "", ""
    user, _, host = found[1].rpartition("@")
    return host_of(host), unquote(user[:LONGEST_HOST])


def host_of(written: str) -> str:
    """A host, perhaps with a port, as a browser would ask for it."""
    written = written[:LONGEST_HOST].strip().lower()
    if written.startswith("["):
        return written.partition("]")[0] + "]"
    plain = unquote(written.partition(":")[0]).rstrip(".")
    return _numbers(plain) or in_ascii(plain)


def ip_of(host: str) -> IPv4Address | IPv6Address | None:
    """The IP address that a host is, if it is one."""
    if not host.endswith("]") and not host[-1:].isdigit():
        return None  # to try costs more than all the rest
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def registrable(host: str) -> str:
    """What of a host somebody registered: shop.example of www.shop.example; else the host."""
    return _list().privatesuffix(host) or host


def is_public(host: str) -> bool:
    """Whether a host lies under a suffix of the list, so that a word with dots is a domain."""
    return _list().publicsuffix(host, accept_unknown=False) not in (None, host)


def looks_like_another(domain: str) -> bool:
    """Whether a label mixes alphabets, or is written only with letters that look Latin."""
    if domain.isascii() and "xn--" not in domain.lower():
        return False
    for label in in_unicode(domain).split("."):
        scripts = {one for letter in label if letter.isalpha() for one in _script(letter)}
        if len(scripts) > 1:
            return True
        if scripts - {"LATIN"} and all(one in ALIKE or not one.isalpha() for one in label):
            return True
    return False


def in_unicode(domain: str) -> str:
    """With its own letters, as a person would read it."""
    labels = []
    for label in domain.lower().split("."):
        try:
            labels.append(idna.ulabel(label) if label.startswith("xn--") else label)
        except UnicodeError:  # of idna too
            labels.append(label)
    return unicodedata.normalize("NFKC", ".".join(labels))


def in_ascii(domain: str) -> str:
    """In letters of ASCII; what is no domain name with its other letters as \\u escapes."""
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:
        return ascii(domain).strip("'")


def spelled(host: str) -> str:
    """For people: a domain in punycode, and what that says. A name proves nothing."""
    read = in_unicode(host) if "xn--" in host else host
    return host if read == host else f"{host} ({read})"


def _numbers(host: str) -> str:
    """An IPv4 address in any spelling that browsers take (0x7f.1); empty: it is none."""
    parts = host.split(".")
    if not 1 <= len(parts) <= 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return ""
    try:
        values = [_value(part) for part in parts]
        last = values.pop()
        number = sum(value << (8 * (3 - at)) for at, value in enumerate(values)) + last
        return str(IPv4Address(number)) if max(values, default=0) < 256 else ""
    except ValueError:
        return ""


def _value(part: str) -> int:
    if len(part) > 20:
        raise ValueError("too large")
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if len(part) > 1 and part.startswith("0") else 10)


def _script(letter: str) -> tuple[str, ...]:
    """Its alphabet, where it is one of three; CJK mixes freely and is none of our business."""
    return tuple(one for one in _SCRIPTS if unicodedata.name(letter, "").startswith(one))


@cache
def _list() -> PublicSuffixList:
    return PublicSuffixList()  # reading it takes some twenty milliseconds, once a process
