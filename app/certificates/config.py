"""What the operator says of ACME."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from app.config_kinds import HostPort, Kind, is_host_name
from archive_store.errors import ConfigError

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
MOST_NAMES = 100  # of one certificate, at Let's Encrypt
_CONTACT = re.compile(r"[^\s@<>,;:\"\x00-\x1f]{1,64}@[A-Za-z0-9.-]{1,253}")
_DIRECTORY = re.compile(r"https://[A-Za-z0-9.\[\]:-]+(?:/[\x21-\x7e]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class AcmeConfig:
    """Where certificates come from, and for which names."""

    names: tuple[str, ...]
    directory: str
    contact: str
    eab_kid: str
    eab_key: str = field(repr=False)
    authorities: Path | None
    http: HostPort
    redirect: str  # the address of the pages, without a slash; empty: there are none by TLS
    folder: Path

    def __post_init__(self) -> None:
        if bool(self.eab_kid) != bool(self.eab_key):
            raise ConfigError("ACME_EAB_KID, ACME_EAB_KEY: expected both or none")


def _names(text: str) -> tuple[str, ...]:
    names = [part.lower().rstrip(".") for part in re.split(r"[,\s]+", text) if part]
    for name in names:
        if not is_host_name(name) or "." not in name or "_" in name:
            raise ValueError("no name that an authority vouches for")
        if name.rpartition(".")[2].isdigit():
            raise ValueError("an address")
    if len(names) > MOST_NAMES:
        raise ValueError("too many names")
    return tuple(dict.fromkeys(names))


def _contact(text: str) -> str:
    if text and not _CONTACT.fullmatch(text):
        raise ValueError("no mail address")
    return text


def _directory(text: str) -> str:
    if not _DIRECTORY.fullmatch(text):
        raise ValueError("no https address")
    return text


NAMES = Kind("host names such as mail.example.com, separated by commas, or empty", _names)
CONTACT = Kind("a mail address, or empty", _contact)
DIRECTORY = Kind("https://HOST/PATH", _directory)
