"""Mail servers for the tests: one that shows the octets of the wire, one that follows a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.parts.network import free_port

END_OF_DATA = b"\r\n.\r\n"


@dataclass
class Taken:
    """One mail that a sink answered 250. `octets` are after dot-unstuffing, `wire` before."""

    mail: str
    rcpt: list[str]
    wire: bytes

    @property
    def octets(self) -> bytes:
        unstuffed = (b"\r\n" + self.wire).replace(b"\r\n..", b"\r\n.")
        return unstuffed[2:] + b"\r\n"

    @property
    def body(self) -> bytes:
        """Without the Received field on top."""
        _, _, rest = self.octets.partition(b"\r\n\tby ")
        return rest.partition(b"\r\n")[2].partition(b"\r\n")[2]


@dataclass
class Sink:
    """A raw SMTP server. `answer(line)` may return another reply than the usual one."""

    port: int = field(default_factory=free_port)
    offers: Sequence[str] = ("SIZE 52428800", "8BITMIME", "SMTPUTF8")
    greeting: str = "220 sink ESMTP"
    answer: Callable[[str], str | None] = lambda _: None
    data_delay: float = 0.0
    silent: bool = False  # takes connections and says nothing
    taken: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    sessions: int = 0
    at_once: int = 0
    most_at_once: int = 0
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._session, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            for writer in list(self.writers):
                writer.transport.abort()
            self.server = None

    def got(self, count: int) -> Callable[[], bool]:
        return lambda: len(self.taken) >= count

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        self.writers.add(writer)
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await reader.read()
            return
        writer.write(f"{self.greeting}\r\n".encode())
        mail, rcpt = "", list[str]()
        while line := (await reader.readline()).decode("utf-8", "surrogateescape").rstrip("\r\n"):
            self.lines.append(line)
            verb = line.split()[0].upper()
            reply = self.answer(line) or self._usual(verb)
            if verb == "MAIL" and reply.startswith("2"):
                mail, rcpt = line, []
            elif verb == "RCPT" and reply.startswith("2"):
                rcpt.append(line)
            elif verb == "DATA" and reply.startswith("3"):
                writer.write(f"{reply}\r\n".encode())
                reply = await self._data(reader, mail, rcpt)
            if reply == "hang up":
                return
            writer.write(f"{reply}\r\n".encode())
            if verb == "QUIT" or reply.endswith("then hang up"):
                return

    async def _data(self, reader: asyncio.StreamReader, mail: str, rcpt: list[str]) -> str:
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        wire = b""
        while not wire.endswith(END_OF_DATA):
            chunk = await reader.read(65536)
            if not chunk:
                raise ConnectionResetError
            wire += chunk
        await asyncio.sleep(self.data_delay)
        self.at_once -= 1
        reply = self.answer(".") or f"250 2.0.0 Ok: queued as SINK{len(self.taken)}"
        if reply.startswith("2"):
            self.taken.append(Taken(mail, list(rcpt), wire.removesuffix(END_OF_DATA)))
        return reply

    def _usual(self, verb: str) -> str:
        if verb == "EHLO":
            lines = ["sink", *self.offers]
            return "\r\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 2.1.0 Ok")


@asynccontextmanager
async def sink(**fields: object) -> AsyncIterator[Sink]:
    """A running sink, stopped at the end."""
    made = Sink(**fields)  # type: ignore[arg-type]  # its fields by name
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
