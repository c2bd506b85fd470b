"""E-mail addresses: the Mailbox of RFC 5321 section 4.1.2, with RFC 6531 (SMTPUTF8).

`EmailAddress.parse` is strict: it takes what the grammar allows and repairs nothing, because an
address that one program repairs is an address that the next one reads differently. Stricter
than the grammar on purpose: no empty quoted local part, no top-level domain of digits alone
(that is an IP address in disguise), and nothing invisible (controls, bidirectional overrides,
exotic spaces). An address literal (`user@[192.0.2.1]`) only where the caller says so.

Lengths are octets of UTF-8. The 64 octets which section 4.5.3.1.1 names for a local part are
what everybody must take, not the most that may be sent: bounce addresses of mailing services are
longer, so only the whole path is limited.

Everything else raises BadAddress, whose text gives the reason and never the address.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Self

import idna

MAX_ADDRESS = 254  # a path has 256 octets, two of them brackets (RFC 5321 section 4.5.3.1.3)
MAX_LABEL = 63  # RFC 1035 section 2.3.4

_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_DOT_ATOM = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)*{_LABEL}")
# What a quoted local part may hold once its backslashes are gone (qtextSMTP, quoted-pairSMTP).
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|[^\x00-\x7f]|\\[ -~])+)"')
_QUOTED_PAIR = re.compile(r"\\(.)")
_NEEDS_BACKSLASH = re.compile(r'(["\\])')
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
_JOINERS = "\u200c\u200d"  # Persian and several Indian scripts are misspelt without them


class BadAddress(ValueError):
    """Not an e-mail address. The text says why, and does not repeat the address."""


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """One mailbox. Equal addresses have equal `key`s; `text` is what goes on the wire."""

    local: str  # without quotes; case kept: only the owner may fold it (RFC 5321 section 2.4)
    domain: str  # lower case, in the script it was given in; or an address literal

    @classmethod
    def parse(cls, text: str, *, literals: bool = False) -> Self:
        """Read one address; `literals` allows an IP address in place of the domain."""
        local, at, domain = text.rpartition("@")
        if not (local and at and domain):
            raise BadAddress("an address is a local part, an at sign and a domain")
        if len(text) > MAX_ADDRESS or len(text.encode("utf-8", "replace")) > MAX_ADDRESS:
            raise BadAddress(f"an address has at most {MAX_ADDRESS} octets")
        return cls(_read_local(local), _read_domain(domain, literals=literals))

    @property
    def text(self) -> str:
        """The address as it is written; quoted only when it has to be (RFC 5321 section 4.1.2)."""
        return f"{_write_local(self.local)}@{self.domain}"

    @property
    def ascii_domain(self) -> str:
        """The domain as the DNS knows it: A-labels, lower case (RFC 5891)."""
        if self.domain.isascii():
            return self.domain
        return _to_ascii(self.domain)

    @property
    def key(self) -> str:
        """One spelling for all spellings of one mailbox: for look-ups, never for the wire."""
        local = self.local
        if local.isascii():
            local = local.lower()
        else:
            folded = unicodedata.normalize("NFC", local).casefold()
            local = unicodedata.normalize("NFC", folded)
        return f"{_write_local(local)}@{self.ascii_domain}"

    def __str__(self) -> str:
        return self.text


def _read_local(text: str) -> str:
    if _DOT_ATOM.fullmatch(text):
        return text
    if not text.isascii():
        _refuse_invisible(text)
    if text.startswith('"'):
        quoted = _QUOTED.fullmatch(text)
        if quoted is None:
            raise BadAddress("the quoted local part is malformed")
        return _QUOTED_PAIR.sub(r"\1", quoted[1])
    if not _is_dot_atom(text):
        raise BadAddress("the local part has a character or a dot where none may be")
    return text


def _is_dot_atom(local: str) -> bool:
    """RFC 6531 section 3.3 adds every non-ASCII character to atext."""
    return bool(_DOT_ATOM.fullmatch("".join(c if c.isascii() else "x" for c in local)))


def _write_local(local: str) -> str:
    if _DOT_ATOM.fullmatch(local) or _is_dot_atom(local):
        return local
    return '"' + _NEEDS_BACKSLASH.sub(r"\\\1", local) + '"'


def _refuse_invisible(text: str) -> None:
    for character in text:
        if character == " " or character in _JOINERS:
            continue
        if unicodedata.category(character) in _INVISIBLE:
            raise BadAddress("the local part has a character that cannot be seen")


def _read_domain(text: str, *, literals: bool) -> str:
    if text.startswith("["):
        if not literals:
            raise BadAddress("an IP address in place of the domain is not taken here")
        return _read_literal(text)
    domain = text.lower() if text.isascii() else unicodedata.normalize("NFC", text).lower()
    ascii_domain = domain if domain.isascii() else _to_ascii(domain)
    if not _DOMAIN.fullmatch(ascii_domain):
        raise BadAddress("the domain is not a host name")
    if ascii_domain.rpartition(".")[2].isdigit():
        raise BadAddress("the domain is an IP address without brackets")
    return domain


def _to_ascii(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise BadAddress("the domain is not an internationalised host name") from error


def _read_literal(text: str) -> str:
    """RFC 5321 section 4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`."""
    inner = text.removeprefix("[").removesuffix("]")
    try:
        if len(text) != len(inner) + 2:
            raise BadAddress("the address literal has no closing bracket")
        if inner[:5].lower() == "ipv6:" and "%" not in inner:  # no zone of our own machine
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:]).compressed}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ipaddress.AddressValueError as error:
        raise BadAddress("the address literal holds no IP address") from error
