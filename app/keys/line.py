"""One connection to the keys role: a question and an answer at a time, each a line of JSON."""

import contextlib
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 30


class Line:
    """One connection to the keys role. OSError or ValueError: it is broken."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rwb")

    def exchange(self, request: bytes) -> Mapping[str, Any]:
        """Ask, and wait for the answer."""
        self._file.write(request)
        self._file.flush()
        line = self._file.readline()
        if not line:
            raise ConnectionResetError
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise ConnectionResetError  # not what the keys role says
        return answer

    def close(self) -> None:
        """What was not sent is not sent any more."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._socket.close()
