"""What every measured server has in common, whoever made it."""

import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

STOP_SECONDS = 40


class Target(Protocol):
    """A running server that takes mail."""

    name: str
    port: int
    lmtp: bool
    most: int  # mails in one run: what it needs some seconds for

    @property
    def roots(self) -> Sequence[int]:
        """The processes whose trees are the server."""

    @property
    def taking(self) -> Sequence[int]:
        """Those of them that take mail and store it."""

    def stored(self) -> int:
        """How many mails lie in mailboxes, sealed and safe."""

    def waiting(self) -> int:
        """How many mails were taken and are not there yet."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", output: Path) -> None:
    """Wait until a server accepts connections; SystemExit with its output when it ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"bench: {process.args!r} does not listen:\n{output.read_text()[-2000:]}")


class Daemon:
    """A server as a child in the foreground, with its output in a file."""

    def __init__(self, command: Sequence[str], folder: Path, cwd: Path | None = None) -> None:
        self.output = folder / "output"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=cwd or folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """Ask it to end, and see that it did."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
