"""Servers of others as children of the tests: started in the foreground, stopped by their id."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.parts.network import wait_for_port, wait_until


def unprivileged_user(preferred: str = "nobody") -> str | None:
    """Whom a server that refuses to be root runs as; None: as whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return preferred if preferred in names else "nobody"


@contextmanager
def server_folder(user: str | None = None) -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's, and that belongs to `user`."""
    folder = Path(tempfile.mkdtemp(prefix="livearchive-"))
    try:
        folder.chmod(0o755)
        if user is not None:
            shutil.chown(folder, user)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """One server process; its output goes to a file, never into a pipe that nobody empties."""

    stop_signal = signal.SIGTERM

    def __init__(self, command: Sequence[str], folder: Path, user: str | None = None) -> None:
        self.command = command
        self.folder = folder
        self.output = folder / "output"
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, port: int) -> None:
        """Start it and wait until it accepts connections on a port."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # signals reach it alone, and not from a keyboard
                stdout=output,
                stderr=subprocess.STDOUT,
                **_identity(self._user),
            )
        try:
            wait_for_port(port, self.command[0])
        except TimeoutError:
            self.stop()
            raise RuntimeError(f"no start of {self.command}:\n{self.output.read_text()}") from None

    @property
    def running(self) -> "subprocess.Popen[bytes]":
        """Its process."""
        if self._process is None:
            raise RuntimeError(f"{self.command[0]} does not run")
        return self._process

    def stop(self) -> None:
        """Ask it to end, and see that it did."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _end_group(self._process.pid)
        self._process = None


def _end_group(leader: int) -> None:
    """End what a server leaves behind: a child that outlives it holds its port and its locks."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    wait_until(lambda: not _runs(leader), "the end of a server's children")


def _runs(group: int) -> bool:
    """Whether a process of a group is alive; one that only waits for its parent is not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            state, _, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


def run_as(user: str | None, command: Sequence[str], folder: Path) -> None:
    """Run a preparing command as a user; its output is in the error when it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        **_identity(user),
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout.decode(errors='replace')}")


def _identity(user: str | None) -> dict[str, Any]:
    """The words that make `subprocess` run something as another user."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
