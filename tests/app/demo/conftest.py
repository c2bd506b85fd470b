"""A stand-in mail server as its own process, the way `livearchive demo` runs it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.demo.control import StandInControl
from app.demo.standin import Mode

ROOT = Path(__file__).parents[3]
READY_SECONDS = 20


@dataclass
class StandInProcess:
    """Started on ports that the system chose; the same ports again after `restart`."""

    folder: Path
    control: StandInControl = field(init=False)
    primary: tuple[str, int] = ("127.0.0.1", 0)
    outside: tuple[str, int] = ("127.0.0.1", 0)
    process: subprocess.Popen[str] | None = None

    @property
    def keep(self) -> Path:
        return self.folder / "kept"

    @property
    def socket(self) -> Path:
        return self.folder / "control.sock"

    def start(self) -> None:
        command = [sys.executable, "-m", "app.demo.standin_main"]
        command += ["--primary", "{}:{}".format(*self.primary)]
        command += ["--outside", "{}:{}".format(*self.outside)]
        command += ["--control", str(self.socket), "--keep", str(self.keep)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], READY_SECONDS)[0], "not ready"
        words = self.process.stdout.readline().split()
        assert words[0] == "READY", words
        self.primary, self.outside = _address(words[2]), _address(words[4])
        self.control = StandInControl(self.socket)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(READY_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def restart(self) -> None:
        assert self.stop() == 0
        self.start()

    def eml(self, address: str, where: str = "primary") -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.keep / where / address).glob("*.eml"))]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInProcess]:
    # A Unix socket's path has at most 107 octets, so not inside a folder named like the test.
    running = StandInProcess(tmp_path_factory.mktemp("si"))
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInProcess]:
    """A stand-in of the test's own, which keeps nothing yet."""
    yield from _running(tmp_path_factory)


@pytest.fixture(scope="module")
def _used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInProcess]:
    yield from _running(tmp_path_factory)


@pytest.fixture
def used_standin(_used: StandInProcess) -> StandInProcess:
    """A stand-in that is up and as usual, and may keep mail of other tests: starts no process."""
    _used.control.start()
    _used.control.set_mode(Mode.NORMAL)
    return _used


@pytest.fixture(autouse=True)
def private_files() -> Iterator[None]:
    """Files that must be private must be so whatever the caller's umask is."""
    before = os.umask(0o000)
    yield
    os.umask(before)
