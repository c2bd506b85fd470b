"""A request to the site in this process, without a client in between."""

import asyncio
from collections.abc import MutableMapping
from typing import Any


class Sent:
    """Both ends of a request: gives its body, takes the response, then hangs up."""

    def __init__(self, body: bytes) -> None:
        self._given = [{"type": "http.request", "body": body}]
        self._begun = asyncio.Event()
        self.status, self.head, self.body = 0, list[tuple[bytes, bytes]](), bytearray()

    async def receive(self) -> dict[str, Any]:
        if self._given:
            return self._given.pop()
        await self._begun.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.head = message["status"], list(message["headers"])
        else:
            self.body += message.get("body", b"")
            self._begun.set()


def scope_of(method: str, path: str, cookies: str) -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1:8025"),
            (b"cookie", cookies.encode()),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
        "client": ("192.0.2.7", 40_000),
        "server": ("127.0.0.1", 8025),
        "state": {},
    }
