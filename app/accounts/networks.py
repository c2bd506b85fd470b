"""The network a client belongs to: what one household or firm shares, and an attacker can
change address within. /24 for IPv4, /56 for IPv6 (RFC 6177 section 2: a site's usual size).
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def network_of(client_ip: str) -> str:
    """The network as text; of what is no address, "unknown"."""
    try:
        address = ip_address(client_ip.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    length = 24 if address.version == 4 else 56
    return str(ip_network((address, length), strict=False))
