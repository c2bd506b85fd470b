"""Files that survive a power cut: write, fsync, rename, fsync of the folder."""

import contextlib
import errno
import os
from pathlib import Path

from archive_store.errors import KeyringError, StoreError, StoreFull

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def sync_folder(folder: Path) -> None:
    """Make names that were added to or removed from `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path, mode: int = 0o700) -> None:
    """Create a folder and its parents, each name durable in its parent."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode)
    folder.mkdir(mode=mode, exist_ok=True)
    sync_folder(folder.parent)


def replace_file(
    path: Path, octets: bytes, *, mode: int = 0o600, overwrite_old: bool = False
) -> None:
    """Put `octets` at `path` whole or not at all, with `mode`.

    `overwrite_old`: the file that was there is overwritten with zeros after the
    new one has taken its name. (A copying file system or a flash disk may keep
    the old blocks all the same; what they hold must not matter for long.)
    """
    temporary = _beside(path, octets, mode)
    old = _keep_hold(path) if overwrite_old else None
    temporary.replace(path)
    sync_folder(path.parent)
    if old is not None:
        _zero(old)


def put_file(path: Path, octets: bytes) -> None:
    """Put `octets` at `path` whole or not at all; durable once its folder is synced."""
    _beside(path, octets, 0o600).replace(path)


def sync_file(path: Path) -> None:
    """Make what a file holds durable."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def not_kept(path: Path, error: OSError) -> StoreError:
    """What it means that a file of the keyring could not be written: StoreFull can pass."""
    if error.errno in NO_ROOM:
        return StoreFull(f"no room left on the disk to write {path}")
    return KeyringError(f"cannot write {path}: {error.strerror}")


def _beside(path: Path, octets: bytes, mode: int) -> Path:
    """The durable octets under another name, which stays nobody's when this fails."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def _keep_hold(path: Path) -> int | None:
    if not path.exists():
        return None
    path.chmod(0o600)
    return os.open(path, os.O_WRONLY)


def _zero(handle: int) -> None:
    with os.fdopen(handle, "wb", buffering=0) as file:
        file.write(bytes(os.fstat(file.fileno()).st_size))
        os.fsync(file.fileno())
