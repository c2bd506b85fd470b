"""No octets at all make the parser raise, and what it gives can always be stored and sent."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_store.mime import wire
from archive_store.mime.parse import (
    attachment_octets,
    inline_images,
    read_for_list,
    read_message,
)
from archive_store.mime.summary import Summary, summarise, words
from tests.corpus import hostile, ordinary

SEEDS = [one[:6_000] for one in (*ordinary.MESSAGES.values(), *hostile.MESSAGES.values())]
FRAGMENTS = st.sampled_from(
    [
        b"\r\n", b"\n", b"\r", b" ", b"--b1", b"--b1--", b";", b'"', b"=?utf-8?Q?", b"?=", b"\\",
        b"Content-Type: multipart/mixed; boundary=b1\r\n", b"Content-Type: text/html\r\n",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment; filename*0*=",
        b"To: ", b"<", b">", b"(", b"@", b",", b":", b"\0", b"\x1b$B", b"\xff\xfe", b"charset=hz",
        b"charset=utf-16", b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n",
        b"begin 644 a\n",
    ]
)  # fmt: skip
PIECES = st.one_of(FRAGMENTS, st.sampled_from(SEEDS), st.binary(max_size=40))
MESSAGES = st.lists(PIECES, max_size=25).map(b"".join)
QUIET = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def check(octets: bytes) -> None:
    message = read_message(octets)
    again = wire.read_message(json.loads(wire.dump(wire.write_message(message))))
    assert again == message
    row = summarise(message)
    assert Summary.from_bytes(row.to_bytes()) == row
    words(message).encode("utf-8")
    # Lists and searches are made of a shorter reading, which must find the same.
    brief = read_for_list(octets)
    assert (summarise(brief), words(brief)) == (row, words(message))
    for attachment in message.attachments[:5]:
        found, content = attachment_octets(octets, attachment.index)
        assert found == attachment
        assert len(content) <= len(octets)
    inline_images(octets)


@given(MESSAGES)
@QUIET
def test_any_pieces_of_mail_in_any_order(octets: bytes) -> None:
    check(octets)


@given(st.binary(max_size=600))
@QUIET
def test_any_octets(octets: bytes) -> None:
    check(octets)


@given(st.sampled_from(SEEDS), st.integers(0, 6_000), st.integers(0, 200), st.binary(max_size=20))
@QUIET
def test_any_message_with_a_piece_replaced(
    octets: bytes, start: int, length: int, new: bytes
) -> None:
    check(octets[:start] + new + octets[start + length :])


@given(st.text(max_size=300), st.sampled_from(["To", "Subject", "Content-Type", "Date", "From"]))
@QUIET
def test_any_value_of_a_header(value: str, name: str) -> None:
    check(f"{name}: {value}\r\n\r\nbody".encode("utf-8", "surrogatepass"))
