"""One signed request to a webhook (Standard Webhooks: webhook-id, -timestamp, -signature).

The receiver is somebody else's word, so: the name is looked up once and every address must be a
public one, and the connection goes to just that address; no redirect is followed; of the answer
only the status is read; all of it has `PATIENCE` seconds. Errors are in our own words.
"""

import asyncio
import hashlib
import hmac
import socket
import ssl
from base64 import b64decode, b64encode
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from app import __version__
from app.public_address import is_public
from app.secret import Secret

PATIENCE = 15.0
_HEAD = 16 * 1024  # octets of an answer's head


class NotDelivered(Exception):
    """The receiver has it not; `status` is that of its answer, or 0."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


def sign(secret: Secret, webhook_id: str, timestamp: int, body: str) -> str:
    """The value of `webhook-signature`: version 1, HMAC-SHA256 in base64."""
    key = b64decode(secret.reveal().removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.{body}".encode()
    return "v1," + b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def post(
    url: str, headers: dict[str, str], body: str, tls: ssl.SSLContext, *, private: bool
) -> None:
    """Make the request; NotDelivered unless the answer is 2xx. `private`: to any address."""
    try:
        async with asyncio.timeout(PATIENCE):
            status = await _ask(url, headers, body, tls, private=private)
    except TimeoutError:
        raise NotDelivered("no answer in time") from None
    except ssl.SSLError:
        raise NotDelivered("its certificate is not valid, or TLS failed") from None
    except OSError:
        raise NotDelivered("no connection") from None
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NotDelivered("its answer is no HTTP") from None
    if status // 100 != 2:
        raise NotDelivered(f"it answers {status}", status)


async def _ask(
    url: str, headers: dict[str, str], body: str, tls: ssl.SSLContext, *, private: bool
) -> int:
    parts = urlsplit(url)
    secure, host = parts.scheme == "https", parts.hostname or ""
    address = await _address(host, parts.port or (443 if secure else 80), private=private)
    reader, writer = await asyncio.open_connection(
        *address,
        limit=_HEAD,
        ssl=tls if secure else None,
        server_hostname=host if secure else None,
    )
    try:
        octets = body.encode()
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"User-Agent: LiveArchive/{__version__}",
            "Content-Type: application/json",
            f"Content-Length: {len(octets)}",
            "Connection: close",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode("ascii") + octets)
        await writer.drain()
        return await _status(reader)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of the first answer that is no interim one (RFC 9110 section 15.2)."""
    while True:
        head = await reader.readuntil(b"\r\n")
        version, _, rest = head.decode("latin-1").partition(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError("no HTTP")
        status = int(rest[:3])
        if status // 100 != 1:
            return status
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass


async def _address(host: str, port: int, *, private: bool) -> tuple[str, int]:
    """The address to connect to, and no other: a second look-up could say something else."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise NotDelivered("its name cannot be looked up") from None
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(is_public(ip_address(one.partition("%")[0])) for one in addresses):
        raise NotDelivered("its address is not a public one")
    return addresses[0], port
