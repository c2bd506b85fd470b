"""The system calls of a tree of processes, as `strace` writes them down.

One tracer watches all processes, and each of them stands still at the begin and the end of
every call until the tracer has noted it. So what one process did before another could know of
it stands before what that one then did, and the order of the lines is an order in time.
"""

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# All that change files or make them durable, and all that a reply to a client can go out by.
CALLS = (
    "open openat creat write pwrite64 writev pwritev pwritev2 fsync fdatasync sync syncfs "
    "sync_file_range ftruncate truncate fallocate copy_file_range sendfile splice rename renameat "
    "renameat2 unlink unlinkat rmdir mkdir mkdirat link linkat symlink symlinkat sendto sendmsg"
).split()
LONGEST = 64 * 1024 * 1024

_BEGIN = re.compile(r"(\d+) +(\w+)\(")
_RESUMED = re.compile(r"(\d+) +<\.\.\. (\w+) resumed>")
_UNFINISHED = " <unfinished ...>"
_PIECE = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"<((?:\\x[0-9a-f]{2})+)>")
_CLIENT = re.compile(r"TCP:\[127\.0\.0\.1:(\d+)->127\.0\.0\.1:(\d+)\]")


def command(output: Path) -> list[str]:
    """What stands before a command to have its tree traced; the command keeps its process id."""
    strace = shutil.which("strace")
    if strace is None:
        raise SystemExit("reliability: install the package strace")
    options = ["-D", "-f", "-yy", "-xx", "--seccomp-bpf", "-s", str(LONGEST), "-o", str(output)]
    return [strace, *options, "-e", f"trace={','.join(CALLS)}", "-e", "signal=none"]


def is_running(output: Path) -> bool:
    """Whether a tracer still writes to that file. With -D it is nobody's child."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            if str(output).encode() in words and words[0].endswith(b"strace"):
                return True
    return False


@dataclass(slots=True)
class Call:
    """One system call. `begin` and `end` are numbers of lines; `result` is negative on failure."""

    process: int
    name: str
    text: str
    begin: int
    end: int = -1
    result: int = 0
    _pieces: list[bytes] = field(default_factory=list)

    @property
    def strings(self) -> list[bytes]:
        """Its strings: paths, or the octets to write."""
        if not self._pieces:
            self._pieces = [_octets(found) for found in _PIECE.findall(self.text)]
        return self._pieces

    @property
    def file(self) -> str:
        """The path behind its first descriptor; empty when that is no file."""
        found = _FILE.search(self.text.partition(",")[0])
        return _octets(found[1]).decode() if found else ""

    @property
    def client_port(self) -> tuple[int, int] | None:
        """Our port and the other side's, when its descriptor is a TCP connection here."""
        found = _CLIENT.search(self.text[:200])
        return (int(found[1]), int(found[2])) if found else None

    @property
    def numbers(self) -> list[int]:
        """Its plain numbers after the first comma that follows the octets."""
        return [int(n) for n in re.findall(r", (\d+)", _PIECE.sub("", self.text))]


@dataclass(frozen=True, slots=True)
class Moment:
    """A call began or ended."""

    call: Call
    ended: bool
    line: int


def moments(lines: Iterator[str]) -> Iterator[Moment]:
    """What happened, in order. Calls that never ended have a begin alone."""
    open_calls: dict[int, Call] = {}
    for number, line in enumerate(lines):
        resumed = _RESUMED.match(line)
        if resumed:
            call = open_calls.pop(int(resumed[1]))
            call.text += line[resumed.end() :]
        else:
            begun = _BEGIN.match(line)
            if begun is None:
                continue  # a signal, or the end of a process
            call = Call(int(begun[1]), begun[2], line[begun.end() :].rstrip("\n"), number)
            if call.text.endswith(_UNFINISHED):
                call.text = call.text.removesuffix(_UNFINISHED)
                open_calls[call.process] = call
                yield Moment(call, ended=False, line=number)
                continue
            yield Moment(call, ended=False, line=number)
        call.text, _, result = call.text.rpartition(" = ")
        call.result = _number(result)
        call.end = number
        yield Moment(call, ended=True, line=number)


def paths(call: Call) -> list[str]:
    """The absolute paths that a call names, each relative one joined to its descriptor's."""
    found = [octets.decode(errors="surrogateescape") for octets in call.strings]
    bases = [_octets(base).decode() for base in re.findall(r"<((?:\\x[0-9a-f]{2})+)>", call.text)]
    return [
        name if name.startswith("/") else f"{bases[min(at, len(bases) - 1)]}/{name}"
        for at, name in enumerate(found)
        if name.startswith("/") or bases
    ]


def hexed(text: str) -> str:
    """A text as the trace writes it."""
    return "".join(f"\\x{octet:02x}" for octet in text.encode())


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _number(text: str) -> int:
    found = re.match(r"-?(?:0x[0-9a-f]+|\d+)", text.strip())
    return int(found[0], 0) if found else -1
