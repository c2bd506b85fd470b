"""Port 80: answers to http-01 challenges (RFC 8555 section 8.3), a redirect, and nothing else.

Strangers reach it, so it reads one request of bounded size for a bounded time and closes. When too
many are connected the oldest has to go: whoever holds connections open keeps no authority out.
The Host header is never looked at: a redirect leads to PUBLIC_URL alone.
"""

import asyncio
import re
from dataclasses import dataclass, field
from typing import cast

PATIENCE_SECONDS = 10.0
LARGEST_HEAD = 16 * 1024
MOST_CONNECTIONS = 300
_PLACE = "/.well-known/acme-challenge/"
_REQUEST = re.compile(rb"([A-Z]{1,16}) (/[\x21-\x7e]{0,2000}) HTTP/1\.[01]\r?\n")
_END = re.compile(rb"\r?\n\r?\n")


@dataclass(slots=True)
class Answers:
    """The challenges that are open now. Written by one thread, read by another."""

    by_token: dict[str, str] = field(default_factory=dict)
    not_listening: str = ""  # why nobody can ask; empty: port 80 is ours

    def reply(self, head: bytes, redirect: str) -> bytes:
        """The whole answer to the head of a request."""
        match = _REQUEST.match(head)
        if match is None:
            return _response("400 Bad Request", "not a request\n")
        target = match[2].decode("ascii")
        if target.startswith(_PLACE):
            text = self.by_token.get(target.removeprefix(_PLACE))
            if text is None:
                return _response("404 Not Found", "no such challenge\n")
            return _response("200 OK", text, head_only=match[1] == b"HEAD")
        if not redirect:
            return _response("404 Not Found", "nothing here\n")
        return _response("301 Moved Permanently", "", f"Location: {redirect}{target}\r\n")


def _response(status: str, text: str, fields: str = "", *, head_only: bool = False) -> bytes:
    return (
        f"HTTP/1.1 {status}\r\n{fields}Content-Type: text/plain\r\n"
        f"Content-Length: {len(text)}\r\nX-Content-Type-Options: nosniff\r\n"
        f"Cache-Control: no-store\r\nConnection: close\r\n\r\n{'' if head_only else text}"
    ).encode("ascii")


class Port80:
    """All connections of the port."""

    def __init__(self, answers: Answers, redirect: str) -> None:
        self._answers = answers
        self._redirect = redirect
        self._open: dict[_Visit, None] = {}  # in the order of their coming

    def visit(self) -> "asyncio.Protocol":
        """A protocol for one connection."""
        return _Visit(self)

    def opened(self, visit: "_Visit") -> None:
        """Count a connection in; the oldest of too many goes."""
        self._open[visit] = None
        if len(self._open) > MOST_CONNECTIONS:
            next(iter(self._open)).drop()

    def closed(self, visit: "_Visit") -> None:
        """Count it out."""
        self._open.pop(visit, None)

    def reply(self, head: bytes) -> bytes:
        """What a request gets."""
        return self._answers.reply(head, self._redirect)


class _Visit(asyncio.Protocol):
    """One request and its answer."""

    def __init__(self, port: Port80) -> None:
        self._port = port
        self._head = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._limit = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self.drop)
        self._port.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        self._head += data
        if _END.search(self._head) or len(self._head) > LARGEST_HEAD:
            self._transport.write(self._port.reply(bytes(self._head)))
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limit.cancel()
        self._port.closed(self)

    def drop(self) -> None:
        """End it at once."""
        self._port.closed(self)
        self._transport.abort()
