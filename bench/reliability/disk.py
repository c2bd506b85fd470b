"""What a disk holds, as POSIX lets one rely on it, and what a power cut may leave of it.

Octets are safe once an fsync or fdatasync of their file began after they were written and has
ended; a name is safe once the same happened to its folder. Everything else may be there, or
not, or in parts: an unsynced write is torn at sectors of 512 octets, each of which is the old
one or the new one, or anything at all where the file was not so long before. Renaming is one
step: it happened or it did not. That is less than ext4 or XFS give.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

SECTOR = 512
STALE = 0.2  # of new sectors that were not written: what the disk had there before


@dataclass(slots=True)
class Write:
    """Octets at a place; `octets` None: the file was cut or grown to `offset`."""

    offset: int
    octets: bytes | None
    ended: bool = False
    synced: bool = False

    def apply(self, image: bytearray, start: int = 0, end: int | None = None) -> None:
        """Do it to an image, or only the part from `start` to `end` of its octets."""
        if self.octets is None:
            del image[self.offset :]
            image.extend(bytes(self.offset - len(image)))
            return
        piece = self.octets[start:end]
        at = self.offset + start
        image.extend(bytes(max(0, at - len(image))))
        image[at : at + len(piece)] = piece


@dataclass(slots=True)
class File:
    """A file: what is safe of it, and every write that is not."""

    safe: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)

    def begin(self, write: Write) -> Write:
        self.pending.append(write)
        write.apply(self.now)
        return write

    def covered(self) -> list[Write]:
        """What an fsync that begins now will make safe."""
        return [write for write in self.pending if write.ended]

    def synced(self, covered: list[Write]) -> None:
        """An fsync has ended."""
        for write in covered:
            write.synced = True
        while self.pending and self.pending[0].synced:
            self.pending.pop(0).apply(self.safe)

    def is_safe(self, offset: int, length: int) -> bool:
        """Whether these octets survive."""
        return len(self.safe) >= offset + length and not any(
            write.octets is None or write.offset < offset + length
            for write in self.pending
            if write.octets is None or write.offset + len(write.octets) > offset
        )

    def after_cut(self, dice: random.Random, chance: float) -> bytes:
        """What a power cut may leave. `chance`: of each write or sector to have got there."""
        image = bytearray(self.safe)
        for write in self.pending:
            if write.synced or dice.random() < chance:
                write.apply(image)
            elif write.octets is not None and chance > 0:
                for start, end in _sectors(write):
                    if dice.random() < chance:
                        write.apply(image, start, end)
                    elif write.offset + start >= len(image) and dice.random() < STALE:
                        Write(write.offset + start, dice.randbytes(end - start)).apply(image)
        return bytes(image)


def _sectors(write: Write) -> Iterator[tuple[int, int]]:
    """The parts of a write that reach the disk whole or not at all."""
    assert write.octets is not None
    start = 0
    while start < len(write.octets):
        end = min(len(write.octets), start + SECTOR - (write.offset + start) % SECTOR)
        yield start, end
        start = end


Node = Union[File, "Folder"]


@dataclass(slots=True)
class Change:
    """Names of a folder that change in one step: each gets a node, or goes (None)."""

    names: dict[str, "Node | None"]
    synced: bool = False

    def apply(self, entries: dict[str, Node]) -> None:
        for name, node in self.names.items():
            if node is None:
                entries.pop(name, None)
            else:
                entries[name] = node


@dataclass(slots=True)
class Folder:
    """A folder: what is safe of its names, and every change that is not."""

    safe: dict[str, Node] = field(default_factory=dict)
    now: dict[str, Node] = field(default_factory=dict)
    pending: list[Change] = field(default_factory=list)

    def change(self, names: dict[str, Node | None]) -> None:
        change = Change(names)
        self.pending.append(change)
        change.apply(self.now)

    def synced(self, covered: list[Change]) -> None:
        for change in covered:
            change.synced = True
        while self.pending and self.pending[0].synced:
            self.pending.pop(0).apply(self.safe)

    def after_cut(self, dice: random.Random, chance: float) -> dict[str, Node]:
        entries = dict(self.safe)
        for change in self.pending:
            if change.synced or dice.random() < chance:
                change.apply(entries)
        return entries


class Disk:
    """One tree of folders and files, `root` of the real file system."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.tree = _load(root)

    def find(self, path: str) -> Node | None:
        """What a path names now; None: nothing, or nothing of ours."""
        if path == self.root:
            return self.tree
        where = self.parent(path)
        return where[0].now.get(where[1]) if where else None

    def parent(self, path: str) -> tuple[Folder, str] | None:
        """The folder that a path's last name is in, and that name."""
        if not path.startswith(f"{self.root}/"):
            return None
        *folders, name = path[len(self.root) + 1 :].split("/")
        at: Node | None = self.tree
        for one in folders:
            at = at.now.get(one) if isinstance(at, Folder) else None
        return (at, name) if isinstance(at, Folder) else None

    def is_named(self, path: str) -> bool:
        """Whether the whole path survives."""
        at: Node | None = self.tree
        for name in path[len(self.root) + 1 :].split("/"):
            if not isinstance(at, Folder) or any(name in one.names for one in at.pending):
                return False
            at = at.safe.get(name)
        return at is not None

    def cut(self, target: Path, dice: random.Random) -> None:
        """Write into `target` what a power cut may leave: nothing unsynced, all, or some."""
        _store(self.tree, target, dice, dice.choice((0.0, 0.2, 0.5, 0.8, 1.0)))

    def differences(self, real: Path) -> list[str]:
        """What is not as in the real folder at the end: then the model is wrong."""
        return list(_differences(self.tree, real))


def is_volatile(name: str) -> bool:
    """What SQLite makes anew at the first opening: the index of its log, shared memory."""
    return name.endswith("-shm")


def _load(path: Path) -> Folder:
    folder = Folder()
    for child in path.iterdir():
        if child.is_dir():
            folder.safe[child.name] = _load(child)
        elif child.is_file() and not is_volatile(child.name):
            octets = child.read_bytes()
            folder.safe[child.name] = File(bytearray(octets), bytearray(octets))
    folder.now = dict(folder.safe)
    return folder


def _store(folder: Folder, target: Path, dice: random.Random, chance: float) -> None:
    target.mkdir(mode=0o700)
    for name, node in sorted(folder.after_cut(dice, chance).items()):
        if isinstance(node, Folder):
            _store(node, target / name, dice, chance)
        elif not is_volatile(name):
            (target / name).write_bytes(node.after_cut(dice, chance))
            (target / name).chmod(0o600)


def _differences(folder: Folder, real: Path) -> Iterator[str]:
    theirs = {p.name for p in real.iterdir() if not is_volatile(p.name) and not p.is_socket()}
    ours = {name for name in folder.now if not is_volatile(name)}
    for name in sorted(theirs ^ ours):
        yield f"{real / name} is on one side alone"
    for name in sorted(theirs & ours):
        node = folder.now[name]
        if isinstance(node, Folder):
            yield from _differences(node, real / name)
        elif bytes(node.now) != (real / name).read_bytes():
            yield f"{real / name} has other octets"
