"""The one Received line that goes on top of what is relayed (RFC 5321 section 4.4).

It names no recipient: with several of them that would tell the hidden ones to all. The client's
greeting is its own claim and is written with nothing but harmless characters; its IP address is
ours. The result is folded, printable ASCII, and ends with CR LF.
"""

import ipaddress
import re
from datetime import UTC, datetime
from email.utils import format_datetime

_HARMLESS = re.compile(r"[^A-Za-z0-9._:\[\]-]")
MAX_GREETING = 255


def received_line(
    *, helo: str, client_ip: str, protocol: str, by: str, mail_id: str, at: datetime
) -> bytes:
    """Build the line; `protocol` is `ReceivedMail.protocol`, `by` our own host name."""
    date = format_datetime(at.astimezone(UTC))
    line = (
        f"Received: from {_harmless(helo)} ({_address_literal(client_ip)})\r\n"
        f"\tby {_harmless(by)} with {_harmless(protocol)} id {_harmless(mail_id)};\r\n"
        f"\t{date}\r\n"
    )
    return line.encode("ascii")


def _harmless(text: str) -> str:
    return _HARMLESS.sub("?", text[:MAX_GREETING]) or "unknown"


def _address_literal(client_ip: str) -> str:
    """RFC 5321 section 4.1.3; "": a local socket; no address: its proxy does not know it."""
    try:
        address = ipaddress.ip_address(client_ip)
    except ValueError:
        return "unknown" if client_ip else "localhost"
    return f"[IPv6:{address.compressed}]" if address.version == 6 else f"[{address}]"
