"""The server that checks mail for a domain before it comes here, and whose word is taken.

It writes what it found into Authentication-Results fields (RFC 8601). Whoever sends mail can write
such fields as well, so a domain says what its server calls itself there (the authserv-id), from
which networks it hands mail to us, and where in the header its fields stand: above the Received
field that it writes itself, or just below it. Where nothing is said, no such field is believed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self

LONGEST = 400  # characters of the setting
EXPECTS = (
    "none, or the name (authserv-id) and the networks of the server that checks mail for this "
    "domain, as mx.example.net 192.0.2.0/24; below, where its results stand below its Received "
    "field; received=N, where it always writes at least N of those"
)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?")
_HOPS = re.compile(r"received=([1-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Such a server. `hops`: how many Received fields it writes at the least."""

    name: str  # lower case
    networks: tuple[IPv4Network | IPv6Network, ...]
    hops: int = 1
    below: bool = False

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for "none"; ValueError for what is neither that nor a server with networks."""
        words = text.lower().split()
        if words in ([], ["none"]):
            return None
        name, *rest = words
        below = "below" in rest
        hops = [int(found[1]) for word in rest if (found := _HOPS.fullmatch(word))]
        networks = [word for word in rest if word != "below" and not _HOPS.fullmatch(word)]
        if not _NAME.fullmatch(name) or not networks or len(hops) > 1 or len(text) > LONGEST:
            raise ValueError(text)
        return cls(
            name=name,
            networks=tuple(ip_network(word, strict=False) for word in networks),
            hops=hops[0] if hops else 1,
            below=below,
        )

    def hands(self, client_ip: str) -> bool:
        """Whether a mail from this address came through the server."""
        try:
            address = ip_address(client_ip.partition("%")[0])
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def __str__(self) -> str:
        words = [self.name, *map(str, self.networks)]
        words += [f"received={self.hops}"] if self.hops > 1 else []
        return " ".join(words + (["below"] if self.below else []))
