"""One picture from a stranger's server: HTTP/1.1 (RFC 9112) as far as a GET of a picture needs it.

The address is a stranger's word, so: a name is looked up once, every address it has must be a
public one, and the connection goes to just that address, with TLS checked against the name;
each of at most `MOST_REDIRECTS` redirects begins anew. No cookie, no referrer, nothing of the
reader or of this product is sent. All of it has `PATIENCE` seconds and `MOST_OCTETS`. `NotFetched`
says in our own words what went wrong. How a connection is made is the caller's (`Connect`).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from ipaddress import ip_address
from typing import Final, TypeVar

from app.pictures.web_address import BadAddress, WebAddress
from app.public_address import is_public

PATIENCE: Final = 10.0
MOST_OCTETS: Final = 5 * 1024 * 1024
MOST_REDIRECTS: Final = 3
_MOST_CHUNKS: Final = 20_000  # of 256 octets, the largest picture has as many
_HEAD: Final = 16 * 1024  # octets of an answer's head
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_USER_AGENT: Final = "Mozilla/5.0"  # what every browser begins with, and no more
_ACCEPT: Final = "image/avif,image/webp,image/png,image/jpeg,image/gif"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[str, int, ssl.SSLContext | None], Awaitable[Stream]]
T = TypeVar("T")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class NotFetched(Exception):
    """There is no picture to be had."""


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine looks names up."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


class PublicInternet:
    """Connects to hosts of the public internet, and to nothing else."""

    def __init__(self, resolve: Resolve = system_resolver) -> None:
        self._resolve = resolve

    async def __call__(self, host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
        """A connection to a host by its name; NotFetched when it is not a public one."""
        addresses = await self._resolve(host, port)
        # One that is not public is enough: a name that has both is up to something.
        if not addresses or not all(
            is_public(ip_address(one.partition("%")[0])) for one in addresses
        ):
            raise NotFetched("its address is not a public one")
        return await asyncio.open_connection(
            addresses[0], port, limit=_HEAD, ssl=tls, server_hostname=host if tls else None
        )


class Fetcher:
    """Fetches pictures. For one event loop."""

    def __init__(self, connect: Connect, tls: ssl.SSLContext) -> None:
        self._connect = connect
        self._tls = tls

    async def fetch(self, url: str) -> bytes:
        """The octets at an address; they may be anything."""
        return await _in_time(url, self._followed)

    async def post(self, url: str, form: bytes) -> None:
        """Send a form, over https alone; NotFetched unless its server took it. No redirect is
        followed: who is asked to do something has said where (RFC 8058 section 3.1).
        """
        await _in_time(url, partial(self._sent, form))

    async def _sent(self, form: bytes, address: WebAddress) -> None:
        if not address.secure:
            raise NotFetched("not over https")
        reader, writer = await self._connect(address.host, address.port, self._tls)
        try:
            lines = (
                f"POST {address.target} HTTP/1.1",
                f"Host: {address.host_field}",
                f"User-Agent: {_USER_AGENT}",
                "Content-Type: application/x-www-form-urlencoded",
                f"Content-Length: {len(form)}",
                "Connection: close",
            )
            writer.write("\r\n".join((*lines, "", "")).encode("ascii") + form)
            await writer.drain()
            status, _ = await _head(reader)
            if status // 100 != 2:
                raise NotFetched("its server did not take it")
        finally:
            writer.transport.abort()

    async def _followed(self, address: WebAddress) -> bytes:
        for _ in range(1 + MOST_REDIRECTS):
            answer = await self._ask(address)
            if isinstance(answer, bytes):
                return answer
            address = answer
        raise NotFetched("too many redirects")

    async def _ask(self, address: WebAddress) -> bytes | WebAddress:
        """The octets, or where they are said to be."""
        tls = self._tls if address.secure else None
        reader, writer = await self._connect(address.host, address.port, tls)
        try:
            lines = (
                f"GET {address.target} HTTP/1.1",
                f"Host: {address.host_field}",
                f"User-Agent: {_USER_AGENT}",
                f"Accept: {_ACCEPT}",
                "Accept-Encoding: identity",
                "Connection: close",
            )
            writer.write("\r\n".join((*lines, "", "")).encode("ascii"))
            await writer.drain()
            status, fields = await _head(reader)
            if status in _REDIRECTS and "location" in fields:
                return address.redirected(fields["location"])
            if status != 200:
                raise NotFetched("its server has none")
            return await _content(reader, fields)
        finally:
            # No farewell: who does not answer it would keep the place of another.
            writer.transport.abort()


async def _in_time(url: str, ask: Callable[[WebAddress], Awaitable[T]]) -> T:
    """What a stranger's server answers; NotFetched for all that can be wrong with it."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask(WebAddress.parse(url))
    except BadAddress:
        raise NotFetched("no address to ask") from None
    except TimeoutError:
        raise NotFetched("no answer in time") from None
    except OSError:  # of TLS too
        raise NotFetched("no connection") from None
    except (ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise NotFetched("its answer is no HTTP") from None


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and fields of the first answer that is no interim one (RFC 9110 section 15.2)."""
    room = _HEAD
    while True:
        version, _, rest = (await reader.readuntil(b"\r\n")).decode("latin-1").partition(" ")
        if not version.startswith("HTTP/1."):
            raise ValueError("no HTTP")
        fields: dict[str, str] = {}
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            room -= len(line)
            if room < 0:
                raise ValueError("a head without an end")
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.strip().lower()] = value.strip()
        status = int(rest[:3])
        if status // 100 != 1:
            return status, fields
        room -= len(version) + len(rest)


async def _content(reader: asyncio.StreamReader, fields: dict[str, str]) -> bytes:
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/octet-stream", "binary/octet-stream") and (
        not kind.startswith("image/") or "svg" in kind
    ):
        raise NotFetched("it is no picture")
    if fields.get("content-encoding", "identity").lower() != "identity":
        raise NotFetched("it is packed")
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return await _chunked(reader)
    if "transfer-encoding" in fields:
        raise ValueError("another transfer coding")
    length = fields.get("content-length")
    if length is None:
        return await _up_to_the_end(reader)
    return await _exactly(reader, int(length), MOST_OCTETS)


async def _exactly(reader: asyncio.StreamReader, length: int, room: int) -> bytes:
    if not 0 <= length <= room:
        raise NotFetched("it is too large")
    return await reader.readexactly(length)


async def _up_to_the_end(reader: asyncio.StreamReader) -> bytes:
    octets = bytearray()
    while some := await reader.read(64 * 1024):
        octets += some
        if len(octets) > MOST_OCTETS:
            raise NotFetched("it is too large")
    return bytes(octets)


async def _chunked(reader: asyncio.StreamReader) -> bytes:
    """RFC 9112 section 7.1; what trails is not read."""
    octets = bytearray()
    for _ in range(_MOST_CHUNKS):
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16)
        if size == 0:
            return bytes(octets)
        octets += await _exactly(reader, size, MOST_OCTETS - len(octets))
        if await reader.readexactly(2) != b"\r\n":
            raise ValueError("a chunk without an end")
    raise ValueError("crumbs, which cost more to read than they bring")
