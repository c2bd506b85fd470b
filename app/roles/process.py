"""What every role process does: read the settings, listen for the end, say when it is ready.

A role ends when it gets SIGTERM or SIGINT, or when its standard input reaches
its end: the supervisor holds the other side of that pipe, so that no role
outlives a supervisor that was killed. Exit status 0: ended as asked; 3: it
cannot start and trying again would not help (the reason is one line on standard
error); anything else: it failed, and the supervisor starts it anew.
"""

import asyncio
import gc
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from app.config import Config
from archive_store.errors import ConfigError, KeyringError, StoreError

CANNOT_START = 3
FAILED = 1
# These libraries log what they handle at their lower levels.
_TALKATIVE = (
    "acme",
    "aiosmtplib",
    "asyncio",
    "httpx",
    "multipart",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


@dataclass(slots=True)
class Role:
    """One role's process. `arguments` are what follows the options on its command line."""

    name: str
    config: Config
    arguments: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    _callbacks: list[Callable[[], None]] = field(default_factory=list)

    def ready(self) -> None:
        """Tell the supervisor that this role serves."""
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        # What a role has made to start with stays to its end: the collector would go through
        # some seventy thousand objects again and again while mail waits.
        gc.freeze()

    def end(self) -> None:
        """Ask the role to stop; what is in hand is finished."""
        self.stop.set()
        for callback in self._callbacks:
            callback()

    def stop_event(self) -> asyncio.Event:
        """The stop as an asyncio event of the running loop."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake() -> None:
            loop.call_soon_threadsafe(event.set)

        self._callbacks.append(wake)
        if self.stop.is_set():
            event.set()
        return event


def run_role(name: str, main: Callable[[Role], None]) -> int:
    """Run a role's `main` until it is asked to stop; returns the exit status."""
    gc.enable()  # see `app.roles`
    try:
        role = Role(name, Config.load(os.environ), sys.argv[1:])
        _log_to_stderr(role.config.log_level)
        # Everything a role makes is for its own uid; a core file would hold mail or keys.
        os.umask(0o077)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: role.end())
        threading.Thread(target=_watch_supervisor, args=(role,), daemon=True).start()
        main(role)
    except (ConfigError, KeyringError) as error:
        sys.stderr.write(f"livearchive {name}: {error}\n")
        return CANNOT_START
    except StoreError as error:
        # One line and no traceback: what was asked of the database may stand in that.
        sys.stderr.write(f"livearchive {name}: {error}\n")
        return FAILED
    return 0


def _watch_supervisor(role: Role) -> None:
    # A role that was started by hand has a terminal or nothing here.
    if sys.stdin is None or sys.stdin.isatty():
        return
    while os.read(sys.stdin.fileno(), 1024):
        pass
    role.end()


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(level=level.upper(), format=LOG_FORMAT, stream=sys.stderr)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
