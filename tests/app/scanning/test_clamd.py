"""The protocol, spoken with a real clamd and with what only pretends to be one."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from app.config_kinds import HostPort
from app.scanning.clamd import Clamd, ScannerAway, TooLarge
from tests.parts.clamav import EICAR, LARGEST, SIGNATURE, Clamav

PATIENCE = 60.0


def test_it_is_asked_at_a_port_and_at_a_unix_socket(clamav: Clamav) -> None:
    for where in (clamav.where, clamav.socket):
        clamd = Clamd(where)
        assert clamd.version(PATIENCE).startswith("ClamAV 1.")
        assert clamd.scan(b"Shall we meet at noon?", PATIENCE) == ""
        assert clamd.scan(b"", PATIENCE) == ""
        assert clamd.scan(bytes(100_000) + EICAR, PATIENCE) == SIGNATURE


def test_what_is_larger_than_it_takes_is_no_clean_bill(clamav: Clamav) -> None:
    for where in (clamav.where, clamav.socket):
        with pytest.raises(TooLarge):
            Clamd(where).scan(bytes(40 * LARGEST), PATIENCE)


def test_nobody_there_is_said_so(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        for where in (HostPort("127.0.0.1", taken.getsockname()[1]), tmp_path / "socket"):
            with pytest.raises(ScannerAway):
                Clamd(where).scan(b"mail", PATIENCE)
    with pytest.raises(ScannerAway):
        Clamd(tmp_path / "socket").version(0)


def test_a_process_with_many_connections_asks_as_any_other(clamav: Clamav) -> None:
    beyond = 1024  # where the numbers of select(2) end
    with ExitStack() as held, socket.socket() as one:
        while (number := os.dup(one.fileno())) < beyond:
            held.callback(os.close, number)
        held.callback(os.close, number)
        assert Clamd(clamav.where).scan(EICAR, PATIENCE) == SIGNATURE


@contextmanager
def answering(answer: bytes) -> Iterator[HostPort]:
    """A server that says the same to everybody and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                while True:
                    client, _ = server.accept()
                    with client:
                        client.recv(100)
                        client.sendall(answer)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield HostPort("127.0.0.1", server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer", [b"", b"stream: OK", b"220 mail ESMTP\r\n", b"UNKNOWN COMMAND\0", b"x" * 100_000]
)
def test_what_is_no_answer_of_clamd_is_no_clean_bill(answer: bytes) -> None:
    with answering(answer) as where:
        with pytest.raises(ScannerAway):
            Clamd(where).scan(b"mail", PATIENCE)
        with pytest.raises(ScannerAway):
            Clamd(where).version(PATIENCE)


def test_a_name_is_short_and_plain() -> None:
    for name, told in (
        (b"Win.Test", "Win.Test"),
        (b"<b>\n</b>", "unnamed"),
        (b"x" * 101, "unnamed"),
    ):
        with answering(b"stream: " + name + b" FOUND\0") as where:
            assert Clamd(where).scan(b"mail", PATIENCE) == told


def test_what_was_not_looked_at_to_its_end_is_too_large() -> None:
    with (
        answering(b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0") as where,
        pytest.raises(TooLarge),
    ):
        Clamd(where).scan(b"mail", PATIENCE)
