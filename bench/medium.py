"""Where all that is measured keeps its data: the same kind of disk for everybody.

`ram` is an ext4 file system with a journal in a file on /dev/shm: every fsync does all of its work
in software, and the device answers at once. That repeats well and flatters nobody. It needs root;
`disk` is a folder on the real disk, whose speed may change from one minute to the next.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

IMAGE_OCTETS = 12 * 1024**3  # takes memory only as it is filled
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Medium:
    """A folder to work in and the block device below it, by its name in /proc/diskstats."""

    name: str
    folder: Path
    device: str


@contextmanager
def medium(name: str) -> Iterator[Medium]:
    """The medium of that name; gone with all it holds when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="livearchive-bench-"))
    folder.chmod(0o755)  # the peers do not run as root
    try:
        if name == "ram":
            with _mounted(folder):
                yield Medium(name, folder, _device(folder))
        else:
            yield Medium(name, folder, _device(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def can_mount() -> bool:
    """Whether `ram` can be had here."""
    return os.geteuid() == 0 and SHARED_MEMORY.is_dir()


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    image = SHARED_MEMORY / f"{folder.name}.img"
    try:
        with image.open("xb") as file:
            file.truncate(IMAGE_OCTETS)
        _run("mkfs.ext4", "-q", "-F", "-m0", str(image))
        _run("mount", "-o", "loop,noatime", str(image), str(folder))
        try:
            folder.chmod(0o755)
            yield
        finally:
            _run("umount", "--lazy", str(folder))
    finally:
        image.unlink(missing_ok=True)


def _device(folder: Path) -> str:
    number = folder.stat().st_dev
    link = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}")
    return link.resolve().name


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {' '.join(command)}: {done.stderr.strip()}")
