"""The protocol of clamd (clamd(8)): INSTREAM and VERSION, each on a connection of its own.

clamd may be away, slow or killed at any moment: all of that is `ScannerAway`, and whoever asks
decides what it means. Times are in seconds and cover the whole question.
"""

from __future__ import annotations

import re
import select
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.config_kinds import HostPort

_CHUNK: Final = 64 * 1024
_LENGTH: Final = struct.Struct(">I")
_LONGEST_ANSWER: Final = 4096
_NAME: Final = re.compile(r"[!-~]{1,100}")
_LIMITS: Final = "Heuristics.Limits.Exceeded"  # AlertExceedsMax: not looked at to its end


class ScannerAway(Exception):
    """clamd does not answer, or not in time, or not as clamd does."""


class TooLarge(Exception):
    """clamd takes no more than its limits say (StreamMaxLength, MaxFileSize, MaxScanSize)."""


@dataclass(frozen=True, slots=True)
class Clamd:
    """One clamd, at a Unix socket or at HOST:PORT."""

    where: HostPort | Path

    def version(self, seconds: float) -> str:
        """What it is, with the number of its signatures where they have one."""
        with _Question(self.where, seconds) as question:
            question.say(b"zVERSION\0")
            text = question.answer()
        if not text.startswith("ClamAV"):
            raise ScannerAway("it is no clamd")
        return text[:120]

    def scan(self, octets: bytes, seconds: float) -> str:
        """The name of what was found; empty for nothing. TooLarge: not all was looked at."""
        with _Question(self.where, seconds) as question:
            question.say(b"zINSTREAM\0")
            for start in range(0, len(octets), _CHUNK):
                # It says what is wrong while we still write, then closes: read that instead.
                if question.is_answered():
                    break
                chunk = octets[start : start + _CHUNK]
                question.say(_LENGTH.pack(len(chunk)) + chunk)
            else:
                question.say(_LENGTH.pack(0))
            return _found(question.answer())


def _unix_connection(path: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _found(answer: str) -> str:
    text = answer.removeprefix("stream: ")
    if text == "OK":
        return ""
    name, space, word = text.rpartition(" ")
    if word == "FOUND" and space:
        if name.startswith(_LIMITS):
            raise TooLarge
        return name if _NAME.fullmatch(name) else "unnamed"
    if "size limit exceeded" in text:
        raise TooLarge
    raise ScannerAway("it could not look")


class _Question:
    """One connection, with one deadline for all that happens on it."""

    def __init__(self, where: HostPort | Path, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        if seconds <= 0:
            raise ScannerAway("no answer in time")
        try:
            if isinstance(where, HostPort):
                self._socket = socket.create_connection((where.host, where.port), seconds)
            else:
                self._socket = _unix_connection(str(where), seconds)
        except OSError as error:
            raise ScannerAway((error.strerror or "no answer").lower()) from None

    def __enter__(self) -> _Question:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def is_answered(self) -> bool:
        # Not select(2): a process with many connections has numbers beyond its 1,023.
        look = select.poll()
        look.register(self._socket, select.POLLIN)
        return bool(look.poll(0))

    def say(self, octets: bytes) -> None:
        try:
            self._patience()
            self._socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            return  # what it said before it closed tells why
        except OSError:
            raise ScannerAway("no answer in time") from None

    def answer(self) -> str:
        octets = b""
        try:
            while not octets.endswith(b"\0") and len(octets) < _LONGEST_ANSWER:
                self._patience()
                some = self._socket.recv(_LONGEST_ANSWER)
                if not some:
                    break
                octets += some
        except TimeoutError:
            raise ScannerAway("no answer in time") from None
        except OSError:
            raise ScannerAway("it broke off") from None
        if not octets.endswith(b"\0"):
            raise ScannerAway("it broke off")
        return octets[:-1].decode("ascii", "replace").strip()

    def _patience(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
