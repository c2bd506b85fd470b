"""The index role: opens each new message once and seals its summary and words."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from app.audit.alarms import raise_alarm
from app.audit.events import MailUnreadable
from app.roles.process import Role, run_role
from app.scanning.background import Background
from app.scanning.scanner import scanner_of
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.errors import StoreError
from archive_store.indexing import Indexer, Listed, nobody
from archive_store.mime.understanding import Understanding
from archive_store.mime.worker import ParserPool, PoolLimits
from archive_store.pace import LOOK, Pace

log = logging.getLogger(__name__)
IDLE_SECONDS = 0.2
TROUBLE_SECONDS = 2.0
# Reading can wait a moment when mail comes in fast; taking mail cannot.
NICENESS = 10


def main(role: Role) -> None:
    """Index what waits, then look again a moment later."""
    _step_back()
    parts, parsers = Parts(role.config, role.name), ParserPool(PoolLimits(children=1))
    understanding = Understanding(parsers)

    def unreadable() -> None:
        raise_alarm(parts.db, MailUnreadable(), role.name, utc_now())

    pace = Pace()
    pause = 0.0
    try:
        with _scanning(parts, role) as listed:
            indexer = Indexer(
                parts.db, parts.reader, parts.keys(), understanding, unreadable, listed
            )
            role.ready()
            while not role.stop.wait(pause):
                pause = _round(indexer, pace)
    finally:
        understanding.close()
        parsers.close()
        parts.close()


@contextlib.contextmanager
def _scanning(parts: Parts, role: Role) -> Iterator[Listed]:
    """Whom mail with files is offered to once it is listed."""
    with ParserPool(PoolLimits(children=1)) as parsers:
        scanner = scanner_of(role.config, parsers)
        if scanner is None:
            yield nobody
            return
        background = Background(parts.db, scanner, role.name)
        try:
            yield background.offer
        finally:
            background.close()


def _step_back() -> None:
    os.nice(NICENESS)
    # Linux shares the processor out between sessions first, and each role is a session:
    # between them only this other niceness counts (sched(7), "The autogroup feature").
    with contextlib.suppress(OSError):  # a kernel without it
        Path("/proc/self/autogroup").write_text(str(NICENESS))


def _round(indexer: Indexer, pace: Pace) -> float:
    try:
        if pace.holds_back(indexer.newest(), monotonic()):
            return LOOK
        return 0.0 if indexer.run_once() else IDLE_SECONDS
    except StoreError as error:
        log.warning("indexing has to wait: %s", error)
        indexer.forget_days()
        return TROUBLE_SECONDS


if __name__ == "__main__":
    sys.exit(run_role("index", main))
