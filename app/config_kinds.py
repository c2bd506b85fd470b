"""The kinds of values that settings have: a text in, a checked value out.

Every `parse` here raises ValueError for what is not of its kind; `expects` is how
an error and the documentation name the kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archive_store.config import PROVIDERS

Network = IPv4Network | IPv6Network

_SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_BUCKET = re.compile(
    rf"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/(?P<prefix>{_PART}(?:/{_PART})*))?/?"
)
LOGIN_NAME = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_HASH = re.compile(r"\$argon2id\$v=19\$[A-Za-z0-9+/$,=]{20,200}")
# A hash has commas too, but no colon.
_BETWEEN_LOGINS = re.compile(r"\s+|,\s*(?=[^\s,:$]+:)")
_DATABASES = ("sqlite:///", "postgresql://", "postgresql+psycopg://")


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host (name or address, without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Kind:
    """How the text of a setting becomes a value. `parse` raises ValueError."""

    expects: str
    parse: Callable[[str], Any]


def parse_host_port(text: str, *, lowest_port: int = 1) -> HostPort:
    """Read `HOST:PORT` or `[IPv6]:PORT`; raises ValueError."""
    host, colon, port = text.strip().rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = str(IPv6Address(host[1:-1]))
    if not colon or not host or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ValueError("not HOST:PORT")
    if not lowest_port <= int(port) <= 65_535:
        raise ValueError("no such port")
    if not bracketed and not is_host_name(host):
        raise ValueError("no such host name")
    return HostPort(host, int(port))


def is_host_name(text: str) -> bool:
    """Whether `text` is a name or an IPv4 address, as far as its letters go."""
    return len(text) <= 253 and _HOST.fullmatch(text) is not None


def _listener(text: str) -> HostPort | None:
    # Port 0 lets the system choose: tests and second copies use it.
    return None if text.lower() == "none" else parse_host_port(text, lowest_port=0)


def _server(text: str) -> HostPort | None:
    return parse_host_port(text) if text else None


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("no path")
    return Path(text).expanduser()


def _socket_or_server(text: str) -> HostPort | Path | None:
    return Path(text) if text.startswith("/") else _server(text)


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


def _database_url(text: str) -> str:
    if text and not text.startswith(_DATABASES):
        raise ValueError("another database")
    return text


def _objects_url(text: str) -> str:
    scheme, _, rest = text.partition(":")
    in_a_folder = scheme == "file" and rest.removeprefix("//").startswith("/")
    if text and not in_a_folder and bucket_in(text) is None:
        raise ValueError("another store")
    return text


def bucket_in(objects_url: str) -> tuple[str, str] | None:
    """The bucket and the prefix (empty for none) of an `s3:` URL; None for any other."""
    match = _BUCKET.fullmatch(objects_url)
    return (match["bucket"], match["prefix"] or "") if match else None


def _region(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,60}", text):
        raise ValueError("no region")
    return text


def _public_url(text: str) -> str:
    url = urlsplit(text)
    rest = url.path.rstrip("/") + url.query + url.fragment
    if text and (url.scheme not in ("http", "https") or not url.hostname or rest or "@" in text):
        raise ValueError("not the root of a site")
    if text and url.port == 0:
        raise ValueError("no such port")
    return text.rstrip("/")


def _host_name(text: str) -> str:
    if text and not is_host_name(text):
        raise ValueError("no host name")
    return text.lower().rstrip(".")


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,12}) *([KMG]?)(?:i?B)?", text, re.IGNORECASE)
    if not match:
        raise ValueError("no size")
    octets = int(match[1]) * _SIZES[match[2].upper()]
    if not 64 * 1024 <= octets <= 1024**3:
        raise ValueError("out of range")
    return octets


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in re.split(r"[,\s]+", text) if part)


def _logins(text: str) -> tuple[tuple[str, str], ...]:
    found = [part.partition(":")[::2] for part in _BETWEEN_LOGINS.split(text) if part]
    if not all(LOGIN_NAME.fullmatch(name) and _HASH.fullmatch(kept) for name, kept in found):
        raise ValueError("no login")
    if len(dict(found)) < len(found):
        raise ValueError("a name twice")
    return tuple(found)


def _yes(text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ValueError("neither")
    return text.lower() == "yes"


def whole(lowest: int, highest: int) -> Kind:
    """A whole number between two bounds, both allowed."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
            raise ValueError("out of range")
        return int(text)

    return Kind(f"a whole number from {lowest} to {highest}", parse)


def _choice(*words: str) -> Kind:
    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError("not one of them")
        return text.lower()

    return Kind(f"one of {', '.join(words)}", parse)


LISTENER = Kind("HOST:PORT, or none", _listener)
SERVER = Kind("HOST:PORT, or empty", _server)
CLAMD = Kind("HOST:PORT, the path of a Unix socket, or empty", _socket_or_server)
FOLDER = Kind("a folder", _path)
FILE = Kind("a file, or empty", _optional_path)
NETWORKS = Kind("networks such as 10.0.0.0/8, separated by commas", _networks)
DATABASE_URL = Kind("sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME", _database_url)
OBJECTS_URL = Kind("file:/PATH or s3://BUCKET/PREFIX", _objects_url)
REGION = Kind("a region such as eu-central-1", _region)
TEXT = Kind("a text, or empty", str)
PUBLIC_URL = Kind("https://HOST or http://HOST:PORT, without a path", _public_url)
HOST_NAME = Kind("a host name such as mail.example.com", _host_name)
SIZE = Kind("a size from 64K to 1G, such as 50M", _size)
MASTER_KEY = _choice(*PROVIDERS)
LOGINS = Kind("lines of `livearchive smtp-login`, or empty", _logins)
YES = Kind("yes or no", _yes)
LEVEL = _choice("debug", "info", "warning", "error")
