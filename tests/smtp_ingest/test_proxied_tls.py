"""TLS from the start behind a load balancer: the header first, then TLS, in whatever pieces."""

import socket
import ssl
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from ipaddress import ip_network
from typing import TypeVar

import pytest
import trustme

from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import CONFIG, RecordingDoor
from tests.smtp_ingest.running import LOOPS, running

T = TypeVar("T")
HEADER = b"PROXY TCP4 198.51.100.9 192.0.2.1 4711 465\r\n"
BEHIND = replace(CONFIG, trusted=TrustedHosts(smtps_proxies=(ip_network("127.0.0.0/8"),)))
ELSEWHERE = replace(CONFIG, trusted=TrustedHosts(smtps_proxies=(ip_network("192.0.2.0/24"),)))
MAIL = (b"EHLO client.example", b"MAIL FROM:<a@b.example>", b"RCPT TO:<c@ours.example>", b"DATA")
PIECES = {
    "with the first octets of TLS": (HEADER,),
    "by itself": (HEADER, b""),
    "octet by octet": tuple(HEADER[at : at + 1] for at in range(len(HEADER))),
}


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server, client = (
        ssl.SSLContext(kind) for kind in (ssl.PROTOCOL_TLS_SERVER, ssl.PROTOCOL_TLS_CLIENT)
    )
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


class Tunnel:
    """A TLS client whose octets go out in the pieces that a test wants."""

    def __init__(self, port: int, trust: ssl.SSLContext, *before: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = trust.wrap_bio(self._in, self._out, server_hostname="127.0.0.1")
        try:
            self._begin(before)
        except OSError:
            self.socket.close()
            raise

    def _begin(self, before: tuple[bytes, ...]) -> None:
        for piece in before[:-1]:
            self.socket.sendall(piece)
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self.socket.sendall(b"".join(before[-1:]) + self._out.read())  # with the ClientHello
        self._until(self._tls.do_handshake)

    def say(self, octets: bytes) -> str:
        self._tls.write(octets)
        return self.hear()

    def hear(self) -> str:
        return self._until(lambda: self._tls.read(4096).decode())

    def _until(self, step: Callable[[], T]) -> T:
        while True:
            try:
                done = step()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._out.read())
                octets = self.socket.recv(4096)
                if not octets:
                    raise ConnectionResetError from None
                self._in.write(octets)
            else:
                self.socket.sendall(self._out.read())
                return done


def hand_over(tunnel: Tunnel) -> None:
    with closing(tunnel.socket):
        assert tunnel.hear().startswith("220 ")
        codes = [tunnel.say(line + b"\r\n")[:3] for line in MAIL]
        assert codes == ["250", "250", "250", "354"]
        assert tunnel.say(b"Subject: x\r\n\r\nx\r\n.\r\n").startswith("250 ")


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("before", PIECES.values(), ids=PIECES.keys())
def test_the_client_that_it_names_counts(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], before: tuple[bytes, ...], loop: str
) -> None:
    door = RecordingDoor()
    with running(door, BEHIND, tls=contexts[0], loop=loop) as server:
        hand_over(Tunnel(server.smtps, contexts[1], *before))
    (mail,) = door.mails
    assert (mail.session.client_ip, mail.session.client_port) == ("198.51.100.9", 4711)
    assert mail.session.tls is not None


def test_who_is_not_listed_needs_no_header_and_may_write_none(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    door = RecordingDoor()
    with running(door, ELSEWHERE, tls=contexts[0]) as server:
        hand_over(Tunnel(server.smtps, contexts[1]))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            Tunnel(server.smtps, contexts[1], HEADER)
    assert door.mails[0].session.client_ip == "127.0.0.1"


def test_a_listed_host_without_a_header_or_that_leaves_hears_nothing(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    with running(RecordingDoor(), BEHIND, tls=contexts[0]) as server:
        with socket.create_connection(("127.0.0.1", server.smtps), timeout=60) as left:
            left.sendall(HEADER[:5])
        with pytest.raises(ConnectionError):
            Tunnel(server.smtps, contexts[1])
        hand_over(Tunnel(server.smtps, contexts[1], HEADER))
        waiting = socket.create_connection(("127.0.0.1", server.smtps), timeout=60)
    with closing(waiting), suppress(ConnectionResetError):  # the end of the server ends it too
        assert waiting.recv(1) == b""
