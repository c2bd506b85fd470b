"""The PROXY header of a load balancer, versions 1 and 2 (HAProxy's proxy-protocol.txt).

A listed load balancer must begin with it: to guess would let its clients write it themselves.
It is read once, before the first octet of SMTP; the server speaks only after it. Names of hosts,
TLS facts and checksums that version 2 may add are skipped.
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

LONGEST = 4096  # version 1 has at most 107 octets; version 2 as much as it adds
_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
_V1_LONGEST = 107
_V1 = re.compile(
    rb"PROXY (?:UNKNOWN(?: [ -~]*)?|"
    rb"(TCP[46]) ([0-9A-Fa-f.:]+) ([0-9A-Fa-f.:]+) ([0-9]{1,5}) ([0-9]{1,5}))"
)
_V2 = struct.Struct("!12sBBH")
_Kind = type[IPv4Address | IPv6Address]
_ADDRESSES: dict[int, tuple[struct.Struct, _Kind]] = {
    0x11: (struct.Struct("!4s4sHH"), IPv4Address),  # TCP over IPv4
    0x21: (struct.Struct("!16s16sHH"), IPv6Address),
}


class BadHeader(ValueError):
    """Not a PROXY header: the connection has to end without a word."""


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """What it said. No address: the balancer speaks for itself, as when it checks our health."""

    client_ip: str
    client_port: int
    rest: bytes  # what came after it


def read_header(octets: bytes) -> ProxyHeader | None:
    """The header at the beginning of a connection; None: more octets are needed."""
    if octets.startswith(_SIGNATURE[: len(octets)]):
        return _version_2(octets) if len(octets) >= _V2.size else None
    if not octets.startswith(b"PROXY "[: len(octets)]):
        raise BadHeader("no signature")
    line, end, rest = octets.partition(b"\r\n")
    if len(line) + 2 > _V1_LONGEST:
        raise BadHeader("too long")
    return _version_1(line, rest) if end else None


def _version_1(line: bytes, rest: bytes) -> ProxyHeader:
    match = _V1.fullmatch(line)
    if match is None:
        raise BadHeader("malformed")
    if match[1] is None:
        return ProxyHeader("", 0, rest)
    try:
        client, ours = ip_address(match[2].decode()), ip_address(match[3].decode())
    except ValueError:
        raise BadHeader("no address") from None
    ports = int(match[4]), int(match[5])
    if {client.version, ours.version} != {int(match[1][3:])} or max(ports) > 65_535:
        raise BadHeader("no such address")
    return ProxyHeader(_plain(client), ports[0], rest)


def _version_2(octets: bytes) -> ProxyHeader | None:
    _signature, version_and_command, family, length = _V2.unpack_from(octets)
    if version_and_command not in (0x20, 0x21):  # LOCAL, PROXY
        raise BadHeader("another version or command")
    end = _V2.size + length
    if end > LONGEST:
        raise BadHeader("too long")
    if len(octets) < end:
        return None
    rest = octets[end:]
    if version_and_command == 0x20 or family not in _ADDRESSES:
        return ProxyHeader("", 0, rest)
    layout, kind = _ADDRESSES[family]
    if length < layout.size:
        raise BadHeader("no room for its addresses")
    client, _ours, port, _our_port = layout.unpack_from(octets, _V2.size)
    return ProxyHeader(_plain(kind(client)), port, rest)


def _plain(address: IPv4Address | IPv6Address) -> str:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
