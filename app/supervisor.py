"""The supervisor: starts the roles as child processes, waits for each to be ready, keeps them up.

It opens no store and holds no key. Those that listen come first, since people and mail
servers wait for them; the others begin when they are ready, also when several are started
anew. A role that ends after it served for a while is started anew at once, and otherwise
after a pause that doubles up to half a minute; one that says it cannot start (status 3), or
is not ready in time, before all are ready ends everything. SIGTERM stops mail coming in
first and the keys role last, so that what is in hand can finish; then the status is 0. A
role whose supervisor was killed sees its standard input end, and stops.
"""

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

log = logging.getLogger(__name__)
ROLES = ("keys", "ingest", "web", "index", "deliver", "sweep", "certificate")
LISTENING = ("keys", "ingest", "web")
STOP_ORDER = ("ingest", "web", "deliver", "index", "sweep", "certificate", "keys")
START_SECONDS = 60.0
STOP_SECONDS = 30.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
ENDING_SECONDS = 0.2  # from the end of a role's output to that of its process
CANNOT_START = 3  # the status of a role that need not be tried again, see `roles.process`
STEADY_SECONDS = 5.0  # a role that served so long did not end because it cannot run
# The C library (glibc) overwrites what is freed, and Python frees through it at once, so that a
# process at rest does not keep mail that it has long handed on (`roles.rinsing` for the rest).
WIPING = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.perturb=165"}


class CannotStart(Exception):
    """A role gave up at start. Without a text the role has said why on standard error."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a role is started."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    serves: bool = True  # False: it says no "ready", begins after all others and may end
    listens: bool = True  # False: nobody waits for it, so it begins when those are ready
    wipes: bool = False  # True: freed memory is overwritten at once


def role_program(name: str, *, wipes: bool = False) -> Program:
    """The program of one of our own roles. `wipes` concerns the door alone."""
    wipes = wipes and name == "ingest"
    return Program(name, f"app.roles.{name}", listens=name in LISTENING, wipes=wipes)


@dataclass(slots=True)
class _Child:
    program: Program
    process: "subprocess.Popen[bytes] | None" = None
    ready: bool = False
    started_at: float = 0.0
    ready_at: float = 0.0
    pause: float = FIRST_PAUSE
    start_again_at: float = field(default=0.0)


class Supervisor:
    """One tree of roles."""

    def __init__(self, programs: Sequence[Program], environment: dict[str, str]) -> None:
        self._children = {program.name: _Child(program) for program in programs}
        self._environment = environment
        self._selector = selectors.DefaultSelector()
        self._stopping = False
        self._wake_reader, self._wake_writer = os.pipe()
        self._selector.register(self._wake_reader, selectors.EVENT_READ)

    def run(self, on_ready: Callable[[], None]) -> None:
        """Start everything, call `on_ready` once all serve, and stay until told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        try:
            for child in self._first():
                self._start(child)
            if self._until_ready():
                on_ready()
                self._begin_others()
            while not self._stopping:
                self._wait(self._until_next())
                self._look_after()
        finally:
            self._stop_all()

    def stop(self) -> None:
        """Ask for the end; safe in a signal handler."""
        self._stopping = True
        os.write(self._wake_writer, b"x")

    def _first(self) -> list[_Child]:
        """Whom people and mail servers wait for; all of the tree if that is nobody."""
        serving = [child for child in self._children.values() if child.program.serves]
        return [child for child in serving if child.program.listens] or serving

    def _begin_others(self) -> None:
        for child in self._children.values():
            if child.process is None:
                self._start(child)

    def _until_ready(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping:
            self._wait(0.5)
            for child in self._first():
                self._check_start(child, deadline)
            if all(child.ready for child in self._first()):
                return True
        return False

    def _check_start(self, child: _Child, deadline: float) -> None:
        name = child.program.name
        if child.process is not None and child.process.poll() == CANNOT_START:
            raise CannotStart("")
        if not child.ready and time.monotonic() > deadline:
            raise CannotStart(f"{name} was not ready after {START_SECONDS:.0f} seconds")
        # A database that is not up yet, or an earlier supervisor's role that has not ended.
        self._keep_up(child)

    def _look_after(self) -> None:
        for child in self._children.values():
            if child.process is None or child.program.serves:
                self._keep_up(child)

    def _keep_up(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.start_again_at and not self._holds_back(child):
                self._start(child)
        elif child.process.poll() is not None:
            self._ended(child, child.process, now)

    def _ended(self, child: _Child, process: "subprocess.Popen[bytes]", now: float) -> None:
        if child.ready and now - child.ready_at > STEADY_SECONDS:
            child.pause = 0.0
        log.error(
            "%s ended with status %s; starting it again in %.1f s",
            child.program.name,
            process.returncode,
            child.pause,
        )
        self._forget(process)
        child.process, child.ready = None, False
        child.start_again_at = now + child.pause
        child.pause = min(max(FIRST_PAUSE, child.pause * 2), LONGEST_PAUSE)

    def _holds_back(self, child: _Child) -> bool:
        """Whether those come first that are starting now, and that somebody waits for."""
        begun_after = time.monotonic() - START_SECONDS
        return not child.program.listens and any(
            other.process is not None and not other.ready and other.started_at > begun_after
            for other in self._children.values()
            if other.program.serves and other.program.listens
        )

    def _until_next(self) -> float:
        """How long nothing has to be done, if nothing happens; a second at most."""
        now = time.monotonic()
        begins = [c.start_again_at for c in self._children.values() if c.process is None]
        return max(0.01, min([1.0, *(at - now for at in begins if at > now)]))

    def _start(self, child: _Child) -> None:
        program = child.program
        process = subprocess.Popen(
            [sys.executable, "-m", program.module, *program.arguments],
            stdin=subprocess.PIPE,  # its end tells the role that we are gone
            stdout=subprocess.PIPE,
            env=self._environment | WIPING if program.wipes else self._environment,
            start_new_session=True,  # a terminal's Ctrl-C is for us; we stop them in order
        )
        child.process, child.ready = process, False
        child.started_at = time.monotonic()
        if process.stdout is not None:
            self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def _wait(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, _Child) and not isinstance(key.fileobj, int):
                self._heard(key.data, key.fileobj)  # type: ignore[arg-type]  # a pipe's file
            else:
                os.read(self._wake_reader, 64)

    def _heard(self, child: _Child, pipe: IO[bytes]) -> None:
        said = os.read(pipe.fileno(), 4096)
        if not said:
            self._selector.unregister(pipe)
            if child.process is not None:
                # It is ending: seen now, and not with the next look.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.process.wait(ENDING_SECONDS)
        elif b"ready" in said.lower():
            child.ready, child.ready_at = True, time.monotonic()

    def _forget(self, process: "subprocess.Popen[bytes]") -> None:
        for pipe in (process.stdout, process.stdin):
            if pipe is None:
                continue
            if pipe in self._selector.get_map():
                self._selector.unregister(pipe)
            pipe.close()

    def _stop_all(self) -> None:
        self._stopping = True
        order = [name for name in self._children if name not in STOP_ORDER]
        order += [name for name in STOP_ORDER if name in self._children]
        running = [c for name in order if (c := self._children[name]).process is not None]
        last = [child for child in running if child.program.name == "keys"]
        for child in running:
            if child not in last:
                _terminate(child)
        _join([child for child in running if child not in last])
        for child in last:
            _terminate(child)
        _join(last)
        for child in running:
            if child.process is not None:
                self._forget(child.process)
        self._selector.close()
        os.close(self._wake_reader)
        os.close(self._wake_writer)


def _terminate(child: _Child) -> None:
    if child.process is not None and child.process.poll() is None:
        child.process.terminate()


def _join(children: Sequence[_Child]) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop and is killed", child.program.name)
            child.process.kill()
            child.process.wait()
