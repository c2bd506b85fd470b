"""LiveArchive itself, as an operator runs it: `livearchive serve` with all its roles.

A domain in copy mode, a hundred people who get mail and two more who read. 250 means that a mail
is sealed, in its mailbox and safe; a moment later the index role has opened it once and made the
summary for lists and searches.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it has no types

from bench.load import MAILBOXES
from bench.servers import Daemon, free_port

DOMAIN = "bench.local"
ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "app.cli")


class LiveArchive:
    """The running service and its data folder."""

    name = "LiveArchive"
    lmtp = False
    most = 1_000_000

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        folder.mkdir()
        self.port, self.web_port = free_port(), free_port()
        self._folder = folder
        self.passwords = self._set_up()

    def start(self) -> None:
        """Start it; it takes mail when this returns."""
        ports = {"smtp": self.port, "http": self.web_port, "lmtp": free_port()}
        command = [*COMMAND, "serve", "--data", str(self.data)]
        for name, port in ports.items():
            command += [f"--{name}", f"127.0.0.1:{port}"]
        self._daemon = Daemon(command, self._folder, ROOT)
        _wait_for_word("READY", self._daemon)

    def stop(self) -> None:
        """Let it finish what it has in hand, and end."""
        self._daemon.stop()

    @property
    def roots(self) -> Sequence[int]:
        return [self._daemon.pid]

    @property
    def taking(self) -> Sequence[int]:
        return [self.role_pids()["ingest"]]

    def role_pids(self) -> dict[str, int]:
        """The process of each role, by its name."""
        found = {}
        for child in psutil.Process(self._daemon.pid).children():
            module = child.cmdline()[-1]
            found[module.rpartition(".")[2]] = child.pid
        return found

    def stored(self) -> int:
        return self._count("SELECT count(*) FROM entry")

    def waiting(self) -> int:
        return 0

    def without_summary(self) -> int:
        """How many mails the index role has not looked at yet."""
        return self._count("SELECT count(*) FROM entry WHERE NOT indexed")

    def fsck(self) -> dict[str, object]:
        """What the product's own check says of every mail."""
        found: dict[str, object] = json.loads(self._run("fsck", "--json"))
        return found

    def _count(self, query: str) -> int:
        database = sqlite3.connect(f"file:{self.data}/livearchive.db?mode=ro", uri=True)
        try:
            return int(database.execute(query).fetchone()[0])
        finally:
            database.close()

    def _set_up(self) -> dict[str, str]:
        self._run("init")
        self._run("domain", "add", DOMAIN, "--relay", "none")
        self._run("domain", "enable", DOMAIN, "--all-users")
        people = self._folder / "people.csv"
        lines = [f"u{number}@{DOMAIN},Person {number},user" for number in range(MAILBOXES + 2)]
        people.write_text("\n".join(["address,name,role", *lines, ""]))
        made = self._run("user", "import", str(people))
        return dict(line.split(",", 1) for line in made.splitlines() if "@" in line)

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [*COMMAND, *words, "--data", str(self.data)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"bench: livearchive {words[0]}: {done.stderr.strip()}")
        return done.stdout


@contextmanager
def live_archive(folder: Path) -> Iterator[LiveArchive]:
    """LiveArchive, set up and running."""
    service = LiveArchive(folder)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def _wait_for_word(word: str, daemon: Daemon) -> None:
    while word not in daemon.output.read_text():
        try:
            daemon.process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        raise SystemExit(f"bench: livearchive serve ended:\n{daemon.output.read_text()[-2000:]}")
