"""SMTP with TLS from the start, behind load balancers that say who their client is.

The PROXY header comes before the first octet of TLS, often in the same packet. So it is looked at
in the socket and exactly its octets are taken out, before anything else may read from there.
"""

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from functools import partial

from smtp_ingest.connection import HANDSHAKE_TIMEOUT, HEADER_TIMEOUT, Connection, Reception, peer
from smtp_ingest.proxy_header import BadHeader, ProxyHeader, read_header
from smtp_ingest.trust import Networks, covers

LARGEST_LOOK = 4096  # octets; a header of version 2 with all that it may carry comes in pieces
NO_SOCKET_SECONDS = 1.0

log = logging.getLogger(__name__)


class ProxiedTls:
    """One listener, with the verbs of an asyncio.Server that its owner uses."""

    def __init__(
        self, reception: Reception, tls: ssl.SSLContext, proxies: Networks, listening: socket.socket
    ) -> None:
        self.sockets = (listening,)
        self._reception = reception
        self._tls = tls
        self._proxies = proxies
        self._loop = asyncio.get_running_loop()
        self._coming: set[asyncio.Task[None]] = set()
        self._accepting = self._loop.create_task(self._accept())

    def close(self) -> None:
        """Take no more; sessions go on."""
        for task in (self._accepting, *self._coming):
            task.cancel()
        self.sockets[0].close()

    async def _accept(self) -> None:
        while True:
            try:
                connection, name = await self._loop.sock_accept(self.sockets[0])
            except OSError as error:  # no file to be had, or a client that left at once
                log.warning("cannot accept a connection: %s", error.strerror)
                await asyncio.sleep(NO_SOCKET_SECONDS)
                continue
            task = self._loop.create_task(self._let_in(connection, peer(name)))
            self._coming.add(task)
            task.add_done_callback(self._coming.discard)
            task.add_done_callback(partial(_close_unbegun, connection))

    async def _let_in(self, connection: socket.socket, client: tuple[str, int]) -> None:
        try:
            if covers(self._proxies, client[0]):
                async with asyncio.timeout(HEADER_TIMEOUT):
                    header = await self._header(connection)
                if header.client_ip:
                    client = header.client_ip, header.client_port
            await self._loop.connect_accepted_socket(
                lambda: Connection(self._reception, client),
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
            )
        except BadHeader as error:
            log.warning("a listed proxy sent no PROXY header: %s", error)
            connection.close()
        except (OSError, TimeoutError) as error:  # ssl.SSLError is one
            log.info("no TLS session came about: %s", type(error).__name__)
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    async def _header(self, connection: socket.socket) -> ProxyHeader:
        """Read a header and nothing behind it. Raises BadHeader, OSError."""
        read = b""
        while True:
            await self._readable(connection)
            seen = connection.recv(LARGEST_LOOK, socket.MSG_PEEK)
            if not seen:
                raise ConnectionResetError
            header = read_header(read + seen)
            if header is not None:
                connection.recv(len(seen) - len(header.rest))
                return header
            read += connection.recv(len(seen))

    async def _readable(self, connection: socket.socket) -> None:
        ready = self._loop.create_future()
        self._loop.add_reader(connection, ready.set_result, None)
        try:
            await ready
        finally:
            with suppress(OSError, ValueError):
                self._loop.remove_reader(connection)


def _close_unbegun(connection: socket.socket, task: asyncio.Task[None]) -> None:
    """One that is cancelled before its first step never gets to its own end."""
    if task.cancelled():
        connection.close()
