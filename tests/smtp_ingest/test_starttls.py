"""STARTTLS (RFC 3207), TLS from the start (RFC 8314), and what an attacker in between tries."""

import contextlib
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.smtp_ingest.doubles import BODY, RecordingDoor
from tests.smtp_ingest.running import LOOPS, RawClient, Running, running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor()


@pytest.fixture(params=LOOPS)
def server(
    request: pytest.FixtureRequest, door: RecordingDoor, server_context: ssl.SSLContext
) -> Iterator[Running]:
    with running(door, tls=server_context, loop=request.param) as it:
        yield it


def test_mail_comes_through_under_tls(
    server: Running, door: RecordingDoor, client_context: ssl.SSLContext
) -> None:
    body = BODY + b"x" * 70_000 + b"\r\n"
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.ehlo("plain.example")
        assert client.has_extn("starttls")
        client.starttls(context=client_context)
        client.ehlo("client.example")
        assert not client.has_extn("starttls")
        for _ in range(2):
            client.sendmail("ann@client.example", ["vlad@acme.example"], body)
    for mail in door.mails:
        assert mail.octets == body
        assert mail.protocol == "ESMTPS"
        assert mail.session.helo == "client.example"
        assert mail.session.tls is not None
        assert mail.session.tls.version == "TLSv1.3"
        assert mail.session.tls.cipher.startswith("TLS_")
    assert len(door.mails) == 2


def test_lmtp_has_tls_too(
    server: Running, door: RecordingDoor, client_context: ssl.SSLContext
) -> None:
    with smtplib.LMTP("127.0.0.1", server.lmtp, timeout=30) as client:
        client.starttls(context=client_context)
        client.sendmail("ann@client.example", ["vlad@acme.example"], BODY)
    assert door.mails[0].protocol == "LMTPS"


def test_what_was_said_in_the_clear_is_forgotten(
    server: Running, client_context: ssl.SSLContext
) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.ehlo("client.example")
        client.mail("ann@client.example")
        client.starttls(context=client_context)
        assert client.docmd("RCPT TO:<vlad@acme.example>")[0] == 503
        assert client.docmd("MAIL FROM:<>")[0] == 503


def test_commands_injected_before_the_handshake_are_not_run(
    server: Running, door: RecordingDoor, client_context: ssl.SSLContext
) -> None:
    """CVE-2011-0411: what an attacker puts behind STARTTLS must not be answered under TLS."""
    with RawClient(server.smtp) as client:
        client.greet()
        reply = client.ask(b"STARTTLS\r\nEHLO evil.example\r\nMAIL FROM:<evil@x.example>\r\n")
        assert reply[:3] == "220"
        with client_context.wrap_socket(client.socket, server_hostname="127.0.0.1") as secured:
            secured.sendall(b"NOOP\r\n")
            assert secured.recv(1000) == b"250 2.0.0 Ok\r\n"
            secured.sendall(b"RCPT TO:<vlad@acme.example>\r\n")
            assert secured.recv(1000).startswith(b"503 ")
    assert not door.asked


def test_a_command_in_the_packet_that_ends_the_handshake_is_answered(
    server: Running, client_context: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = client_context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with RawClient(server.smtp) as client:
        client.greet()
        client.ask(b"STARTTLS\r\n")
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                incoming.write(client.socket.recv(65536))
        secured.write(b"NOOP\r\n")
        client.send(outgoing.read())
        answer = b""
        while not answer:
            incoming.write(client.socket.recv(65536))
            with contextlib.suppress(ssl.SSLWantReadError):
                answer = secured.read()
        assert answer == b"250 2.0.0 Ok\r\n"


def test_a_handshake_that_fails_ends_the_connection_and_nothing_else(server: Running) -> None:
    with RawClient(server.smtp) as client:
        client.greet()
        assert client.ask(b"STARTTLS\r\n")[:3] == "220"
        client.send(b"MAIL FROM:<evil@x.example>\r\n")
        assert b"250" not in client.rest()
    with RawClient(server.smtp) as client:
        client.greet()
        assert client.ask(b"NOOP\r\n")[:3] == "250"


def test_without_a_certificate_it_is_not_offered(door: RecordingDoor) -> None:
    with running(door) as server, smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 502


def test_curl_insists_on_it(
    curl: str, server: Running, door: RecordingDoor, authority: trustme.CA, tmp_path: Path
) -> None:
    mail = tmp_path / "any.eml"
    mail.write_bytes(BODY)
    with authority.cert_pem.tempfile() as certificate:
        subprocess.run(
            [curl, "-sS", "--ssl-reqd", "--cacert", certificate, "-T", str(mail),
             "--url", f"smtp://127.0.0.1:{server.smtp}/client.example",
             "--mail-from", "ann@client.example", "--mail-rcpt", "vlad@acme.example"],
            check=True, timeout=60,
        )  # fmt: skip
    assert door.mails[0].octets == BODY
    assert door.mails[0].protocol == "ESMTPS"


def test_mail_comes_by_tls_from_the_start(
    server: Running, door: RecordingDoor, client_context: ssl.SSLContext
) -> None:
    body = BODY + b"x" * 70_000 + b"\r\n"
    with smtplib.SMTP_SSL("127.0.0.1", server.smtps, timeout=30, context=client_context) as client:
        client.ehlo("client.example")
        assert not client.has_extn("starttls")
        client.sendmail("ann@client.example", ["vlad@acme.example"], body)
    [mail] = door.wait_for(1)
    assert mail.octets == body
    assert mail.protocol == "ESMTPS"
    assert mail.session.tls is not None


def test_who_speaks_in_the_clear_to_a_port_of_tls_gets_no_session(server: Running) -> None:
    with RawClient(server.smtps) as client:
        client.send(b"EHLO client.example\r\n")
        assert b"250" not in client.rest()
