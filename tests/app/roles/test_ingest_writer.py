"""The writer's process reads requests whole, however they are cut, and stops with the socket."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from app.roles.ingest_writer import Requests
from archive_store import handover
from archive_store.sealing import Incoming

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def request(number: int, octets: bytes) -> bytes:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return b"".join(handover.request(number, [Incoming(b"t" * 16, octets, now)]))


def test_a_request_is_taken_once_it_is_all_there(pair: Pair) -> None:
    ours, theirs = pair
    requests, octets = Requests(theirs), request(1, b"first")
    for octet in octets[:-1]:
        ours.send(bytes([octet]))
        assert requests.batch(0.0) == []
    ours.send(octets[-1:])
    [(number, [mail])] = requests.batch(5.0)
    assert (number, mail.octets) == (1, b"first")


def test_what_is_there_already_comes_together(pair: Pair) -> None:
    ours, theirs = pair
    requests = Requests(theirs)
    ours.sendall(request(1, b"first") + request(2, b"") + request(3, b"third")[:20])
    assert [number for number, _ in requests.batch(5.0)] == [1, 2]
    ours.sendall(request(3, b"third")[20:])
    assert [number for number, _ in requests.batch(5.0)] == [3]


def test_requests_before_the_end_are_taken_and_a_cut_one_is_not(pair: Pair) -> None:
    ours, theirs = pair
    requests = Requests(theirs)
    ours.sendall(request(1, b"first") + request(2, b"second")[:-1])
    ours.close()
    assert [number for number, _ in requests.batch(5.0)] == [1]
    assert requests.batch(5.0) == []
    assert requests.ended
