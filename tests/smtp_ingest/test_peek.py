"""A look at the header finds what the mail log wants, and never stumbles."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_ingest.peek import HEADER_OCTETS, VALUE_CHARACTERS, HeaderPeek, count_received, peek


def test_the_three_fields_are_found_and_unfolded() -> None:
    mail = (
        b"Received: from a\r\n\tby b\r\nFROM: =?utf-8?q?J=C3=B6rg?=\r\n <joerg@x.example>\r\n"
        b"Message-Id: <1@x.example>\r\nsubject:  one\r\n\ttwo \r\nTo: x\r\n\r\nSubject: body\r\n"
    )
    assert peek(mail) == HeaderPeek(
        sender="=?utf-8?q?J=C3=B6rg?= <joerg@x.example>",
        subject="one two",
        message_id="<1@x.example>",
    )


@pytest.mark.parametrize(
    ("mail", "subject"),
    [
        (b"", ""),
        (b"\r\nSubject: body\r\n", ""),
        (b"Subject: first\r\nSubject: second\r\n\r\n", "first"),
        (b"Subject:\r\n\r\n", ""),
        (b"Subject : blank before the colon\r\n\r\n", "blank before the colon"),
        (b"X-Subject: no\r\nNot-Subject: no\r\n\r\n", ""),
        (b"A: b\r\n Subject: folded\r\n\r\n", ""),
        ("Subject: Grüße\r\n\r\n".encode(), "Grüße"),
        ("Subject: Grüße\r\n\r\n".encode("latin-1"), "Gr\ufffd\ufffde"),
        (b"Subject: no end of header", "no end of header"),
        (b"Subject: bare\nTo: x\n\nSubject: body\n", "bare"),
        (b"Subject: a\0b\x1bc\r\n\r\n", "a b\x1bc".replace("\x1b", " ")),
        (b"Subject: " + b"x" * 5000 + b"\r\n\r\n", "x" * VALUE_CHARACTERS),
        (b"X: " + b"x" * HEADER_OCTETS + b"\r\nSubject: too far\r\n\r\n", ""),
    ],
)
def test_the_subject_is_what_stands_there(mail: bytes, subject: str) -> None:
    assert peek(mail).subject == subject


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"From:", b"Subject:", b"\r\n ", b"\n\n"]))
def test_no_octets_make_it_fail(octets: bytes, known: bytes) -> None:
    found = peek(known.join([octets, octets[::-1], octets]))
    assert not set(found.sender + found.subject + found.message_id) & {"\r", "\n", "\0"}


def test_received_lines_are_counted_in_the_header_alone() -> None:
    mail = (
        b"Received: a\r\nX-Received: no\r\nRECEIVED: b\r\n received: folded\r\n\r\nReceived: c\r\n"
    )
    assert count_received(mail) == 2
    assert count_received(b"\r\nReceived: text\r\n") == 0
    assert count_received(b"") == 0


def test_received_lines_are_counted_beyond_the_peek() -> None:
    long = b"Received: " + b"x" * 1000 + b"\r\n"
    assert count_received(long * 120 + b"\r\n") == 120
