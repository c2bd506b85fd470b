"""Which hosts may say or send what a stranger may not. Made of networks, asked by IP address.

An empty list trusts nobody. A client over a local socket has no address and is in no list.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TypeAlias

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedHosts:
    """The lists of one installation."""

    smtp_proxies: Networks = ()  # their connections begin with a PROXY header
    lmtp_proxies: Networks = ()
    smtps_proxies: Networks = ()  # before TLS begins
    xclient: Networks = ()  # may say who their client is
    xforward: Networks = ()  # may say where a mail came from
    feeds: Networks = ()  # may send bare CR, bare LF and NUL

    def proxies(self, listener: str) -> Networks:
        """The load balancers before the listener of that name."""
        found: Networks = getattr(self, f"{listener}_proxies")
        return found


def covers(networks: Networks, client_ip: str) -> bool:
    """Whether an address is in one of the networks; what is no address is in none."""
    if not networks:  # the usual case: reading an address costs more than a command
        return False
    try:
        address = ip_address(client_ip.partition("%")[0])
    except ValueError:
        return False
    return _any_holds(networks, address)


def _any_holds(networks: Iterable[IPv4Network | IPv6Network], address: object) -> bool:
    return any(address in network for network in networks)
