"""Who holds a lease, and how to know that a holder is dead.

Each worker locks a file of its own name in the run folder for as long as it lives; the
kernel lets go of the lock with the process, also after kill -9. So a worker that starts
on the same machine frees at once what its predecessor held. Of workers elsewhere nothing
is known here: their leases run out.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Self


class LeaseOwner:
    """A worker's name and the lock that proves it alive. Close it at the very end."""

    def __init__(self, name: str, path: Path, handle: int) -> None:
        self.name = name
        self._folder = path.parent
        self._path = path
        self._handle = handle

    @classmethod
    def begin(cls, run_dir: Path) -> Self:
        """Take a new name."""
        run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = secrets.token_hex(8)
        path = _lock_file(run_dir, name)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)
        return cls(name, path, handle)

    def dead(self, owners: Iterable[str]) -> set[str]:
        """Those of these owners that ran here and live no more."""
        return {name for name in owners if name != self.name and _is_dead(self._folder, name)}

    def tidy(self) -> None:
        """Remove what dead workers left, once nothing is leased to them."""
        for path in self._folder.glob("deliver-*.lock"):
            if path != self._path and _unlocked(path):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the name. The file stays: what this worker could not give back, because the
        store failed, is freed by the next one only if it can tell that this one is dead.
        """
        os.close(self._handle)


def _lock_file(folder: Path, name: str) -> Path:
    return folder / f"deliver-{name}.lock"


def _is_dead(folder: Path, name: str) -> bool:
    # The name comes from the database: never let it walk out of the folder.
    return name.isalnum() and _unlocked(_lock_file(folder, name))


def _unlocked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False  # not here: nothing is known of it
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True
