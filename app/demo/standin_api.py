"""The stand-in's control: a small HTTP API on a Unix socket.

GET /status · GET /messages/{primary|outside}?limit=N · GET /messages/{...}/{id} (the octets) ·
POST /stop · POST /start · POST /mode {"mode": "normal|slow|refuse|reject", "slow_seconds": S}.
Each POST answers with the new status. Who may call it is decided by the socket's file mode (0600).
"""

import json
import math
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.demo.kept import Shelf
from app.demo.standin import SLOW_SECONDS, Listener, Mode, StandIn

LIMIT = 200
SLOWEST = 600.0  # seconds; more is an outage, and has its own button


def control_app(standin: StandIn) -> Starlette:
    """The API over one stand-in, to be run in the stand-in's own event loop."""
    api = _Api(standin)
    return Starlette(
        routes=[
            Route("/status", api.status, methods=["GET"]),
            Route("/messages/{where}", api.messages, methods=["GET"]),
            Route("/messages/{where}/{mail_id}", api.message, methods=["GET"]),
            Route("/start", api.start, methods=["POST"]),
            Route("/stop", api.stop, methods=["POST"]),
            Route("/mode", api.mode, methods=["POST"]),
        ]
    )


class _Api:
    def __init__(self, standin: StandIn) -> None:
        self._standin = standin

    async def status(self, request: Request) -> Response:
        standin = self._standin
        return JSONResponse(
            {"primary": _facts(standin.primary), "outside": _facts(standin.outside)}
        )

    async def messages(self, request: Request) -> Response:
        shelf = self._shelf(request)
        try:
            limit = min(max(int(request.query_params.get("limit", "50")), 1), LIMIT)
        except ValueError:
            raise HTTPException(400, "limit is a number") from None
        return JSONResponse([mail.to_json() for mail in shelf.recent(limit)])

    async def message(self, request: Request) -> Response:
        try:
            octets = self._shelf(request).octets(request.path_params["mail_id"])
        except KeyError:
            raise HTTPException(404, "no such message") from None
        return Response(octets, media_type="message/rfc822")

    async def start(self, request: Request) -> Response:
        try:
            await self._standin.start_primary(datetime.now(UTC))
        except OSError as error:
            raise HTTPException(409, f"the port cannot be opened: {error.strerror}") from error
        return await self.status(request)

    async def stop(self, request: Request) -> Response:
        self._standin.stop_primary(datetime.now(UTC))
        return await self.status(request)

    async def mode(self, request: Request) -> Response:
        try:
            wanted = json.loads(await request.body())
            mode = Mode(wanted["mode"])
            seconds = float(wanted.get("slow_seconds", SLOW_SECONDS))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise HTTPException(400, f"mode is one of {', '.join(Mode)}") from None
        if not (math.isfinite(seconds) and 0 <= seconds <= SLOWEST):
            raise HTTPException(400, f"slow_seconds is between 0 and {SLOWEST:.0f}")
        self._standin.set_mode(mode, seconds, datetime.now(UTC))
        return await self.status(request)

    def _shelf(self, request: Request) -> Shelf:
        listeners = {"primary": self._standin.primary, "outside": self._standin.outside}
        try:
            return listeners[request.path_params["where"]].shelf
        except KeyError:
            raise HTTPException(404, "primary or outside") from None


def _facts(listener: Listener) -> dict[str, object]:
    address = {"host": listener.address.host, "port": listener.address.port}
    return listener.state.to_json() | address | {"kept": listener.shelf.count}
