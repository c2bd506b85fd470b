"""A stranger's server of pictures on this machine, and a connection that leads to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from app.pictures.fetch import Stream


def answer(
    content: bytes = b"", status: str = "200 OK", kind: str = "image/png", more: str = ""
) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n{more}"
    return head.encode() + b"\r\n" + content


def moved(location: str) -> bytes:
    return answer(status="302 Found", more=f"Location: {location}\r\n")


@dataclass
class Strangers:
    """Answers by host and path; notes each request. Any name leads here, as a router would."""

    answers: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0

    @asynccontextmanager
    async def serving(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def connect(self, host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
        return await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=tls, server_hostname=host if tls else None, limit=16_384
        )

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        host = next(line[6:] for line in head.splitlines() if line.startswith("Host: "))
        path = head.split()[1]
        writer.write(self.answers.get(host + path, answer(status="404 Not Found")))
        writer.close()
