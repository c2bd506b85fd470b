"""Plays a trace into the model of the disk, and looks at each 250 when it goes out."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.reliability.disk import Disk, File, Folder, Node, Write, is_volatile
from bench.reliability.trace import Call, Moment, paths
from bench.reliability.wal import Log

STORED = b"250 2.6.0 Stored\r\n"
_SYNCS = ("fsync", "fdatasync")
_REPLIES = ("write", "sendto", "sendmsg", "writev")
_IGNORED = ("sync_file_range",)  # promises nothing
_UNKNOWN = (
    "sync syncfs truncate fallocate copy_file_range sendfile splice link linkat symlink symlinkat "
    "pwritev pwritev2 creat open"
).split()


class Unforeseen(Exception):
    """The product uses a call that the model does not know: teach it, or nothing is proved."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a mail lies: its frame, and the id that its row has."""

    segment: str
    offset: int
    length: int
    message_id: bytes


@dataclass(slots=True)
class Playing:
    """A trace as it is played. `replies`: by client's port, the mails that got a 250, in order;
    `acknowledged`: those whose 250 went out so far.
    """

    disk: Disk
    moments: Iterator[Moment]
    port: int
    replies: dict[int, deque[str]]
    stored: Mapping[str, Stored]
    log: Log
    acknowledged: list[str] = field(default_factory=list)
    calls: int = 0
    safe: int = 0
    wrong: list[str] = field(default_factory=list)
    _begun: dict[int, tuple[Node, list[object]]] = field(default_factory=dict)
    _writes: dict[int, Write] = field(default_factory=dict)
    _committed: dict[int, Write] = field(default_factory=dict)  # by process (a thread's own id)

    def until(self, lines: Sequence[int]) -> Iterator["Playing"]:
        """Stop before each of these lines, and play the rest at the end."""
        wanted = deque(lines)
        for moment in self.moments:
            while wanted and wanted[0] <= moment.line:
                wanted.popleft()
                yield self
            self._step(moment)
        for _ in wanted:
            yield self
        if unseen := sum(map(len, self.replies.values())):
            self.wrong.append(f"{unseen} times a client had a 250 that the trace does not show")
        for write in self._committed.values():
            if not write.synced:
                self.wrong.append("a transaction was committed and never synced")

    def _step(self, moment: Moment) -> None:
        call = moment.call
        self.calls += moment.ended
        if not moment.ended:
            self._look_for_unsynced(call)
        if call.name in _SYNCS:
            self._sync(call, ended=moment.ended)
        elif call.name in ("pwrite64", "write", "writev", "ftruncate") and call.file:
            self._write(call, ended=moment.ended)
        elif call.name in _REPLIES:
            self._reply(call, ended=moment.ended)
        elif moment.ended and call.result >= 0 and call.name not in _IGNORED:
            self._name(call)

    def _look_for_unsynced(self, call: Call) -> None:
        """Whoever has committed does nothing else before that is safe."""
        if call.file.endswith("-wal") or call.process not in self._committed:
            return
        if not self._committed.pop(call.process).synced:
            self.wrong.append(f"{call.name} by a process whose commit was not synced")

    def _sync(self, call: Call, *, ended: bool) -> None:
        if not ended:
            node = self.disk.find(call.file)
            if isinstance(node, File):
                self._begun[call.begin] = node, list(node.covered())
            elif isinstance(node, Folder):
                self._begun[call.begin] = node, list(node.pending)
        elif call.begin in self._begun:
            node, covered = self._begun.pop(call.begin)
            if call.result == 0:
                node.synced(covered)  # type: ignore[arg-type]  # of the node's own kind

    def _write(self, call: Call, *, ended: bool) -> None:
        if ended:
            if call.begin in self._writes:
                write = self._writes.pop(call.begin)
                whole = 0 if write.octets is None else len(write.octets)
                if call.result != whole:
                    raise Unforeseen(f"{call.name} on {call.file} gave {call.result}")
                write.ended = True
            return
        node = self.disk.find(call.file)
        if not isinstance(node, File) or is_volatile(call.file):
            return
        if call.name == "ftruncate":
            write = Write(call.numbers[-1], None)
        else:
            octets = b"".join(call.strings)
            # A descriptor that is written to without a place was opened to append, or is new.
            at = call.numbers[-1] if call.name == "pwrite64" else len(node.now)
            write = Write(at, octets)
        self._writes[call.begin] = node.begin(write)
        if call.file.endswith("-wal") and self.log.wrote(write):
            self._committed[call.process] = write

    def _name(self, call: Call) -> None:
        named = [path for path in paths(call) if path.startswith(self.disk.root)]
        if not named:
            return
        if call.name in _UNKNOWN:
            raise Unforeseen(f"{call.name} on {named[0]}")
        if call.name.startswith("rename"):
            self._rename(*paths(call))
        elif call.name.startswith("mkdir"):
            self._put(named[0], Folder())
        elif call.name in ("unlink", "unlinkat", "rmdir"):
            self._put(named[0], None)
        elif call.name == "openat":
            self._open(call, named[0])

    def _open(self, call: Call, path: str) -> None:
        node = self.disk.find(path)
        if node is None and "O_CREAT" in call.text:
            self._put(path, File())
        elif isinstance(node, File) and "O_TRUNC" in call.text:
            node.begin(Write(0, None)).ended = True

    def _put(self, path: str, node: Node | None) -> None:
        where = self.disk.parent(path)
        if where is None:
            return
        folder, name = where
        if node is None and name not in folder.now:
            return  # a socket: the model has files and folders alone
        folder.change({name: node})

    def _rename(self, old: str, new: str) -> None:
        source, target = self.disk.parent(old), self.disk.parent(new)
        if source is None or target is None or source[0] is not target[0]:
            raise Unforeseen(f"a rename from {old} to {new}")
        folder, name = source
        folder.change({name: None, target[1]: folder.now[name]})

    def _reply(self, call: Call, *, ended: bool) -> None:
        ports = call.client_port
        if ended or ports is None or ports[0] != self.port:
            return
        for _ in range(b"".join(call.strings).count(STORED)):
            names = self.replies.get(ports[1])
            if not names:
                self.wrong.append("a 250 that no client noted")
                continue
            self._acknowledge(names.popleft())

    def _acknowledge(self, name: str) -> None:
        self.acknowledged.append(name)
        place = self.stored.get(name)
        if place is None:
            self.wrong.append(f"{name}: acknowledged and not in the store")
            return
        segment = self.disk.find(place.segment)
        unsafe = []
        if not isinstance(segment, File) or not segment.is_safe(place.offset, place.length):
            unsafe.append("the frame")
        if not self.disk.is_named(place.segment):
            unsafe.append("the name of the segment")
        if not self.log.is_safe(place.message_id):
            unsafe.append("the row")
        if unsafe:
            self.wrong.append(f"{name}: unsynced at its 250: {', '.join(unsafe)}")
        else:
            self.safe += 1
