"""Real clients deliver through a real server: smtplib, curl, swaks."""

import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.smtp_ingest.doubles import RecordingDoor
from tests.smtp_ingest.running import Running, running

MAIL = (
    b"From: Ann <ann@client.example>\r\nTo: vlad@acme.example\r\nSubject: hello\r\n\r\n"
    b".a dot\r\n..two\r\n\r\n.\x2e\r\n" + b"x" * 2000 + b"\r\n" + "Grüße\r\n".encode()
)


@pytest.fixture
def door() -> RecordingDoor:
    return RecordingDoor(refused=["nobody@acme.example"])


@pytest.fixture
def server(door: RecordingDoor) -> Iterator[Running]:
    with running(door) as it:
        yield it


def test_smtplib_sends_several_mails_in_a_session(server: Running, door: RecordingDoor) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        for _ in range(3):
            refused = client.sendmail(
                "ann@client.example", ["vlad@acme.example", "nobody@acme.example"], MAIL
            )
            assert refused == {"nobody@acme.example": (550, b"5.1.1 No such person here")}
        assert client.verify("vlad")[0] == 252
        assert client.noop() == (250, b"2.0.0 Ok")
    assert [mail.octets for mail in door.mails] == [MAIL] * 3


def test_smtplib_speaks_smtputf8(server: Running, door: RecordingDoor) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.sendmail("jörg@client.example", ["влад@acme.example"], MAIL, ["SMTPUTF8"])
    assert door.mails[0].mail_from == "jörg@client.example"
    assert door.mails[0].smtputf8


def test_smtplib_is_told_of_a_size_beyond_the_limit(server: Running) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.ehlo()
        assert client.mail("ann@client.example", ["SIZE=99999999999"])[0] == 552


def test_smtplib_speaks_lmtp(server: Running, door: RecordingDoor) -> None:
    with smtplib.LMTP("127.0.0.1", server.lmtp, timeout=30) as client:
        client.ehlo("client.example")
        client.mail("ann@client.example")
        for name in ("vlad", "nobody", "maria"):
            client.rcpt(f"{name}@acme.example")
        assert client.data(MAIL) == (250, b"2.0.0 Ok: accepted")
        assert client.getreply() == (250, b"2.0.0 Ok: accepted")
    assert [r.text for r in door.mails[0].recipients] == ["vlad@acme.example", "maria@acme.example"]
    assert door.mails[0].octets == MAIL


def test_curl_delivers_the_octets_of_a_file(
    curl: str, server: Running, door: RecordingDoor, tmp_path: Path
) -> None:
    file = tmp_path / "any.eml"
    file.write_bytes(MAIL)
    command = [
        curl,
        "-sS",
        "--url",
        f"smtp://127.0.0.1:{server.smtp}/client.example",
        "-T",
        str(file),
    ]
    envelope = ["--mail-from", "a@b.example", "--mail-rcpt", "vlad@acme.example"]
    subprocess.run([*command, *envelope], check=True, timeout=60)
    assert door.mails[0].octets == MAIL
    assert door.mails[0].session.helo == "client.example"
    refused = subprocess.run(
        [*command, "--mail-from", "a@b.example", "--mail-rcpt", "nobody@acme.example"],
        check=False,
        timeout=60,
        capture_output=True,
    )
    assert refused.returncode != 0


@pytest.mark.parametrize("protocol", ["SMTP", "ESMTP", "LMTP"])
def test_swaks_speaks_each_protocol(
    swaks: str, server: Running, door: RecordingDoor, protocol: str
) -> None:
    port = server.lmtp if protocol == "LMTP" else server.smtp
    done = subprocess.run(
        [swaks, "--protocol", protocol, "--server", "127.0.0.1", "--port", str(port),
         "--from", "ann@client.example", "--to", "vlad@acme.example,maria@acme.example",
         "--helo", "client.example", "--header", "Subject: hello", "--body", "one\n.two\n"],
        check=False, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (mail,) = door.mails
    assert mail.protocol == protocol
    assert len(mail.recipients) == 2
    assert b"\r\n.two\r\n" in mail.octets


def test_swaks_pipelines(swaks: str, server: Running, door: RecordingDoor) -> None:
    done = subprocess.run(
        [swaks, "--pipeline", "--server", f"127.0.0.1:{server.smtp}", "--helo", "client.example",
         "--from", "ann@client.example", "--to", "vlad@acme.example,nobody@acme.example"],
        check=False, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert [recipient.text for recipient in door.mails[0].recipients] == ["vlad@acme.example"]
