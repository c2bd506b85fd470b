"""Whether an address on the internet is anybody's, or means something of this network alone."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

IpAddress = IPv4Address | IPv6Address
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: IpAddress) -> bool:
    """Whether anybody on the internet means the same by it, also where IPv4 hides in IPv6."""
    if isinstance(address, IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour
        if address.teredo is not None:  # a tunnel to wherever; no server lives there
            return False
        if address in _NAT64:
            hidden = IPv4Address(int(address) & 0xFFFFFFFF)
        if hidden is not None:
            return is_public(hidden)
        if address.is_site_local:  # RFC 3879 gave it up, and `is_global` takes it for public
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved
