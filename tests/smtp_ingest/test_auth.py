"""AUTH (RFC 4954): only under TLS, and nothing but the right password opens the door."""

import base64
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from smtp_ingest.auth import Credentials
from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import BODY, CONFIG, HELLO, HERE, Conversation, RecordingDoor, codes
from tests.smtp_ingest.running import Running, running

NEEDED = replace(CONFIG, needs_auth=True)
LOGINS = {"mx1": "correct horse", "mx2": "ж пароль"}


def b64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def plain(name: str, password: str, authority: str = "") -> bytes:
    return b"AUTH PLAIN " + b64(f"{authority}\0{name}\0{password}") + b"\r\n"


@pytest.fixture
def talk() -> Conversation:
    return under_tls()


def under_tls(*, lmtp: bool = False) -> Conversation:
    talk = Conversation(config=NEEDED, offers_tls=True, logins=LOGINS, lmtp=lmtp).greet()
    talk.send(b"STARTTLS\r\n")
    return talk.greet()


def test_it_is_offered_under_tls_only() -> None:
    talk = Conversation(offers_tls=True, logins=LOGINS)
    assert b"AUTH" not in talk.send(HELLO)
    assert codes(talk.send(plain("mx1", "correct horse"))) == ["538 5.7.11"]
    talk.send(b"STARTTLS\r\n")
    assert codes(talk.send(plain("mx1", "correct horse"))) == ["503 5.5.1"]  # EHLO first
    assert b"250-AUTH PLAIN LOGIN\r\n" in talk.send(HELLO)


def test_without_logins_there_is_no_such_command() -> None:
    talk = Conversation(offers_tls=True).greet()
    talk.send(b"STARTTLS\r\n")
    assert b"AUTH" not in talk.send(HELLO)
    assert codes(talk.send(plain("mx1", "correct horse"))) == ["502 5.5.1"]


@pytest.mark.parametrize(("name", "password"), LOGINS.items())
def test_plain_in_one_line_and_in_two(talk: Conversation, name: str, password: str) -> None:
    assert codes(talk.send(plain(name, password, authority=name))) == ["235 2.7.0"]
    other = under_tls()
    assert other.send(b"AUTH PLAIN\r\n") == b"334 \r\n"
    assert codes(other.send(b64(f"\0{name}\0{password}") + b"\r\n")) == ["235 2.7.0"]


def test_login_asks_for_the_name_and_for_the_password(talk: Conversation) -> None:
    assert talk.send(b"auth login\r\n") == b"334 VXNlcm5hbWU6\r\n"
    assert talk.send(b64("mx1") + b"\r\n") == b"334 UGFzc3dvcmQ6\r\n"
    assert codes(talk.send(b64("correct horse") + b"\r\n")) == ["235 2.7.0"]
    other = under_tls()
    assert other.send(b"AUTH LOGIN " + b64("mx1") + b"\r\n") == b"334 UGFzc3dvcmQ6\r\n"
    assert codes(other.send(b64("correct horse") + b"\r\n")) == ["235 2.7.0"]


def test_the_name_is_a_fact_of_the_session(talk: Conversation) -> None:
    talk.send(plain("mx1", "correct horse"))
    talk.deliver(BODY + b".\r\n")
    talk.greet().deliver(BODY + b".\r\n")  # a new EHLO takes nothing back
    assert [mail.session.login for mail in talk.door.mails] == ["mx1", "mx1"]
    assert {mail.protocol for mail in talk.door.mails} == {"ESMTPSA"}  # RFC 3848


def test_where_it_is_needed_no_mail_comes_without(talk: Conversation) -> None:
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["530 5.7.0"]
    assert codes(talk.send(plain("mx1", "wrong"))) == ["535 5.7.8"]
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["530 5.7.0"]
    talk.send(plain("mx1", "correct horse"))
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["250 2.1.0"]


def test_in_clear_what_needs_it_takes_nothing() -> None:
    talk = Conversation(config=NEEDED, offers_tls=True, logins=LOGINS).greet()
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["530 5.7.0"]


def test_tls_begins_without_a_name() -> None:
    talk = under_tls()
    talk.send(plain("mx1", "correct horse"))
    talk.session._dialogue.tls_started(None)
    talk.greet()
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["530 5.7.0"]


def test_a_proxy_does_not_log_in_for_its_clients() -> None:
    config = replace(NEEDED, trusted=TrustedHosts(xclient=HERE))
    talk = Conversation(config=config, offers_tls=True, logins=LOGINS).greet()
    talk.send(b"STARTTLS\r\n" + HELLO)
    talk.greet().send(plain("mx1", "correct horse"))
    talk.send(b"XCLIENT ADDR=198.51.100.9\r\n" + HELLO)
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["530 5.7.0"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (plain("nobody", "correct horse"), "535 5.7.8"),
        (plain("mx1", "correct horse", authority="mx2"), "535 5.7.8"),
        (b"AUTH\r\n", "504 5.5.4"),
        (b"AUTH CRAM-MD5\r\n", "504 5.5.4"),
        (b"AUTH PLAIN =\r\n", "501 5.5.2"),
        (b"AUTH PLAIN !!!!\r\n", "501 5.5.2"),
        (b"AUTH PLAIN AGE\r\n", "501 5.5.2"),
        (b"AUTH PLAIN " + b64("mx1\0correct horse") + b"\r\n", "501 5.5.2"),
        (b"AUTH PLAIN " + b64("\0mx1\0correct\0horse") + b"\r\n", "501 5.5.2"),
        (b"AUTH PLAIN " + b64("\0\0") + b"\r\n", "501 5.5.2"),
        (b"AUTH PLAIN " + b64("\0mx1\0" + "x" * 256) + b"\r\n", "501 5.5.2"),
        (b"AUTH PLAIN " + base64.b64encode(b"\0mx1\0\xff") + b"\r\n", "501 5.5.2"),
        (b"AUTH PLAIN\r\n*\r\n", "501 5.7.0"),
        (b"AUTH LOGIN\r\n*\r\n", "501 5.7.0"),
        (b"AUTH LOGIN\r\n" + b64("mx1") + b"\r\n\xff\xfe\r\n", "501 5.5.2"),
        (b"AUTH LOGIN\r\n\r\n", "501 5.5.2"),
        (b"AUTH LOGIN\r\n" + b"x" * 3000 + b"\r\n", "500 5.5.2"),
        (plain("mx1", "correct horse") * 2, "503 5.5.1"),
    ],
)
def test_what_is_wrong_lets_nobody_in(talk: Conversation, lines: bytes, expected: str) -> None:
    assert codes(talk.send(lines))[-1] == expected


@pytest.mark.parametrize("line", [b"*\r\n", b"!\r\n"])
def test_after_an_exchange_that_failed_lines_are_commands_again(
    talk: Conversation, line: bytes
) -> None:
    talk.send(b"AUTH LOGIN\r\n" + line)
    assert codes(talk.send(b"NOOP\r\n")) == ["250 2.0.0"]


def test_in_the_middle_of_a_mail_there_is_no_login() -> None:
    talk = Conversation(offers_tls=True, logins=LOGINS).greet()
    talk.send(b"STARTTLS\r\n" + HELLO)
    talk.greet().send(b"MAIL FROM:<>\r\n")
    assert codes(talk.send(plain("mx1", "correct horse"))) == ["503 5.5.1"]


def test_mail_may_say_auth_where_that_is_offered_and_it_means_nothing(talk: Conversation) -> None:
    talk.send(plain("mx1", "correct horse"))
    assert codes(talk.send(b"MAIL FROM:<> AUTH=<>\r\n")) == ["250 2.1.0"]
    assert codes(Conversation().greet().send(b"MAIL FROM:<> AUTH=<>\r\n")) == ["555 5.5.4"]


def test_guessing_ends_the_session(talk: Conversation) -> None:
    told = codes(talk.send(plain("mx1", "wrong") * 30))
    assert told == ["535 5.7.8"] * 20 + ["421 4.7.0"]
    assert talk.closed


class Check:
    """One login; anything called "later" cannot be checked now."""

    async def check(self, credentials: Credentials, client_ip: str) -> bool | None:
        if credentials.name == "later":
            raise RuntimeError("no database")
        return credentials == Credentials("mx1", "correct horse")


@pytest.fixture
def server() -> Iterator[Running]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with running(RecordingDoor(), NEEDED, tls=context, logins=Check()) as it:
        yield it


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def test_smtplib_logs_in(server: Running) -> None:
    with smtplib.SMTP("127.0.0.1", server.smtp, timeout=30) as client:
        client.starttls(context=client_context())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("mx1", "wrong")
        with pytest.raises(smtplib.SMTPAuthenticationError) as later:
            client.login("later", "correct horse")
        assert later.value.smtp_code == 454
        client.login("mx1", "correct horse")
        client.sendmail("ann@client.example", ["vlad@acme.example"], BODY)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_curl_logs_in(curl: str, server: Running, tmp_path: Path, mechanism: str) -> None:
    file = tmp_path / "any.eml"
    file.write_bytes(BODY)
    done = subprocess.run(
        [curl, "-sS", "--insecure", "--url", f"smtps://127.0.0.1:{server.smtps}/client.example",
         "-T", str(file), "--user", "mx1:correct horse", "--login-options", f"AUTH={mechanism}",
         "--mail-from", "ann@client.example", "--mail-rcpt", "vlad@acme.example"],
        check=False, timeout=60, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_lmtp_takes_mail_without_it(server: Running) -> None:
    with smtplib.LMTP("127.0.0.1", server.lmtp, timeout=30) as client:
        client.sendmail("ann@client.example", ["vlad@acme.example"], BODY)
