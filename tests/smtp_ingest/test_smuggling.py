"""No form of SMTP smuggling gets a second mail out of one (CVE-2023-51764, -51765, -51766)."""

from dataclasses import replace
from itertools import product

import pytest

from smtp_ingest.newlines import is_regular, normalized
from smtp_ingest.trust import TrustedHosts
from tests.smtp_ingest.doubles import CONFIG, ENVELOPE, HERE, Conversation, codes

SMUGGLED = (
    b"MAIL FROM:<admin@acme.example>\r\nRCPT TO:<vlad@acme.example>\r\nDATA\r\n"
    b"Subject: smuggled\r\n\r\nx\r\n.\r\n"
)
BREAKS = (b"", b"\r", b"\n", b"\r\n", b"\r\r\n", b"\n\r", b"\0", b"\r\0\n", b"\x0b", b"\xc2\x85")
ENDS = sorted(
    {
        before + dot + after
        for before, dot, after in product(BREAKS, (b".", b"..", b"\0.", b".\0"), BREAKS)
    }
    - {b"\r\n.\r\n"}
)
NAMED = [
    b"\n.\n",
    b"\r\n.\n",
    b"\n.\r\n",
    b"\r.\r",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r.\r\n",
    b"\n.\r",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\n"[:-2] + b"\n",
    b"\r\n..\r\n",
]


STRANGER, FEED = TrustedHosts(), TrustedHosts(feeds=HERE)


def smuggle(end: bytes, trusted: TrustedHosts) -> tuple[Conversation, bytes]:
    talk = Conversation(config=replace(CONFIG, trusted=trusted)).greet()
    talk.send(ENVELOPE + b"DATA\r\n")
    return talk, talk.send(b"Subject: 1\r\n\r\nhi" + end + SMUGGLED)


@pytest.mark.parametrize("end", NAMED)
def test_the_known_forms_are_all_in_the_corpus(end: bytes) -> None:
    assert end in ENDS


def test_no_look_alike_of_the_end_of_data_ends_it() -> None:
    for end in ENDS:
        if b"\r\n.\r\n" in end:  # a real end with something before it
            continue
        talk, output = smuggle(end, STRANGER)
        assert len(codes(output)) == 1, end
        irregular = not is_regular(b"hi" + end + b"MAIL")
        assert codes(output) == ["550 5.5.2" if irregular else "250 2.0.0"], end
        assert len(talk.door.mails) == (0 if irregular else 1), end
        assert all(mail.mail_from == "ann@client.example" for mail in talk.door.mails)


def test_a_trusted_feed_cannot_smuggle_either() -> None:
    for end in ENDS:
        if b"\r\n.\r\n" in end:
            continue
        talk, output = smuggle(end, FEED)
        assert codes(output) == ["250 2.0.0"], end
        (mail,) = talk.door.mails
        assert b"Subject: smuggled" in mail.octets
        assert mail.bare_newlines is not is_regular(mail.octets)


def test_what_is_relayed_after_normalising_holds_no_look_alike() -> None:
    for end in ENDS:
        mended = normalized(b"hi" + end + SMUGGLED)
        assert is_regular(mended), end
        assert normalized(mended) is mended


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb", b"a\r\nb"),
        (b"a\rb", b"a\r\nb"),
        (b"a\r\r\nb", b"a\r\n\r\nb"),
        (b"a\n\rb", b"a\r\n\r\nb"),
        (b"a\0b", b"ab"),
        (b"a\r\0\nb", b"a\r\nb"),
        (b"a\r\nb\r\n", b"a\r\nb\r\n"),
    ],
)
def test_normalising_mends_each_line_ending_once(before: bytes, after: bytes) -> None:
    assert normalized(before) == after


def test_octets_without_any_line_ending_are_regular() -> None:
    assert is_regular(b"")
    assert is_regular(bytes(set(range(256)) - {0, 10, 13}))
