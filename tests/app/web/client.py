"""A browser without a browser: keeps cookies, reads forms, sends them as a page would."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import httpx
from fastapi import FastAPI

from tests.app.web import sample

BASE = "http://127.0.0.1:8025"
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


class Client:
    """Talks to the app in this process; every call is one whole request."""

    def __init__(self, app: FastAPI, base: str = BASE) -> None:
        transport = httpx.ASGITransport(app=app, client=("198.51.100.7", 40_000))
        self._http = httpx.AsyncClient(transport=transport, base_url=base)

    def use(self, transport: httpx.ASGITransport) -> None:
        """Come from elsewhere."""
        self._http = httpx.AsyncClient(transport=transport, base_url=self._http.base_url)

    @property
    def cookies(self) -> httpx.Cookies:
        return self._http.cookies

    session_cookie = ""  # as the log-in set it

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def raw_post(self, path: str, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def token(self, path: str = "/settings") -> str:
        found = TOKEN.search(self.get(path).text)
        assert found is not None, f"no form token on {path}"
        return found[1]

    def post(
        self, path: str, fields: Mapping[str, object] | None = None, **options: Any
    ) -> httpx.Response:
        """Send a form as one of our own pages would."""
        data = {"csrf": self.token(), **(fields or {})}
        return self.raw_post(path, data=data, **options)

    def sign_in(self, address: str = "vlad@acme.example", **more: str) -> "Client":
        form = {"username": address, "password": sample.PASSWORD, **more}
        answer = self.raw_post("/login", data=form)
        assert answer.status_code == 303
        self.session_cookie = answer.headers["set-cookie"]
        return self
