"""Parsing in child processes that can be killed: a hostile message costs one child, nothing more.

`ParserPool` keeps a few children (`child.py`), exec'd with an empty environment, without files or
network of their own, with limits of memory and processor time. A child that does not answer in
time, dies or answers nonsense is killed and replaced, and the message it had is "unreadable". One
pool serves all threads of a process; calls wait for a free child. Times are in seconds, memory in
octets. It raises for no content; `StoreBusy` says that no child could be started at all.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from archive_store.errors import StoreBusy
from archive_store.mime import child, wire
from archive_store.mime.summary import UNREADABLE as UNREADABLE_SUMMARY
from archive_store.mime.summary import Summary
from archive_store.mime.values import UNREADABLE, Attachment, ParsedMessage

_ROOT: Final = Path(__file__).parents[2]
_INSTALLED: Final = sysconfig.get_path("purelib")
_START_SECONDS: Final = 30.0  # a busy machine; the time of a message runs only after this
_LONGEST_JSON: Final = 64 * 1024 * 1024
_LONGEST_LISTED: Final = 64 * 1024 * 1024  # a batch of summaries and words
_BATCH_OCTETS: Final = 1024 * 1024
_BATCH_COUNT: Final = 64

Listed = tuple[Summary, str]  # a summary and the searchable words
Answer = TypeVar("Answer")


class ChildFailed(Exception):
    """The child is gone, too slow, or answered what is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """What the children may use, each for itself."""

    children: int = 2
    seconds: float = 5.0  # per request, of wall time and of processor time
    memory: int = 768 * 1024 * 1024
    recycle_after: int = 2_000  # requests


class _Child:
    """One child process and the socket to it."""

    def __init__(self, limits: PoolLimits, module: str) -> None:
        self._limits = limits
        self.served = 0
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    _command(limits, module),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,  # a traceback would quote mail
                    env=_environment(),
                    cwd="/",
                )
            except OSError as error:
                self._socket.close()
                raise StoreBusy("no parser process could be started") from error
        try:
            if self._receive(1, time.monotonic() + _START_SECONDS) != child.READY:
                raise ChildFailed
        except ChildFailed:
            self.close()
            raise StoreBusy("a parser process did not start") from None

    def ask(self, op: int, index: int, pieces: Sequence[bytes]) -> tuple[Any, bytes]:
        """The child's answer: what its JSON held, and raw octets."""
        self.served += 1
        deadline = time.monotonic() + self._limits.seconds
        length = sum(map(len, pieces))
        head = child.REQUEST.pack(op, index, length)
        if length <= 2 * _BATCH_OCTETS:
            self._send(b"".join((head, *pieces)), deadline)
        else:  # a large message should not be in memory once more
            for piece in (head, *pieces):
                self._send(piece, deadline)
        sizes = child.REPLY.unpack(self._receive(child.REPLY.size, deadline))
        # Decoding makes no attachment longer; a summary has names that no message wrote.
        if sizes[0] > _LONGEST_JSON or sizes[1] > max(length, _LONGEST_LISTED):
            raise ChildFailed
        row = self._receive(sizes[0], deadline)
        raw = self._receive(sizes[1], deadline)
        try:
            return json.loads(row), bytes(raw)
        except (ValueError, RecursionError):
            raise ChildFailed from None

    def _send(self, octets: bytes, deadline: float) -> None:
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            self._socket.sendall(octets)
        except OSError:
            raise ChildFailed from None

    def _receive(self, length: int, deadline: float) -> bytearray:
        octets = bytearray(length)
        view = memoryview(octets)
        while view:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                count = self._socket.recv_into(view)
            except OSError:
                raise ChildFailed from None
            if not count:
                raise ChildFailed
            view = view[count:]
        return octets

    def close(self) -> None:
        """End the process, whatever it does, and reap it."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


class ParserPool:
    """Parses messages in killable children; safe to share between threads."""

    def __init__(
        self, limits: PoolLimits | None = None, module: str = "archive_store.mime.child"
    ) -> None:
        self._limits = limits or PoolLimits()
        self._module = module
        # A place holds an idle child, or None where one has yet to be started. Last in, first
        # out: a quiet process keeps one child warm and does not start the others.
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(self._limits.children):
            self._places.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start one child now, so that the first message does not wait for it."""
        with self._child():
            pass

    def summary(self, octets: bytes) -> Listed:
        """The summary and the searchable words of a message."""
        return self._batch([octets])[0]

    def summaries(self, batch: Sequence[bytes]) -> list[Listed]:
        """The same for many messages, in their order, with fewer round trips."""
        found: list[Listed] = []
        for some in _batches(batch):
            found += self._batch(some)
        return found

    def message(self, octets: bytes) -> ParsedMessage:
        """The parsed message."""
        try:
            return self.ask(child.MESSAGE, 0, [octets], lambda row, _: wire.read_message(row))
        except ChildFailed:
            return UNREADABLE

    def attachment(self, octets: bytes, index: int) -> tuple[Attachment, bytes] | None:
        """An attachment and its content; None when there is none or it cannot be had."""
        if not 0 <= index < 2**32:
            return None
        try:
            return self.ask(child.ATTACHMENT, index, [octets], _read_attachment)
        except ChildFailed:
            return None

    def inline_images(self, octets: bytes) -> dict[str, bytes]:
        """The pictures that the HTML body shows, by Content-ID; their type is not checked."""
        try:
            return self.ask(child.INLINE, 0, [octets], _read_pictures)
        except ChildFailed:
            return {}

    def text(self, octets: bytes) -> str:
        """What is written in the documents of a message (`documents`); empty for want of any."""
        try:
            return self.ask(child.TEXT, 0, [octets], lambda row, _: str(row))
        except (ChildFailed, StoreBusy):  # its mail is worth more than its search
            return ""

    def close(self) -> None:
        """End all children; waits for those that work, at most for their time."""
        for _ in range(self._limits.children):
            place = self._places.get()
            if place is not None:
                place.close()
        for _ in range(self._limits.children):
            self._places.put(None)

    def _batch(self, messages: Sequence[bytes]) -> list[Listed]:
        lengths = b"".join(child.LENGTH.pack(len(octets)) for octets in messages)
        head = child.BATCH.pack(len(messages)) + lengths
        try:
            return self.ask(child.SUMMARIES, 0, [head, *messages], _reads(len(messages)))
        except ChildFailed:
            if len(messages) == 1:
                return [(UNREADABLE_SUMMARY, "")]
        # One of them is the guilty one; the others must not suffer for it.
        return [self._batch([octets])[0] for octets in messages]

    def ask(
        self, op: int, index: int, pieces: Sequence[bytes], read: Callable[[Any, bytes], Answer]
    ) -> Answer:
        """What `read` makes of a child's answer; a child whose answer it cannot take is ended."""
        with self._child() as one:
            row, raw = one.ask(op, index, pieces)
            try:
                return read(row, raw)
            except (ValueError, TypeError, KeyError, AttributeError):
                raise ChildFailed from None

    @contextlib.contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child for one request; back in its place unless something went wrong or it is old."""
        one = self._places.get()
        kept: _Child | None = None
        try:
            if one is None:
                one = _Child(self._limits, self._module)
            yield one
            if one.served < self._limits.recycle_after:
                kept = one
        finally:
            if kept is None and one is not None:
                one.close()
            self._places.put(kept)


def _reads(count: int) -> Callable[[Any, bytes], list[Listed]]:
    def read(row: Any, raw: bytes) -> list[Listed]:
        found = []
        position = 0
        for summary, words in zip(row[::2], row[1::2], strict=True):
            middle, end = position + int(summary), position + int(summary) + int(words)
            found.append((Summary.from_bytes(raw[position:middle]), raw[middle:end].decode()))
            position = end
        if len(found) != count or position != len(raw):
            raise ValueError("a summary is missing")
        return found

    return read


def _read_attachment(row: Any, raw: bytes) -> tuple[Attachment, bytes] | None:
    return None if row is None else (wire.read_attachment(row), raw)


def _read_pictures(row: Any, raw: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    position = 0
    for content_id, size in row:
        found[str(content_id)] = raw[position : position + int(size)]
        position += int(size)
    return found


def _batches(messages: Sequence[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for octets in messages:
        if batch and (len(batch) == _BATCH_COUNT or size + len(octets) > _BATCH_OCTETS):
            yield batch
            batch, size = [], 0
        batch.append(octets)
        size += len(octets)
    if batch:
        yield batch


def _command(limits: PoolLimits, module: str) -> list[str]:
    # -S -s: nothing that is installed runs by itself at the start; what is wanted is on the path.
    return [
        sys.executable,
        *("-X", "utf8", "-P", "-S", "-s", "-B"),
        *("-m", module),
        str(math.ceil(limits.seconds)),
        str(limits.memory),
    ]


def _environment() -> dict[str, str]:
    """Nothing of the parent's: its settings name keys and databases."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(_ROOT), _INSTALLED))}
