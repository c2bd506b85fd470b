"""The same octets give the same replies and the same mail, however they are cut into packets."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smtp_ingest.budget import OctetBudget
from smtp_ingest.mail_data import MailDataReader
from tests.smtp_ingest.doubles import BODY, ENVELOPE, HELLO, Conversation

thoroughly = settings(max_examples=400, deadline=None)

SESSIONS = [
    HELLO + ENVELOPE + b"DATA\r\n" + BODY + b".\r\nQUIT\r\n",
    HELLO + ENVELOPE + b"DATA\r\n..\r\n.x\r\n\r\n\r\n..\r\n.\r\nNOOP\r\n" + ENVELOPE + b"RSET\r\n",
    HELLO + ENVELOPE + b"DATA\r\n.\r\n" + ENVELOPE + b"DATA\r\n\r\n.\r\nNOOP\r\n",
    HELLO + ENVELOPE + b"DATA\r\na\r\n.\rb\r\n\r\r\n.\r\n.\r\nNOOP\r\n",
    HELLO + ENVELOPE + b"DATA\r\na\n.\nb\0\r\n.\n\r\n.\r\nNOOP\r\n",
    HELLO + ENVELOPE + b"BDAT 3\r\na\r\nBDAT 7\r\n.\r\nNOOPBDAT 0 LAST\r\nNOOP\r\nQUIT\r\n",
    HELLO + b"BDAT 6\r\nNOOP\r\n" + ENVELOPE + b"BDAT 2\r\nx\rBDAT 3 LAST\r\n\ny\rNOOP\r\n",
    b"NOOP\nNOOP\r\n\r\nEHLO\r\nMAIL FROM:<>\r\n"
    + b"x" * 2050
    + b"\r\n"
    + HELLO
    + b"QUIT\r\nNOOP\r\n",
]


def outcome(packets: Iterator[bytes]) -> tuple[bytes, list[bytes], bool]:
    talk = Conversation()
    output = b"".join(talk.send(packet) for packet in packets)
    return output, [mail.octets for mail in talk.door.mails], talk.closed


@pytest.mark.parametrize("octets", SESSIONS)
def test_octet_by_octet_is_the_same_as_all_at_once(octets: bytes) -> None:
    whole = outcome(iter([octets]))
    assert outcome(octets[i : i + 1] for i in range(len(octets))) == whole


@pytest.mark.parametrize("octets", SESSIONS)
def test_two_packets_are_the_same_as_one_wherever_the_cut_is(octets: bytes) -> None:
    whole = outcome(iter([octets]))
    for cut in range(len(octets)):
        assert outcome(iter([octets[:cut], octets[cut:]])) == whole, cut


@st.composite
def cut_up(draw: st.DrawFn, octets: st.SearchStrategy[bytes]) -> list[bytes]:
    whole = draw(octets)
    cuts = sorted(draw(st.sets(st.integers(0, len(whole)), max_size=12)) | {0, len(whole)})
    return [whole[a:b] for a, b in pairwise(cuts)]


@thoroughly
@given(cut_up(st.sampled_from(SESSIONS)))
def test_any_packets_are_the_same_as_one(packets: list[bytes]) -> None:
    assert outcome(iter(packets)) == outcome(iter([b"".join(packets)]))


PIECES = st.sampled_from(
    [b"\r\n", b"\r\n.", b"..", b".", b"\r", b"\n", b"\0", b"a", b"bc", b"\r\n.\r", b"\xff"]
)
WIRE = st.lists(PIECES, max_size=14).map(b"".join)


def by_lines(wire: bytes) -> tuple[bytes, bytes] | None:
    """RFC 5321 section 4.5.2 word for word: the mail and what follows it, if it has an end."""
    lines: list[bytes] = []
    while True:
        line, newline, wire = wire.partition(b"\r\n")
        if not newline:
            return None
        if line == b".":
            return b"".join(lines), wire
        lines.append(line.removeprefix(b".") + newline)


@thoroughly
@given(cut_up(WIRE.map(lambda wire: wire + b"\r\n.\r\nrest")))
def test_unstuffing_in_bulk_is_the_same_as_line_by_line(packets: list[bytes]) -> None:
    expected = by_lines(b"".join(packets))
    assert expected is not None
    reader = MailDataReader(10_000, OctetBudget(10_000), refuse_irregular=False)
    following = b""
    for number, packet in enumerate(packets):
        rest = reader.feed(packet)
        if rest is not None:
            following = rest + b"".join(packets[number + 1 :])
            break
    else:
        pytest.fail("the end of the data was missed")
    assert (reader.take(), following) == expected


@thoroughly
@given(cut_up(WIRE))
def test_what_is_stuffed_comes_back(packets: list[bytes]) -> None:
    mail = b"".join(packets).replace(b"\0", b"") + b"\r\n"
    stuffed = (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:]
    reader = MailDataReader(10_000, OctetBudget(10_000), refuse_irregular=False)
    assert reader.feed(stuffed + b".\r\n") == b""
    assert reader.take() == mail


@thoroughly
@given(cut_up(WIRE.filter(lambda wire: by_lines(wire + b"!") is None)))
def test_nothing_but_a_dot_on_a_line_ends_the_data(packets: list[bytes]) -> None:
    reader = MailDataReader(10_000, OctetBudget(10_000), refuse_irregular=False)
    assert all(reader.feed(packet) is None for packet in packets)


def test_fifty_megabytes_of_dots_are_unstuffed() -> None:
    reader = MailDataReader(60_000_000, OctetBudget(60_000_000), refuse_irregular=True)
    packet = b"..\r\n" * 16_000
    for _ in range(800):
        assert reader.feed(packet) is None
    assert reader.feed(b".\r\n") == b""
    assert reader.take() == b".\r\n" * (16_000 * 800)


def test_memory_does_not_grow_with_the_number_of_packets() -> None:
    reader = MailDataReader(1_000_000, OctetBudget(1_000_000), refuse_irregular=True)
    tracemalloc.start()
    for _ in range(50_000):
        reader.feed(b"x")
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000
