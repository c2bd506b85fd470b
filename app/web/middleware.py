"""What holds for every request: the host, the sender, the size, and the headers of the answer.

Plain ASGI, outermost, so that error pages pass through it as well. The policy of
a page: nothing may run or load but our own files, scripts by a nonce drawn for
this one answer. An attachment lies on the same origin, but no policy of ours
would run it: script needs the nonce, and `nosniff` keeps it from being a style.
"""

import logging
import secrets
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.errors import error_page
from app.web.origin import SAFE_METHODS, allowed_hosts, host_name, is_own_request, is_trustworthy

log = logging.getLogger(__name__)

MIB = 1024 * 1024
UPLOAD_PATHS = "/compose/"
UPLOAD_LIMIT = 26 * MIB  # 25 MiB of attachments, and the text
BODY_LIMIT = 1 * MIB
ANY_HOST = ("/healthz", "/readyz")  # asked by probes that know only an address
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-src 'self'; manifest-src 'self'; "
    "object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# Where somebody writes rich text, what is quoted has styles of its own, and the editor's sanitiser
# makes the only HTML that a script may put into the page.
WRITING_POLICY = POLICY.replace(
    "style-src 'self'", "style-src 'self'; style-src-attr 'unsafe-inline'"
).replace("trusted-types 'none'", "trusted-types dompurify")
# Where a worker may be registered: its address is the one that a script may make (offline.js).
WORKER_POLICY = POLICY.replace(
    "trusted-types 'none'", "trusted-types livearchive-worker; worker-src 'self'"
)
DEFAULTS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), hid=(), "
    "microphone=(), payment=(), serial=(), usb=()",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",  # for what knows no frame-ancestors, which is stricter
}
HSTS = "max-age=31536000"
PLACES = 8  # of a failure, innermost first


def writing_policy(request: Request) -> str:
    """The policy of a page on which somebody writes."""
    return WRITING_POLICY.format(nonce=request.scope["state"]["nonce"])


class Shield:
    """The outermost middleware of the site."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.public_url = public_url
        self.hosts = allowed_hosts(public_url)
        # On plain http to another host, Origin alone tells a form of ours from another's, and
        # without a referrer it would tell nothing. Neither policy tells other sites anything.
        self.extra = {
            "Referrer-Policy": "no-referrer" if is_trustworthy(public_url) else "same-origin"
        }
        if public_url.startswith("https:"):
            self.extra["Strict-Transport-Security"] = HSTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(18)
        scope.setdefault("state", {})["nonce"] = nonce
        answer = Answer(send, scope["state"], self.extra)
        refused = self.refusal(scope)
        if refused:
            await error_page(Request(scope), refused)(scope, receive, answer.send)
            return
        await self.serve(scope, Body(scope, receive).receive, answer)

    def refusal(self, scope: Scope) -> int:
        """The status with which to refuse a request unseen; 0 to let it in."""
        headers = Headers(scope=scope)
        host = host_name(headers.get("host", ""))
        if host not in self.hosts and scope["path"] not in ANY_HOST:
            return 400
        if scope["method"] not in SAFE_METHODS and not is_own_request(headers, self.public_url):
            return 403
        return 0

    async def serve(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        try:
            await self.app(scope, receive, answer.send)
        except Exception as error:  # the edge: nothing may reach the server's own handler
            # The text of an exception can quote mail: only its type and place are logged.
            frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
            place = " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(frames))
            log.error("request failed: %s at %s", type(error).__name__, place)  # noqa: TRY400 as said
            if answer.started:
                raise ConnectionAbortedError from None
            await error_page(Request(scope), 500)(scope, receive, answer.send)


class Answer:
    """Sends a response with the headers that every answer of the site carries."""

    def __init__(self, send: Send, state: Mapping[str, Any], extra: Mapping[str, str]) -> None:
        self._send = send
        self._state = state
        self._extra = extra
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._protect(message)
        await self._send(message)

    def _protect(self, message: MutableMapping[str, Any]) -> None:
        headers = MutableHeaders(raw=message.setdefault("headers", []))
        for name, value in (*DEFAULTS.items(), *self._extra.items()):
            headers.setdefault(name, value)
        policy = WORKER_POLICY if self._state.get("has_worker") else POLICY
        headers.setdefault("Content-Security-Policy", policy.format(nonce=self._state["nonce"]))


class Body:
    """Receives a request's body up to the limit of its path."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._left = UPLOAD_LIMIT if scope["path"].startswith(UPLOAD_PATHS) else BODY_LIMIT
        declared = Headers(scope=scope).get("content-length", "0")
        self._too_long = declared.isdecimal() and int(declared) > self._left

    async def receive(self) -> Message:
        if self._too_long:
            raise HTTPException(413)
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        return message
