"""A whole message looked at by clamd: as it came, and each of its files, and of those of mails in
it, as our parser reads them.

Both, since two parsers never agree: what clamd does not see in the message may be what a reader is
given, and the reverse. `Scanner` is one for a process and safe to share between threads: few look
at once, and a clamd that was away is not asked again for a moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from app.config import Config
from app.file_views import MOST_DEEP, FileState, claims_mail
from app.scanning.clamd import Clamd, ScannerAway, TooLarge
from archive_store.mime.values import Attachment, ParsedMessage

AT_ONCE: Final = 4
REST_SECONDS: Final = 5.0
VERSION_SECONDS: Final = 2.0
VERSION_KEPT: Final = 30.0
MOST_FILES: Final = 100  # looked at beside the message; with more, not all was looked at
MOST_PARSED: Final = 512 * 1024 * 1024  # octets: a mail is taken apart once for each of its files


class Parsers(Protocol):
    """The killable parser; it raises for no content."""

    def message(self, octets: bytes) -> ParsedMessage: ...
    def attachment(self, octets: bytes, index: int) -> tuple[Attachment, bytes] | None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and by which clamd with which signatures."""

    state: FileState  # clean, infected or large
    found: str  # the name of a signature, of an infected message
    by: str


class Scanner:
    """clamd, asked with patience."""

    def __init__(self, clamd: Clamd, parsers: Parsers, rest: float = REST_SECONDS) -> None:
        self._clamd = clamd
        self._parsers = parsers
        self._rest = rest
        self._rests_until = 0.0
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._version: tuple[float, str] | None = None

    def version(self, *, anew: bool = False, seconds: float = VERSION_SECONDS) -> str:
        """clamd's version and signatures, as it said at most VERSION_KEPT seconds ago."""
        known = self._version
        if known is not None and not anew and monotonic() - known[0] < VERSION_KEPT:
            return known[1]
        self._look_up()
        try:
            text = self._clamd.version(min(seconds, VERSION_SECONDS))
        except ScannerAway:
            self._give_rest()
            raise
        self._version = (monotonic(), text)
        return text

    def judge(self, octets: bytes, seconds: float) -> Verdict:
        """Look at a message; ScannerAway when that cannot be said within `seconds`."""
        until = monotonic() + seconds
        self._look_up()
        if not self._places.acquire(timeout=seconds):
            raise ScannerAway("it has much to do")
        try:
            by = self.version(
                anew=True, seconds=seconds
            )  # before: who reloads meanwhile has newer ones
            return self._judged(octets, by, until)
        except ScannerAway:
            self._give_rest()
            raise
        finally:
            self._places.release()

    def _judged(self, octets: bytes, by: str, until: float) -> Verdict:
        state = FileState.CLEAN
        for piece in self._pieces(octets):
            if piece is None:
                state = FileState.LARGE
                continue
            try:
                found = self._clamd.scan(piece, until - monotonic())
            except TooLarge:
                state = FileState.LARGE
                continue
            if found:
                return Verdict(FileState.INFECTED, found, by)
        return Verdict(state, "", by)

    def _pieces(self, octets: bytes) -> Iterator[bytes | None]:
        """None where files are left out."""
        yield octets
        mails, files, room = [(octets, 1)], 0, MOST_PARSED
        while mails:
            mail, depth = mails.pop()
            for file in self._parsers.message(mail).attachments:
                files, room = files + 1, room - len(mail)
                if files > MOST_FILES or room < 0:
                    yield None
                    return
                found = self._parsers.attachment(mail, file.index)
                if found is None:
                    continue
                yield found[1]
                if claims_mail(found[0]) and depth < MOST_DEEP:
                    mails.append((found[1], depth + 1))

    def _look_up(self) -> None:
        if monotonic() < self._rests_until:
            raise ScannerAway("it did not answer a moment ago")

    def _give_rest(self) -> None:
        self._version = None
        self._rests_until = monotonic() + self._rest


def scanner_of(config: Config, parsers: Parsers) -> Scanner | None:
    """The scanner of the settings, if there is one."""
    return None if config.clamd is None else Scanner(Clamd(config.clamd), parsers)
