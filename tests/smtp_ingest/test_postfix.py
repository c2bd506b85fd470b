"""Postfix, the upstream that most mail will come from: over SMTP, LMTP, with and without TLS."""

import smtplib
import ssl
from collections.abc import Callable

import pytest
import trustme

from smtp_ingest.replies import Reply
from tests.parts.network import wait_until
from tests.parts.postfix import Postfix, Route
from tests.smtp_ingest.doubles import RecordingDoor
from tests.smtp_ingest.running import running

MAIL = (
    b"From: Ann <ann@client.example>\r\nTo: vlad@acme.example\r\nSubject: hello\r\n"
    b"Message-ID: <1@client.example>\r\nDate: Tue, 24 Nov 2026 06:30:05 +0000\r\n\r\n"
    b".a dot\r\n..two\r\n\r\n.\r\n" + "Grüße\r\n".encode() + b"x" * 900 + b"\r\n"
)
PEOPLE = ["vlad@acme.example", "maria@acme.example"]


def send(postfix: Postfix, recipients: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
        client.sendmail("ann@client.example", recipients, MAIL, ["BODY=8BITMIME"])


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_postfix_hands_a_mail_on_with_all_its_recipients(
    start_postfix: Callable[..., Postfix], protocol: str
) -> None:
    door = RecordingDoor(refused=["nobody@acme.example"])
    with running(door) as server:
        port = server.lmtp if protocol == "lmtp" else server.smtp
        postfix = start_postfix(Route("acme.example", port, protocol))
        send(postfix, [*PEOPLE, "nobody@acme.example"])
        (mail,) = door.wait_for(1)
        # The answers are in, too: nobody bounced, and nothing waits.
        wait_until(lambda: "status=bounced" in postfix.log and not postfix.queue(), "done")
    assert sorted(recipient.text for recipient in mail.recipients) == sorted(PEOPLE)
    assert mail.octets.startswith(b"Received: ")
    assert mail.octets.endswith(MAIL)
    assert mail.body8bit
    assert mail.protocol == ("LMTP" if protocol == "lmtp" else "ESMTP")
    assert mail.session.helo == "mx.provider.example"
    assert postfix.log.count("status=sent") >= 2


def test_postfix_keeps_what_we_put_off_and_tries_again(
    start_postfix: Callable[..., Postfix],
) -> None:
    door = RecordingDoor()
    full = Reply(452, "4.3.1", "Disk full")
    door.judge = lambda mail: [full] if len(door.mails) < 2 else door.all_accepted(mail)
    with running(door) as server:
        postfix = start_postfix(Route("acme.example", server.smtp))
        send(postfix, PEOPLE[:1])
        first, second = door.wait_for(2)
        wait_until(lambda: not postfix.queue(), "sent at last")
    assert first.octets == second.octets
    assert "452 4.3.1 Disk full" in postfix.log


def test_postfix_takes_the_offer_of_tls(start_postfix: Callable[..., Postfix]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    door = RecordingDoor()
    with running(door, tls=context) as server:
        postfix = start_postfix(Route("acme.example", server.smtp))
        send(postfix, PEOPLE[:1])
        (mail,) = door.wait_for(1)
    assert mail.protocol == "ESMTPS"
    assert mail.octets.endswith(MAIL)


def test_postfix_passes_on_what_a_sender_wants_to_hear(
    start_postfix: Callable[..., Postfix],
) -> None:
    door = RecordingDoor()
    with running(door) as server:
        postfix = start_postfix(Route("acme.example", server.smtp))
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=60) as client:
            client.ehlo("client.example")
            client.sendmail(
                "ann@client.example",
                PEOPLE[:1],
                MAIL,
                ["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ+2B1"],
                ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;old+2Bname@acme.example"],
            )
        (mail,) = door.wait_for(1)
    assert (mail.ret, mail.envid) == ("HDRS", "QQ+2B1")
    (recipient,) = mail.recipients
    assert recipient.notify == "SUCCESS,FAILURE"
    assert recipient.orcpt == "rfc822;old+2Bname@acme.example"
