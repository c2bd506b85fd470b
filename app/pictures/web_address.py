"""The address of a picture in a stranger's mail, taken apart strictly (RFC 3986).

Only http and https on their own ports, without a name and password in it, to a host that is
written as names are. What the host means is not judged here: whatever spelling of an address it
may be, only the address that it is looked up to counts (`fetch`). `BadAddress` for all else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final, Self
from urllib.parse import quote, urljoin, urlsplit

import idna

LONGEST: Final = 4_000  # characters
PORTS: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}")
_LONGEST_HOST: Final = 253
_UNESCAPED: Final = "/%:@!$&'()*+,;=~"


class BadAddress(ValueError):
    """No address that a picture is fetched from."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """Where one request goes."""

    secure: bool
    host: str  # lower case ASCII; an IPv6 address without brackets
    target: str  # path and query, as they stand in a request

    @property
    def port(self) -> int:
        return PORTS["https" if self.secure else "http"]

    @property
    def host_field(self) -> str:
        """The value of the Host field (RFC 9110 section 7.2)."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host_field}{self.target}"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read an absolute URL."""
        if len(url) > LONGEST:
            raise BadAddress("too long")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise BadAddress("no address") from error
        expected = PORTS.get(parts.scheme)
        if expected is None or port not in (None, expected):
            raise BadAddress("another scheme or port")
        if "@" in parts.netloc or "\\" in url:
            raise BadAddress("what browsers read in different ways")
        target = quote(parts.path or "/", safe=_UNESCAPED)
        if parts.query:
            target += "?" + quote(parts.query, safe=_UNESCAPED + "?")
        return cls(parts.scheme == "https", _host(host), target)

    def redirected(self, location: str) -> WebAddress:
        """Where a redirect leads (RFC 9110 section 10.2.2)."""
        try:
            return WebAddress.parse(urljoin(self.url, location))
        except ValueError as error:
            raise BadAddress("a redirect to nowhere") from error


def _host(written: str) -> str:
    if ":" in written:
        try:
            address = IPv6Address(written)
        except ValueError as error:
            raise BadAddress("no IPv6 address") from error
        if address.scope_id is not None:
            raise BadAddress("an address of this link alone")
        return str(address)
    try:
        host = written if written.isascii() else idna.encode(written, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadAddress("no host name") from error
    host = host.lower().rstrip(".")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, host.split("."))):
        raise BadAddress("no host name")
    return host
