"""The pool of parser children: quick when all is well, whole again after anything."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive_store.errors import StoreBusy
from archive_store.mime import child, worker
from archive_store.mime.parse import read_message
from archive_store.mime.summary import summarise, words
from archive_store.mime.worker import ParserPool, PoolLimits
from tests.corpus import hostile, ordinary

ONE = PoolLimits(children=1)


@pytest.fixture(scope="module")
def pool() -> Iterator[ParserPool]:
    with ParserPool() as shared:
        yield shared


@pytest.mark.parametrize("name", ordinary.MESSAGES)
def test_a_child_reads_what_the_parser_reads(pool: ParserPool, name: str) -> None:
    octets = ordinary.MESSAGES[name]
    message = read_message(octets)
    assert pool.message(octets) == message
    assert pool.summary(octets) == (summarise(message), words(message))


def test_many_summaries_come_in_the_order_of_their_messages(pool: ParserPool) -> None:
    octets = [b"Subject: %d\r\n\r\n" % number + b"x" * 30_000 for number in range(150)]
    assert [row.subject for row, _ in pool.summaries(octets)] == [str(n) for n in range(150)]
    assert pool.summaries([]) == []


def test_attachments_and_pictures_come_whole(pool: ParserPool) -> None:
    found = pool.attachment(ordinary.NESTED, 0)
    assert found is not None
    assert found[0].filename == "pic.png"
    assert found[1] == ordinary.PNG
    assert pool.attachment(ordinary.NESTED, 9) is None
    assert pool.attachment(ordinary.NESTED, -1) is None
    assert pool.inline_images(ordinary.NESTED) == {"pic@example.org": ordinary.PNG}


def test_a_large_message_does_not_jam_the_pipe(pool: ParserPool) -> None:
    octets = b"Content-Type: application/pdf\r\n\r\n" + b"x" * 8_000_000
    found = pool.attachment(octets, 0)
    assert found is not None
    assert len(found[1]) == 8_000_000


@pytest.mark.parametrize("name", hostile.MESSAGES)
def test_a_hostile_message_is_read_in_the_child_as_here(pool: ParserPool, name: str) -> None:
    octets = hostile.MESSAGES[name]
    message = read_message(octets)
    assert pool.message(octets) == message
    assert pool.summary(octets) == (summarise(message), words(message))


def test_threads_share_the_pool(pool: ParserPool) -> None:
    wrong: list[str] = []

    def work(number: int) -> None:
        for _ in range(20):
            subject = pool.summary(b"Subject: s%d\r\n\r\n" % number)[0].subject
            if subject != f"s{number}":
                wrong.append(subject)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def answering(replies: str) -> str:
    """A program for a child that is ready, reads forever, and says `replies` (an expression)."""
    return (
        "import socket,time\n"
        "s=socket.socket(fileno=0)\n"
        f"s.sendall(b'R'+{replies})\n"
        "while s.recv(65536): pass\n"
    )


@pytest.fixture
def broken_child(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Programs to run as the next children instead of the parser."""
    programs: list[str] = []
    real = worker._command

    def command(limits: PoolLimits, module: str) -> list[str]:
        arguments = real(limits, module)
        return [arguments[0], "-c", programs.pop(0)] if programs else arguments

    monkeypatch.setattr(worker, "_command", command)
    return programs


@pytest.mark.parametrize(
    "program",
    [
        answering("b''"),  # hangs
        answering("bytes([255])*16"),  # claims an endless answer
        answering(f"{child.REPLY.pack(2, 0)!r}+b'{{]'"),  # no JSON
        answering(f"{child.REPLY.pack(4, 0)!r}+b'null'"),
        answering(f"{child.REPLY.pack(5, 0)!r}+b'[[]]x'"),
        answering(f"{child.REPLY.pack(200_000, 0)!r}+b'['*200_000"),
        "import socket; socket.socket(fileno=0).sendall(b'R')",  # dies
    ],
)
def test_a_child_that_hangs_dies_or_lies_costs_one_message(
    broken_child: list[str], program: str
) -> None:
    broken_child.append(program)
    with ParserPool(replace(ONE, seconds=0.5)) as pool:
        row, found = pool.summary(ordinary.PLAIN)
        assert (row.unreadable, found) == (True, "")
        broken_child.append(program)
        pool.warm()
        assert pool.message(ordinary.PLAIN).unreadable
        broken_child.append(program)
        pool.warm()
        assert pool.attachment(ordinary.NESTED, 0) is None
        broken_child.append(program)
        pool.warm()
        assert pool.inline_images(ordinary.NESTED) == {}
        broken_child.clear()
        assert pool.message(ordinary.PLAIN) == read_message(ordinary.PLAIN)


def test_a_pool_is_whole_again_after_its_child_was_killed() -> None:
    with ParserPool(ONE) as pool:
        pool.warm()
        os.kill(child_of(pool), signal.SIGKILL)
        assert pool.message(ordinary.PLAIN).unreadable
        assert pool.message(ordinary.PLAIN) == read_message(ordinary.PLAIN)


def test_in_a_batch_only_the_guilty_message_is_unreadable(
    broken_child: list[str],
) -> None:
    good = ordinary.PLAIN
    broken_child.append("import socket; socket.socket(fileno=0).sendall(b'R')")
    with ParserPool(ONE) as pool:
        rows = pool.summaries([good, good, good])  # the first child dies of the whole batch
    assert [row.unreadable for row, _ in rows] == [False, False, False]


def test_memory_beyond_the_limit_is_refused_and_the_next_message_is_read() -> None:
    octets = b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUFB\r\n" * 20_000_000
    with ParserPool(PoolLimits(children=1, memory=160 * 1024 * 1024)) as pool:
        assert pool.message(octets).unreadable
        assert pool.message(ordinary.PLAIN) == read_message(ordinary.PLAIN)


def test_children_are_replaced_after_their_time() -> None:
    with ParserPool(replace(ONE, recycle_after=2)) as pool:
        seen = set()
        for _ in range(3):
            pool.summary(ordinary.PLAIN)
            pool.warm()
            seen.add(child_of(pool))
            pool.summary(ordinary.PLAIN)
        assert len(seen) == 3


def test_a_child_has_no_environment_no_files_and_no_room_for_a_core() -> None:
    with ParserPool(ONE) as pool:
        pool.message(ordinary.PLAIN)
        process = Path("/proc") / str(child_of(pool))
        names = {one.partition(b"=")[0] for one in (process / "environ").read_bytes().split(b"\0")}
        assert names <= {b"", b"PYTHONPATH", b"LD_LIBRARY_PATH", b"LC_CTYPE"}
        rows = (process / "limits").read_text().splitlines()
        limits = {row[:26].strip(): row[26:].split() for row in rows}
        assert limits["Max open files"][:2] == ["0", "0"]
        assert limits["Max file size"][:2] == ["0", "0"]
        assert limits["Max core file size"][:2] == ["0", "0"]
        assert limits["Max address space"][0] == str(ONE.memory)
        assert limits["Max cpu time"][0].isdigit()


def test_closing_ends_the_children() -> None:
    pool = ParserPool(ONE)
    pool.warm()
    pid = child_of(pool)
    pool.close()
    assert not (Path("/proc") / str(pid)).exists()


def test_a_child_ends_when_its_parent_is_gone() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        server = threading.Thread(target=child.serve, args=(theirs, 5, {}))
        server.start()
        ours.close()
        server.join(10)
        assert not server.is_alive()


def test_no_child_at_all_is_our_trouble_and_not_the_messages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "_command", lambda *_: ["/nonexistent/python"])
    with ParserPool(ONE) as pool, pytest.raises(StoreBusy):
        pool.message(ordinary.PLAIN)


def child_of(pool: ParserPool) -> int:
    """The process of the one idle child."""
    (place,) = pool._places.queue
    assert place is not None
    return place._process.pid
