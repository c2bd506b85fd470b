"""A client for the stand-in's control API, for the demo page, the demo command and the tests.

Synchronous and thread-safe. `StandInGone` when nobody answers on the socket, `StandInRefused` with
a sentence when the stand-in cannot do what was asked. Seconds.
"""

import hashlib
import http.client
import json
import os
import socket
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from app.demo.kept import KeptMail
from app.demo.standin import SLOW_SECONDS, Mode

SOCKET_NAME = "standin.sock"
LONGEST_SOCKET_PATH = 100  # octets; the kernel takes 107 (unix(7))
TIMEOUT = 5.0

Where = Literal["primary", "outside"]


class StandInError(Exception):
    """The stand-in did not do what was asked."""


class StandInGone(StandInError):
    """Nobody answers on the control socket: the stand-in does not run."""


class StandInRefused(StandInError):
    """The stand-in said no, and why."""


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """One of the stand-in's two ports."""

    up: bool
    since: datetime
    mode: Mode
    slow_seconds: float
    host: str
    port: int
    kept: int  # messages on its shelf


@dataclass(frozen=True, slots=True)
class StandInStatus:
    primary: ListenerStatus
    outside: ListenerStatus


class StandInControl:
    """Asks and steers one stand-in. Each call is a connection of its own, so there is no state."""

    def __init__(self, path: Path, timeout: float = TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout

    def status(self) -> StandInStatus:
        return _status(self._json("GET", "/status"))

    def stop(self) -> StandInStatus:
        """Take the primary down: its port is closed when this returns."""
        return _status(self._json("POST", "/stop"))

    def start(self) -> StandInStatus:
        """Bring the primary up: it listens when this returns."""
        return _status(self._json("POST", "/start"))

    def set_mode(self, mode: Mode, slow_seconds: float = SLOW_SECONDS) -> StandInStatus:
        wanted: dict[str, object] = {"mode": mode.value, "slow_seconds": slow_seconds}
        return _status(self._json("POST", "/mode", wanted))

    def messages(self, where: Where = "primary", limit: int = 50) -> list[KeptMail]:
        """The newest kept messages, newest first."""
        found = self._json("GET", f"/messages/{where}?limit={limit}")
        return [KeptMail.from_json(fields) for fields in found]

    def octets(self, mail_id: str, where: Where = "primary") -> bytes:
        """One kept message as it came."""
        return self._call("GET", f"/messages/{where}/{quote(mail_id, safe='')}")

    def _json(self, method: str, path: str, body: dict[str, object] | None = None) -> Any:
        return json.loads(self._call(method, path, body))

    def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> bytes:
        with closing(_UnixConnection(self._path, self._timeout)) as connection:
            try:
                connection.request(method, path, None if body is None else json.dumps(body))
                response = connection.getresponse()
                answer = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise StandInGone("the stand-in mail server does not answer") from error
        if response.status >= http.client.BAD_REQUEST:
            raise StandInRefused(answer.decode("utf-8", "replace"))
        return answer


class _UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket, closed also when nobody listens there."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("standin", timeout=timeout)  # a name for the Host header, never looked up
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def control_socket(data_dir: Path) -> Path:
    """Where the control socket of a demo lives: in its data folder, which is this user's alone.

    A folder whose path is too long for a Unix socket gets a private one in the temporary folder.
    """
    path = data_dir.absolute() / SOCKET_NAME
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"livearchive-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise StandInError(f"{folder} is not this user's alone: choose a shorter data folder")
    return folder / SOCKET_NAME


def _status(fields: dict[str, Any]) -> StandInStatus:
    return StandInStatus(_listener(fields["primary"]), _listener(fields["outside"]))


def _listener(fields: dict[str, Any]) -> ListenerStatus:
    since = datetime.fromisoformat(fields["since"])
    return ListenerStatus(**(fields | {"since": since, "mode": Mode(fields["mode"])}))
