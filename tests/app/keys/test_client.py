"""Asking the keys role: connections are few, and a broken one is made again."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.keys.client import KeysClient
from app.keys.protocol import socket_name
from archive_store.errors import KeysMissing, KeysUnavailable


class Answering(socketserver.ThreadingUnixStreamServer):
    """A keys role that counts its callers and says one thing."""

    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, folder: Path) -> None:
        self.answer = b'{"ok":{}}'
        self.callers = 0
        self.hang_up = False
        super().__init__(str(folder / socket_name("web")), _Caller)


class _Caller(socketserver.StreamRequestHandler):
    server: Answering

    def setup(self) -> None:
        super().setup()
        self.server.callers += 1

    def handle(self) -> None:
        while self.rfile.readline():
            self.wfile.write(self.server.answer + b"\n")
            self.wfile.flush()
            if self.server.hang_up:
                return


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Answering]:
    with Answering(tmp_path) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[KeysClient]:
    made = KeysClient(tmp_path, "web")
    yield made
    made.close()


def test_threads_that_come_and_go_leave_no_connection_behind(
    server: Answering, client: KeysClient
) -> None:
    for _ in range(20):
        thread = threading.Thread(target=client.status)
        thread.start()
        thread.join()
    assert server.callers == 1


def test_questions_at_the_same_time_have_connections_of_their_own(
    server: Answering, client: KeysClient
) -> None:
    found: list[dict[str, object]] = []
    threads = [threading.Thread(target=lambda: found.append(client.status())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{}] * 8
    assert server.callers <= 8


def test_a_connection_that_broke_is_made_again(server: Answering, client: KeysClient) -> None:
    server.hang_up = True
    for _ in range(3):
        assert client.status() == {}
    assert server.callers == 3


def test_an_error_is_an_answer_and_keeps_the_connection(
    server: Answering, client: KeysClient
) -> None:
    server.answer = b'{"error":"KeysMissing","text":"that day is over"}'
    for _ in range(2):
        with pytest.raises(KeysMissing, match="that day is over"):
            client.status()
    assert server.callers == 1


@pytest.mark.parametrize("said", [b"[]", b"nonsense"])
def test_what_is_no_answer_is_nobody_there(
    server: Answering, client: KeysClient, said: bytes
) -> None:
    server.answer = said
    with pytest.raises(KeysUnavailable):
        client.status()
    server.answer = b'{"ok":{}}'
    assert client.status() == {}
