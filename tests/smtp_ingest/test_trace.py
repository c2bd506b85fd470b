"""The Received line that goes on top of relayed mail."""

from datetime import datetime, timedelta, timezone
from email import message_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_ingest.ports import ReceivedMail, SessionFacts, TlsFacts, Transmission
from smtp_ingest.trace import received_line

AT = datetime(2026, 11, 24, 7, 30, 5, tzinfo=timezone(timedelta(hours=1)))


def line(helo: str = "client.example", client_ip: str = "192.0.2.7") -> bytes:
    return received_line(
        helo=helo,
        client_ip=client_ip,
        protocol="ESMTPS",
        by="mx.acme.example",
        mail_id="abc234",
        at=AT,
    )


def test_it_reads_as_rfc_5321_writes_it() -> None:
    assert line() == (
        b"Received: from client.example ([192.0.2.7])\r\n"
        b"\tby mx.acme.example with ESMTPS id abc234;\r\n"
        b"\tTue, 24 Nov 2026 06:30:05 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("client_ip", "literal"),
    [
        ("2001:db8:0:0::1", b"([IPv6:2001:db8::1])"),
        ("192.0.2.7", b"([192.0.2.7])"),
        ("", b"(localhost)"),
        ("unknown", b"(unknown)"),
        ("x\r\ny", b"(unknown)"),
    ],
)
def test_the_client_is_an_address_literal(client_ip: str, literal: bytes) -> None:
    assert literal in line(client_ip=client_ip)


@pytest.mark.parametrize(
    ("helo", "shown"),
    [
        ("[192.0.2.1]", b"from [192.0.2.1] ("),
        ("my_pc", b"from my_pc ("),
        ("", b"from unknown ("),
        ("a(b)<c>;d", b"from a?b??c??d ("),
        ("evil\r\nX-Evil: 1", b"from evil??X-Evil:?1 ("),
        ("jörg", b"from j?rg ("),
    ],
)
def test_the_greeting_cannot_say_more_than_a_name(helo: str, shown: bytes) -> None:
    assert shown in line(helo)


@settings(deadline=None)
@given(st.text(max_size=400), st.text(max_size=60))
def test_whatever_the_client_says_it_is_one_header_field(helo: str, mail_id: str) -> None:
    octets = received_line(
        helo=helo, client_ip="::1", protocol="LMTP", by="mx.example", mail_id=mail_id, at=AT
    )
    assert octets.isascii()
    assert all(len(each) < 998 for each in octets.split(b"\r\n"))
    message = message_from_bytes(octets + b"Subject: x\r\n\r\nbody")
    assert message.keys() == ["Received", "Subject"]
    assert message.get_payload() == "body"


@pytest.mark.parametrize(
    ("transmission", "tls", "smtputf8", "protocol"),
    [
        (Transmission.SMTP, False, False, "SMTP"),
        (Transmission.SMTP, True, False, "SMTP"),
        (Transmission.ESMTP, False, False, "ESMTP"),
        (Transmission.ESMTP, True, False, "ESMTPS"),
        (Transmission.ESMTP, True, True, "UTF8SMTPS"),
        (Transmission.LMTP, False, False, "LMTP"),
        (Transmission.LMTP, True, False, "LMTPS"),
        (Transmission.LMTP, False, True, "UTF8LMTP"),
    ],
)
def test_the_protocol_has_the_registered_name(
    transmission: Transmission, tls: bool, smtputf8: bool, protocol: str
) -> None:
    facts = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384") if tls else None
    session = SessionFacts("client.example", "192.0.2.7", 25, transmission, facts)
    assert ReceivedMail("", (), b"", session, smtputf8=smtputf8).protocol == protocol
