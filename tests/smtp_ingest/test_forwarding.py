"""XCLIENT and XFORWARD: who may say them, how they are read, what follows from them."""

import smtplib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest

from smtp_ingest.forwarding import Origin
from smtp_ingest.ports import SessionFacts, Transmission
from smtp_ingest.trust import Networks, TrustedHosts
from tests.parts.postfix import Postfix, Route
from tests.smtp_ingest.doubles import (
    BODY,
    CONFIG,
    ENVELOPE,
    HELLO,
    HERE,
    Conversation,
    RecordingDoor,
    codes,
)
from tests.smtp_ingest.running import running

LOCALHOST = (ip_network("127.0.0.0/8"),)


def conversation(
    *, xclient: Networks = (), xforward: Networks = (), feeds: Networks = (), lmtp: bool = False
) -> Conversation:
    trusted = TrustedHosts(xclient=xclient, xforward=xforward, feeds=feeds)
    return Conversation(config=replace(CONFIG, trusted=trusted), lmtp=lmtp).greet()


def test_only_listed_hosts_are_offered_them() -> None:
    assert b"250-XCLIENT NAME ADDR PORT PROTO HELO\r\n" in conversation(xclient=HERE).send(HELLO)
    offer = b"250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n"
    assert offer in conversation(xforward=HERE).send(HELLO)
    assert b"250-X" not in conversation().send(HELLO)


def test_a_stranger_is_refused_and_nothing_changes() -> None:
    talk = conversation()
    assert codes(talk.send(b"XCLIENT ADDR=198.51.100.9\r\n")) == ["550 5.7.0"]
    assert codes(talk.send(b"XFORWARD ADDR=198.51.100.9\r\n")) == ["550 5.7.0"]
    talk.deliver(BODY + b".\r\n")
    (mail,) = talk.door.mails
    assert mail.session.client_ip == "192.0.2.7"
    assert mail.origin is None


def test_the_right_to_one_is_no_right_to_the_other() -> None:
    assert codes(conversation(xclient=HERE).send(b"XFORWARD PORT=1\r\n")) == ["550 5.7.0"]
    assert codes(conversation(xforward=HERE).send(b"XCLIENT PORT=1\r\n")) == ["550 5.7.0"]


def test_xclient_puts_another_client_in_the_place_of_the_proxy() -> None:
    talk = conversation(xclient=HERE)
    output = talk.send(b"XCLIENT NAME=mail.example ADDR=IPV6:2001:db8::25 PORT=2500\r\n")
    assert output == talk.greeting  # the session begins anew
    assert codes(talk.send(b"MAIL FROM:<>\r\n")) == ["503 5.5.1"]
    talk.send(HELLO)
    talk.deliver(BODY + b".\r\n")
    (mail,) = talk.door.mails
    expected = SessionFacts("client.example", "2001:db8::25", 2500, Transmission.ESMTP)
    assert mail.session == expected


def test_xclient_may_give_the_greeting_too() -> None:
    talk = conversation(xclient=HERE)
    talk.send(b"xclient addr=198.51.100.9 helo=other+2Eexample proto=esmtp\r\n")
    talk.deliver(BODY + b".\r\n")
    talk.send(b"XCLIENT HELO=old.example\r\n")
    talk.deliver(BODY + b".\r\n")
    talk.send(b"XCLIENT ADDR=[UNAVAILABLE]\r\n" + HELLO)
    talk.deliver(BODY + b".\r\n")
    assert [mail.session for mail in talk.door.mails] == [
        SessionFacts("other.example", "198.51.100.9", 0, Transmission.ESMTP),
        SessionFacts("old.example", "198.51.100.9", 0, Transmission.SMTP),
        SessionFacts("client.example", "unknown", 0, Transmission.ESMTP),
    ]


def test_in_lmtp_the_transmission_stays_lmtp() -> None:
    talk = conversation(xclient=HERE, lmtp=True)
    assert talk.send(b"XCLIENT HELO=a.example PROTO=ESMTP\r\n") == talk.greeting
    talk.deliver(BODY + b".\r\n")
    assert talk.door.mails[0].protocol == "LMTP"


def test_what_a_proxy_may_send_its_clients_may_not() -> None:
    talk = conversation(xclient=HERE, feeds=HERE)
    assert codes(talk.deliver(b"a\nb\r\n.\r\n")) == ["250 2.0.0"]
    talk.send(b"XCLIENT ADDR=198.51.100.9\r\n" + HELLO)
    assert codes(talk.deliver(b"a\nb\r\n.\r\n")) == ["550 5.5.2"]
    talk.send(b"XCLIENT ADDR=192.0.2.200\r\n" + HELLO)
    assert codes(talk.deliver(b"a\nb\r\n.\r\n")) == ["250 2.0.0"]


def test_a_client_behind_a_proxy_gains_no_right_by_its_address() -> None:
    talk = conversation(xclient=HERE)
    talk.send(b"XCLIENT ADDR=198.51.100.9\r\n")
    assert b"XCLIENT" in talk.send(HELLO)  # it is still the proxy that speaks
    assert b"XFORWARD" not in talk.send(b"XCLIENT ADDR=192.0.2.8\r\n" + HELLO)


def test_xforward_tells_where_the_next_mail_came_from() -> None:
    talk = conversation(xforward=HERE)
    first = b"XFORWARD NAME=mail.example ADDR=198.51.100.9 PORT=25\r\n"
    second = b"XFORWARD PROTO=ESMTP HELO=hi+20there IDENT=4FxyZ SOURCE=REMOTE\r\n"
    assert codes(talk.send(first + second)) == ["250 2.0.0", "250 2.0.0"]
    talk.deliver(BODY + b".\r\n")
    talk.deliver(BODY + b".\r\n")
    told, not_told = talk.door.mails
    assert told.origin == Origin(
        "mail.example", "198.51.100.9", 25, "ESMTP", "hi?there", "4FxyZ", False
    )
    assert told.session.client_ip == "192.0.2.7"  # nothing is decided by it
    assert not_told.origin is None


@pytest.mark.parametrize("command", [b"RSET\r\n", HELLO])
def test_what_xforward_told_is_forgotten_with_the_transaction(command: bytes) -> None:
    talk = conversation(xforward=HERE)
    talk.send(b"XFORWARD ADDR=[UNAVAILABLE] SOURCE=LOCAL\r\n" + command)
    talk.deliver(BODY + b".\r\n")
    assert talk.door.mails[0].origin is None


@pytest.mark.parametrize("command", [b"XCLIENT PORT=1\r\n", b"XFORWARD PORT=1\r\n"])
def test_neither_comes_in_the_middle_of_a_mail(command: bytes) -> None:
    talk = conversation(xclient=HERE, xforward=HERE)
    talk.send(ENVELOPE)
    assert codes(talk.send(command)) == ["503 5.5.1"]
    assert codes(talk.send(b"DATA\r\n")) == ["354 End"]


@pytest.mark.parametrize(
    "argument",
    [
        b"",
        b"ADDR",
        b"ADDR=",
        b"ADDR=198.51.100.256",
        b"ADDR=2001:db8::1",
        b"ADDR=IPV6:198.51.100.9",
        b"ADDR=IPV6:fe80::1%eth0",
        b"ADDR=198.51.100.9 ADDR=198.51.100.9",
        b"PORT=65536",
        b"PORT=-1",
        b"PROTO=LMTP",
        b"HELO=a+2",
        b"HELO=a+2e",
        b"HELO=a=b",
        b"NAME=" + "ü".encode(),
        b"SHOE=42",
        b"PORT=1 garbage",
    ],
)
def test_what_is_malformed_changes_nothing(argument: bytes) -> None:
    talk = conversation(xclient=HERE, xforward=HERE)
    for verb in (b"XCLIENT ", b"XFORWARD "):
        assert codes(talk.send(verb + argument + b"\r\n")) == ["501 5.5.4"]
    assert codes(conversation(xforward=HERE).send(b"XFORWARD SOURCE=MOON\r\n")) == ["501 5.5.4"]
    talk.deliver(BODY + b".\r\n")
    assert talk.door.mails[0].session.client_ip == "192.0.2.7"


def test_swaks_speaks_for_its_client(swaks: str) -> None:
    door = RecordingDoor()
    config = replace(CONFIG, trusted=TrustedHosts(xclient=LOCALHOST))
    with running(door, config) as server:
        done = subprocess.run(
            [swaks, "--server", f"127.0.0.1:{server.smtp}", "--helo", "client.example",
             "--from", "ann@client.example", "--to", "vlad@acme.example",
             "--xclient-addr", "198.51.100.9", "--xclient-name", "mail.example",
             "--xclient-port", "4711"],
            check=False, timeout=60, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    session = door.mails[0].session
    assert (session.client_ip, session.client_port) == ("198.51.100.9", 4711)
    assert session.helo == "client.example"


def test_postfix_tells_where_a_mail_came_from(start_postfix: Callable[..., Postfix]) -> None:
    door = RecordingDoor()
    config = replace(CONFIG, trusted=TrustedHosts(xforward=LOCALHOST))
    with running(door, config) as server:
        postfix = start_postfix(Route("acme.example", server.smtp))
        with smtplib.SMTP(
            "127.0.0.1", postfix.port, local_hostname="laptop.example", timeout=60
        ) as client:
            client.sendmail("ann@client.example", ["vlad@acme.example"], BODY)
        (mail,) = door.wait_for(1)
    origin = mail.origin
    assert origin is not None
    assert (origin.client_ip, origin.helo, origin.protocol) == (
        "127.0.0.1",
        "laptop.example",
        "ESMTP",
    )
    assert origin.queue_id
    assert origin.queue_id in postfix.log
