"""The index role's checks: mail with files is looked at right after it is listed.

In a thread of its own, so that clamd slows neither the mail that comes in nor the list: at most
MOST_WAITING octets wait for it, and what has no place is looked at when somebody asks for its
files. A clamd that does not answer is an alarm until it answers again.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

from app.audit import alarms
from app.audit.events import ScannerAnswers, ScannerSilent
from app.audit.kinds import Kind
from app.scanning import verdicts
from app.scanning.clamd import ScannerAway
from app.scanning.scanner import Scanner
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError

log = logging.getLogger(__name__)
MOST_WAITING: Final = 64 * 1024 * 1024
PATIENCE: Final = 60.0  # for one message
CLOSE_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 30.0  # after so long without mail clamd is asked whether it is there


class Background:
    """The thread. `offer` is for another one; `close` ends it, and forgets what still waits."""

    def __init__(
        self,
        db: Database,
        scanner: Scanner,
        role: str,
        look: float = LOOK_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._db = db
        self._scanner = scanner
        self._role = role
        self._look = look
        self._now = now
        self._answers: bool | None = None  # None: not asked yet
        self._told_on: date | None = None  # the alarm is one of each day
        self._waiting: queue.SimpleQueue[tuple[bytes, bytes] | None] = queue.SimpleQueue()
        self._room = MOST_WAITING
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scanning", daemon=True)
        self._thread.start()

    def offer(self, message_id: bytes, octets: bytes) -> bool:
        """Have a message looked at, if there is room; never waits."""
        with self._lock:
            if len(octets) > self._room or self._answers is False:
                return False
            self._room -= len(octets)
        self._waiting.put((message_id, octets))
        return True

    def close(self) -> None:
        """End the thread; a message in its hands is given up after a moment."""
        self._closed.set()
        self._waiting.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        self._ask()
        while not self._closed.is_set():
            try:
                given = self._waiting.get(timeout=self._look)
            except queue.Empty:
                self._ask()
                continue
            if given is not None and not self._closed.is_set():
                try:
                    self._check(*given)
                except StoreError as error:  # it is looked at when somebody asks for its files
                    log.warning("a message was not looked at: %s", error)
                with self._lock:
                    self._room += len(given[1])

    def _ask(self) -> None:
        try:
            self._scanner.version(anew=True)
        except ScannerAway as error:
            self._tell(answers=False, why=str(error))
        else:
            self._tell(answers=True)

    def _check(self, message_id: bytes, octets: bytes) -> None:
        """Raises StoreError: no child to parse it could be started, or nothing written."""
        try:
            verdict = self._scanner.judge(octets, PATIENCE)
        except ScannerAway as error:
            self._tell(answers=False, why=str(error))
            return
        self._tell(answers=True)
        with self._db.write() as tx:
            verdicts.keep(tx, message_id, verdict, self._role, self._now())

    def _tell(self, *, answers: bool, why: str = "") -> None:
        """Note whether clamd answers, and an alarm or its end when that is news."""
        if answers is self._answers and (answers or self._told_on == self._now().date()):
            return
        try:
            if answers:
                alarms.end_alarm(
                    self._db, Kind.SCANNER_SILENT, ScannerAnswers(), self._role, self._now()
                )
            else:
                log.warning("clamd does not answer: %s", why)
                event = ScannerSilent()
                alarms.raise_until(self._db, event, Kind.SCANNER_ANSWERS, self._role, self._now())
        except StoreError as error:
            log.warning("an alarm could not be kept: %s", error)
            return
        self._answers, self._told_on = answers, self._now().date()
