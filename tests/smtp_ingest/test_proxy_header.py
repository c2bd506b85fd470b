"""The PROXY header: read whole, in whatever pieces, and only from listed hosts."""

import socket
import subprocess
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_ingest.proxy_header import BadHeader, ProxyHeader, read_header
from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import BODY, CONFIG, RecordingDoor
from tests.smtp_ingest.running import RawClient, running

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCALHOST = (ip_network("127.0.0.0/8"),)
BEHIND = replace(CONFIG, trusted=TrustedHosts(smtp_proxies=LOCALHOST))


def version_2(command: int, family: int, addresses: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + len(addresses).to_bytes(2) + addresses


IPV4 = bytes([198, 51, 100, 9, 192, 0, 2, 1]) + (4711).to_bytes(2) + (25).to_bytes(2)
IPV6 = socket.inet_pton(socket.AF_INET6, "2001:db8::9") * 2 + (4711).to_bytes(2) + (25).to_bytes(2)
MAPPED = socket.inet_pton(socket.AF_INET6, "::ffff:198.51.100.9") * 2 + IPV6[32:]
GOOD = [
    (b"PROXY TCP4 198.51.100.9 192.0.2.1 4711 25\r\n", "198.51.100.9", 4711),
    (b"PROXY TCP6 2001:db8::9 2001:db8::1 4711 25\r\n", "2001:db8::9", 4711),
    (b"PROXY UNKNOWN\r\n", "", 0),
    (b"PROXY UNKNOWN ffff:f...f ffff 65535 65535\r\n", "", 0),
    (version_2(0x21, 0x11, IPV4), "198.51.100.9", 4711),
    (version_2(0x21, 0x21, IPV6), "2001:db8::9", 4711),
    (version_2(0x21, 0x21, MAPPED), "198.51.100.9", 4711),
    (version_2(0x21, 0x11, IPV4 + b"\x04\x00\x01\x00"), "198.51.100.9", 4711),  # with more
    (version_2(0x20, 0x00, b""), "", 0),  # it speaks for itself
    (version_2(0x20, 0x11, IPV4), "", 0),
    (version_2(0x21, 0x31, b"x" * 216), "", 0),  # a local socket
]


@pytest.mark.parametrize(("octets", "client_ip", "port"), GOOD)
def test_a_header_is_read_from_any_pieces(octets: bytes, client_ip: str, port: int) -> None:
    for end in range(len(octets)):
        assert read_header(octets[:end]) is None
    assert read_header(octets + b"EHLO\r\n") == ProxyHeader(client_ip, port, b"EHLO\r\n")


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO client.example\r\n",
        b"\r\nPROXY",
        b"PROXY TCP4 198.51.100.9 192.0.2.1 4711\r\n",
        b"PROXY TCP4 2001:db8::9 2001:db8::1 4711 25\r\n",
        b"PROXY TCP6 2001:db8::9 192.0.2.1 4711 25\r\n",
        b"PROXY TCP4 198.51.100.256 192.0.2.1 4711 25\r\n",
        b"PROXY TCP4 198.51.100.9 192.0.2.1 65536 25\r\n",
        b"PROXY tcp4 198.51.100.9 192.0.2.1 4711 25\r\n",
        b"PROXY  TCP4 198.51.100.9 192.0.2.1 4711 25\r\n",
        b"PROXY UNKNOWN " + b"x" * 100,
        version_2(0x11, 0x11, IPV4),
        version_2(0x22, 0x11, IPV4),
        version_2(0x21, 0x11, IPV4[:-1]),
        version_2(0x21, 0x21, IPV4),
        version_2(0x21, 0x11, b"x" * 5000),
    ],
)
def test_anything_else_is_no_header(octets: bytes) -> None:
    with pytest.raises(BadHeader):
        read_header(octets)


@given(st.binary(max_size=200), st.sampled_from([b"", b"PROXY ", SIGNATURE]))
def test_no_octets_do_anything_else(octets: bytes, begin: bytes) -> None:
    try:
        read_header(begin + octets)
    except BadHeader:
        return


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.mark.parametrize(("octets", "client_ip", "port"), GOOD)
def test_the_client_that_it_names_counts(
    door: RecordingDoor, octets: bytes, client_ip: str, port: int
) -> None:
    with running(door, BEHIND) as server, RawClient(server.smtp) as client:
        client.send(octets + b"EHLO client.example\r\n")
        assert client.reply().startswith("220 ")
        assert client.reply().startswith("250 ")
        client.start_data()
        assert client.ask(BODY + b".\r\n").startswith("250 ")
    (mail,) = door.mails
    assert mail.session.client_ip == (client_ip or "127.0.0.1")
    assert mail.session.client_port == port or not port


def test_a_listed_host_without_a_header_hears_nothing(door: RecordingDoor) -> None:
    with running(door, BEHIND) as server, RawClient(server.smtp) as client:
        client.send(b"EHLO client.example\r\n")
        assert client.rest() == b""


def test_a_stranger_cannot_write_one(door: RecordingDoor) -> None:
    with running(door) as server, RawClient(server.smtp) as client:
        assert client.reply().startswith("220 ")
        assert client.ask(GOOD[0][0]).startswith("500 ")


def test_each_listener_has_its_own_proxies(door: RecordingDoor) -> None:
    with running(door, BEHIND) as server, RawClient(server.lmtp) as client:
        assert client.reply().startswith("220 ")


def test_the_limit_of_sessions_is_for_each_client_behind_the_proxy(door: RecordingDoor) -> None:
    config = replace(BEHIND, max_sessions_per_peer=1)
    other = GOOD[0][0].replace(b"100.9", b"100.10")
    with (
        running(door, config) as server,
        RawClient(server.smtp) as one,
        RawClient(server.smtp) as two,
        RawClient(server.smtp) as third,
    ):
        assert one.ask(GOOD[0][0]).startswith("220 ")
        assert two.ask(other).startswith("220 ")
        assert third.ask(other).startswith("421 4.7.0 ")


def test_a_server_stops_while_a_header_is_awaited(door: RecordingDoor) -> None:
    with running(door, BEHIND) as server:
        client = RawClient(server.smtp)
        client.send(b"PROXY")
        with RawClient(server.smtp) as other:  # accepted after the first
            assert other.ask(GOOD[0][0]).startswith("220 ")
    with client:
        assert client.rest() == b""


@pytest.mark.parametrize(("version", "family"), [("1", "TCP4"), ("2", "AF_INET")])
def test_swaks_speaks_through_a_proxy(
    swaks: str, door: RecordingDoor, version: str, family: str
) -> None:
    proxy = {"version": version, "family": family, "protocol": "STREAM", "command": "PROXY",
             "source": "198.51.100.9", "source-port": "4711",
             "dest": "192.0.2.1", "dest-port": "25"}  # fmt: skip
    with running(door, BEHIND) as server:
        done = subprocess.run(
            [swaks, "--server", f"127.0.0.1:{server.smtp}", "--helo", "client.example",
             "--from", "ann@client.example", "--to", "vlad@acme.example",
             *(word for name, value in proxy.items() for word in (f"--proxy-{name}", value))],
            check=False, timeout=60, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    session = door.mails[0].session
    assert (session.client_ip, session.client_port) == ("198.51.100.9", 4711)
