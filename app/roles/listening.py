"""Serving an ASGI app on a socket that is bound before anything else starts."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from app.config import HostPort
from app.config_kinds import Network
from archive_store.errors import ConfigError

GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Listening:
    """A socket that takes connections already, with a context where they begin with TLS."""

    socket: socket.socket
    tls: ssl.SSLContext | None = None


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: a role has one way to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(name: str, where: HostPort) -> socket.socket:
    """Bind and listen; ConfigError names the setting and the port."""
    try:
        family = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)[0][0]
        # Of one machine with both, [::] means both: names are looked up for either.
        both = where.host == "::" and socket.has_dualstack_ipv6()
        address = (where.host, where.port)
        return socket.create_server(address, family=family, backlog=512, dualstack_ipv6=both)
    except OSError as error:
        reason = (error.strerror or "no such address").lower()
        raise ConfigError(f"{name}: cannot listen on {where}: {reason}") from error


async def serve_app(
    app: FastAPI,
    listening: Sequence[Listening],
    proxies: tuple[Network, ...],
    stop: asyncio.Event,
    ready: Callable[[], None],
) -> None:
    """Serve until `stop`; requests in hand get a few seconds to end."""
    servers = [_server(app, proxies, one.tls) for one in listening]
    # The sockets take connections already; they wait the moment until uvicorn answers.
    ready()
    ending = asyncio.create_task(_end_with(stop, servers))
    serving = zip(servers, listening, strict=True)
    await asyncio.gather(*(server.serve(sockets=[one.socket]) for server, one in serving))
    ending.cancel()


def _server(app: FastAPI, proxies: tuple[Network, ...], tls: ssl.SSLContext | None) -> _Server:
    config = uvicorn.Config(
        app,
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[str(network) for network in proxies] or None,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
    )
    config.load()
    config.ssl = tls  # uvicorn's own way in knows files only, and reads them once
    return _Server(config)


async def _end_with(stop: asyncio.Event, servers: Sequence[_Server]) -> None:
    await stop.wait()
    for server in servers:
        server.should_exit = True
