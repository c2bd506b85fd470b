"""A real clamd (ClamAV) that knows one virus, the EICAR test file, and nothing else.

Its database is made here, so nothing is fetched; what it must find stands in no file of ours as it
is, or a scanner on somebody's machine would take the tests away.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config_kinds import HostPort
from app.scanning.clamd import Clamd
from tests.parts.needs import program
from tests.parts.network import free_port, wait_until
from tests.parts.process import Server, server_folder

EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}" + "$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
SIGNATURE = "LiveArchive.Test.EICAR.UNOFFICIAL"  # the end is clamd's: not signed by its makers
LARGEST = 256 * 1024  # octets that it takes at once
CONFIG = f"""\
DatabaseDirectory {{folder}}/signatures
LocalSocket {{folder}}/socket
TCPSocket {{port}}
TCPAddr 127.0.0.1
PidFile {{folder}}/pid
TemporaryDirectory {{folder}}
StreamMaxLength {LARGEST}
Foreground yes
"""


class Clamav:
    """One clamd; stopped, killed and held up as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.socket = folder / "socket"
        (folder / "signatures").mkdir()
        self._signatures = folder / "signatures" / "own.ndb"
        self.learn()
        config = folder / "clamd.conf"
        user = "User root\n" if os.geteuid() == 0 else ""
        config.write_text(CONFIG.format(folder=folder, port=self.port) + user)
        clamd = program("clamd", "clamav-daemon")
        self._server = Server([clamd, "-c", str(config)], folder)

    @property
    def where(self) -> HostPort:
        return HostPort("127.0.0.1", self.port)

    def learn(self, octets: bytes = EICAR) -> None:
        """What it knows when it starts next."""
        name = SIGNATURE.removesuffix(".UNOFFICIAL")
        self._signatures.write_text(f"{name}:0:*:{octets.hex()}\n")

    def start(self) -> None:
        self._server.start(self.port)
        wait_until(lambda: Clamd(self.where).version(60).startswith("ClamAV"), "clamd answers")

    def stop(self) -> None:
        self.go_on()
        self._server.stop()

    def kill(self) -> None:
        self._server.running.send_signal(signal.SIGKILL)
        self._server.running.wait()

    def hold_up(self) -> None:
        """It takes connections, and answers nothing."""
        self._server.running.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._server.running.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def clamav_server() -> Iterator[Clamav]:
    program("clamd", "clamav-daemon")
    with server_folder() as folder:
        clamav = Clamav(folder)
        clamav.start()
        yield clamav
        clamav.stop()


@pytest.fixture
def clamav(clamav_server: Clamav) -> Clamav:
    """A running clamd for all tests of a session; whoever stops it starts it again."""
    return clamav_server


@pytest.fixture
def own_clamav() -> Iterator[Clamav]:
    """One that a test may stop, kill and hold up; it does not run yet."""
    program("clamd", "clamav-daemon")
    with server_folder() as folder:
        clamav = Clamav(folder)
        yield clamav
        clamav.stop()
