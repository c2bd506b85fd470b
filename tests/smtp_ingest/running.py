"""A real server of ours on a loop in a thread, and a raw client that sees every octet."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import uvloop

from smtp_ingest.config import IngestConfig
from smtp_ingest.ports import LoginCheck, MailDoor
from smtp_ingest.server import Address, RunningServer, serve
from tests.smtp_ingest.doubles import CONFIG, ENVELOPE

T = TypeVar("T")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "asyncio": asyncio.new_event_loop,
}


class Running:
    """A server that listens for SMTP and LMTP on 127.0.0.1."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.server: RunningServer

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        """The graceful end."""
        self.run(self.server.aclose())

    @property
    def smtp(self) -> int:
        return self.server.ports["smtp"]

    @property
    def smtps(self) -> int:
        return self.server.ports["smtps"]

    @property
    def lmtp(self) -> int:
        return self.server.ports["lmtp"]


@contextmanager
def running(
    door: MailDoor,
    config: IngestConfig = CONFIG,
    *,
    smtp: Address = ("127.0.0.1", 0),
    tls: ssl.SSLContext | None = None,
    logins: LoginCheck | None = None,
    loop: str = "uvloop",
) -> Iterator[Running]:
    """Serve until the block ends."""
    event_loop = LOOPS[loop]()
    thread = threading.Thread(target=event_loop.run_forever)
    thread.start()
    this = Running(event_loop)
    try:
        anywhere = ("127.0.0.1", 0)
        smtps = anywhere if tls is not None else None
        listening = serve(
            door, config, smtp=smtp, lmtp=anywhere, smtps=smtps, tls=tls, logins=logins
        )
        this.server = this.run(listening)
        try:
            yield this
        finally:
            this.stop()
    finally:
        event_loop.call_soon_threadsafe(event_loop.stop)
        thread.join()
        event_loop.close()


class RawClient:
    """A client that sends exactly what it is told."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._lines = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The last line of the next reply; empty at the end of the connection."""
        while True:
            line = self._lines.readline().decode("ascii").rstrip("\r\n")
            if line[3:4] != "-":
                return line

    def ask(self, octets: bytes) -> str:
        self.send(octets)
        return self.reply()

    def greet(self, verb: bytes = b"EHLO") -> Self:
        self.reply()
        assert self.ask(verb + b" client.example\r\n").startswith("250 ")
        return self

    def start_data(self) -> None:
        """A transaction up to the 354."""
        self.send(ENVELOPE + b"DATA\r\n")
        assert [self.reply()[:3] for _ in range(3)] == ["250", "250", "354"]

    def rest(self) -> bytes:
        """All that still comes, up to the end of the connection."""
        try:
            return self._lines.read()
        except ConnectionResetError:
            return b""
