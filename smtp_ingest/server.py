"""Listening for SMTP and LMTP, and stopping without losing the mail in hand.

A state machine without I/O (`session`) under a thin protocol (`connection`), best run on uvloop.

Several processes share a port in one of two ways. Either the supervisor binds one socket and
each process gets it by inheritance (`bind`, then pass the socket to `serve`): a port in use is
found before any process starts. Or each binds its own with `reuse_port`, and the kernel spreads
the clients; then two unrelated programs can share a port without noticing.
"""

import asyncio
import os
import socket
import ssl
from dataclasses import replace
from typing import Any, TypeAlias

from smtp_ingest.admission import Admission
from smtp_ingest.budget import OctetBudget
from smtp_ingest.config import KEPT_FOR_SMALL, IngestConfig
from smtp_ingest.connection import HANDSHAKE_TIMEOUT, Connection, Reception
from smtp_ingest.dialogue import Listener
from smtp_ingest.ports import LoginCheck, MailDoor
from smtp_ingest.proxied_tls import ProxiedTls

BACKLOG = 512
TICK = 1.0  # seconds between looks at the clock; a client that is too slow has that much more

Address: TypeAlias = tuple[str, int] | socket.socket


class CannotListen(Exception):
    """A listening port could not be had. The text is one line that names it."""


class RunningServer:
    """The listeners and their sessions."""

    def __init__(self, config: IngestConfig) -> None:
        self.ports: dict[str, int] = {}  # "smtp", "lmtp", "smtps": where it listens
        self._config = config
        self._servers: list[asyncio.Server | ProxiedTls] = []
        self._connections: set[Connection] = set()
        self._tick = min(
            TICK,
            config.command_timeout.total_seconds() / 4,
            config.data_timeout.total_seconds() / 4,
        )
        self._clock = asyncio.get_running_loop().create_task(self._watch())

    @property
    def sessions(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    async def listen(
        self, name: str, reception: Reception, where: Address, *, reuse_port: bool
    ) -> None:
        """Open one more listener."""
        if name == "smtps" and reception.proxies and reception.tls is not None:
            listening = where
            if not isinstance(listening, socket.socket):
                listening = bind(name, *listening, reuse_port=reuse_port)
            bare = replace(reception, proxies=())
            self._servers.append(ProxiedTls(bare, reception.tls, reception.proxies, listening))
            self.ports[name] = listening.getsockname()[1]
            return
        loop = asyncio.get_running_loop()
        # uvloop refuses the patience for a handshake where there is none.
        tls: Any = {}
        if name == "smtps":
            tls = {"ssl": reception.tls, "ssl_handshake_timeout": HANDSHAKE_TIMEOUT}

        def connect() -> Connection:
            return Connection(reception)

        if isinstance(where, socket.socket):
            server = await loop.create_server(connect, sock=where, backlog=BACKLOG, **tls)
        else:
            host, port = where
            try:
                server = await loop.create_server(
                    connect, host, port, backlog=BACKLOG, reuse_port=reuse_port, **tls
                )
            except OSError as error:
                raise _cannot_listen(name, host, port, error) from error
        self._servers.append(server)
        self.ports[name] = server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stop listening, finish the mail in hand within `stop_grace`, say 421 to the others."""
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.shut_down()
        await self._emptied(self._config.stop_grace.total_seconds())
        for connection in list(self._connections):
            connection.abort()
        await self._emptied(TICK)
        self._clock.cancel()

    async def _emptied(self, seconds: float) -> None:
        if self._connections:
            await asyncio.wait({each.closed for each in self._connections}, timeout=seconds)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._tick)
            now = loop.time()
            for connection in list(self._connections):
                connection.look_at_the_clock(now)


async def serve(  # noqa: PLR0913 - each is a listener of its own
    door: MailDoor,
    config: IngestConfig,
    *,
    smtp: Address | None = None,
    lmtp: Address | None = None,
    smtps: Address | None = None,
    tls: ssl.SSLContext | None = None,
    logins: LoginCheck | None = None,
    reuse_port: bool = False,
) -> RunningServer:
    """Listen, and hand each mail to the door.

    With `tls`, STARTTLS is offered; `smtps` (RFC 8314) needs it. With `logins` too, AUTH is.
    """
    if smtps is not None and tls is None:
        raise ValueError("smtps needs tls")
    running = RunningServer(config)
    kept = min(KEPT_FOR_SMALL, config.max_octets_in_flight - config.max_size)
    budget = OctetBudget(config.max_octets_in_flight, kept=kept)
    admission = Admission(config)
    try:
        for name, where in (("smtp", smtp), ("lmtp", lmtp), ("smtps", smtps)):
            if where is None:
                continue
            auth = tls is not None and logins is not None
            listener = Listener(
                config, budget, name == "lmtp", tls is not None, auth, config.needs_auth_on(name)
            )
            proxies = config.trusted.proxies(name)
            reception = Reception(
                door, listener, admission, tls, proxies, logins, running._connections
            )
            await running.listen(name, reception, where, reuse_port=reuse_port)
    except CannotListen:
        await running.aclose()
        raise
    return running


def bind(name: str, host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    """Bind and listen, for processes to inherit. Raises CannotListen."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server(
            (host, port), family=family, backlog=BACKLOG, reuse_port=reuse_port
        )
    except OSError as error:
        raise _cannot_listen(name, host, port, error) from error
    listening.setblocking(False)
    listening.set_inheritable(True)
    return listening


def _cannot_listen(name: str, host: str, port: int, error: OSError) -> CannotListen:
    # asyncio's own text repeats the address; that of a name not found has no number above 0.
    number = error.errno or 0
    reason = (os.strerror(number) if number > 0 else error.strerror or str(error)).lower()
    return CannotListen(f"cannot listen for {name.upper()} on {host}:{port}: {reason}")
