"""A parser child: reads requests from the socket that is its standard input, answers, repeats.

Run by `worker.ParserPool` and by nobody else. Before the first message it gives up what it never
needs: memory beyond its limit, opening files, writing files, core dumps. Each request has its own
limit of processor seconds. It ends when its parent closes the socket, and dies on anything
unexpected: the parent answers "unreadable" and starts another one.

Frames, numbers big-endian: request `op(1) index(4) length(8) octets`, reply `json(8) raw(8)` and
the two of them. A batch of summaries is one request: `count(4) length(8)* octets*`; its answer
has the lengths as JSON, and raw each message's summary and words.
"""

from __future__ import annotations

import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from archive_store.mime import wire
from archive_store.mime.parse import (
    attachment_octets,
    inline_images,
    parse_for_list,
    parse_message,
)
from archive_store.mime.summary import summarise, words

REQUEST: Final = struct.Struct(">BIQ")
REPLY: Final = struct.Struct(">QQ")
BATCH: Final = struct.Struct(">I")
LENGTH: Final = struct.Struct(">Q")
READY: Final = b"R"
SUMMARIES, MESSAGE, ATTACHMENT, INLINE, TEXT = range(1, 6)

Answer = tuple[Any, bytes]
Operations = Mapping[int, Callable[[memoryview, int], Answer]]


def _summaries(octets: memoryview, _: int) -> Answer:
    (count,) = BATCH.unpack_from(octets)
    lengths = [LENGTH.unpack_from(octets, BATCH.size + 8 * n)[0] for n in range(count)]
    found: list[bytes] = []
    position = BATCH.size + 8 * count
    for length in lengths:
        message = parse_for_list(bytes(octets[position : position + length]))
        found += summarise(message).to_bytes(), words(message).encode("utf-8")
        position += length
    return [len(one) for one in found], b"".join(found)


def _message(octets: memoryview, _: int) -> Answer:
    return wire.write_message(parse_message(bytes(octets))), b""


def _attachment(octets: memoryview, index: int) -> Answer:
    try:
        attachment, content = attachment_octets(bytes(octets), index)
    except IndexError:
        return None, b""
    return asdict(attachment), content


def _inline(octets: memoryview, _: int) -> Answer:
    found = inline_images(bytes(octets))
    return [(cid, len(content)) for cid, content in found.items()], b"".join(found.values())


_OPS: Final[Operations] = {
    SUMMARIES: _summaries,
    MESSAGE: _message,
    ATTACHMENT: _attachment,
    INLINE: _inline,
}


def give_up(memory: int) -> None:
    """Set the limits that hold for the life of the process. `memory` is in octets."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, also at a terminal
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold mail
    # What is open stays so; no further file or socket can be opened, also in place of one of them.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def limit_seconds(seconds: int) -> None:
    """Let this process use `seconds` more of processor time; SIGXCPU ends it then."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def serve(connection: socket.socket, seconds: int, operations: Operations) -> None:
    """Answer requests until the other side closes."""
    stream = connection.makefile("rb", buffering=256 * 1024)
    while head := stream.read(REQUEST.size):
        op, index, length = REQUEST.unpack(head)
        octets = stream.read(length)
        if len(octets) != length:
            return
        limit_seconds(seconds)
        row, raw = operations[op](memoryview(octets), index)
        answer = wire.dump(row)
        connection.sendall(REPLY.pack(len(answer), len(raw)) + answer)
        if raw:
            connection.sendall(raw)


def main() -> None:
    """`python -m archive_store.mime.child SECONDS MEMORY`"""
    seconds, memory = map(int, sys.argv[1:3])
    connection = socket.socket(fileno=0)
    give_up(memory)
    connection.sendall(READY)
    serve(connection, seconds, _OPS)


if __name__ == "__main__":
    main()
