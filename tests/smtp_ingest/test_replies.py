"""Replies are one line of ASCII with codes that agree, or cannot be made."""

import re

import pytest

from smtp_ingest import replies
from smtp_ingest.replies import Reply, joined

CONSTANTS = {name: value for name, value in vars(replies).items() if isinstance(value, Reply)}


def test_a_reply_is_one_line() -> None:
    assert Reply(250, "2.1.5", "Fine").octets == b"250 2.1.5 Fine\r\n"
    assert Reply(354, "", "Go on").octets == b"354 Go on\r\n"


def test_lines_of_one_reply_are_joined() -> None:
    lines = [Reply(250, "", "a"), Reply(250, "", "b"), Reply(250, "", "c")]
    assert joined(lines) == b"250-a\r\n250-b\r\n250 c\r\n"


@pytest.mark.parametrize(
    ("code", "enhanced", "text"),
    [
        (250, "5.1.1", "no"),
        (550, "2.0.0", "no"),
        (99, "", "no"),
        (600, "", "no"),
        (250, "2.0", "no"),
        (250, "2.0.0", "two\r\nlines"),
        (250, "2.0.0", "two\nlines"),
        (250, "2.0.0", "Grüße"),
        (250, "2.0.0", "\x1b[31m"),
        (250, "2.0.0", "x" * 401),
    ],
)
def test_anything_else_cannot_be_made(code: int, enhanced: str, text: str) -> None:
    with pytest.raises(ValueError, match="repl"):
        Reply(code, enhanced, text)


@pytest.mark.parametrize("name", CONSTANTS)
def test_each_constant_fits_on_a_line_and_is_temporary_where_it_is_our_trouble(name: str) -> None:
    reply = CONSTANTS[name]
    assert len(reply.octets) <= 512
    if re.search("local error|room|too much|shutting|sessions", reply.text, re.IGNORECASE):
        assert 400 <= reply.code < 500


@pytest.mark.parametrize(("code", "accepts", "refuses"), [(250, 1, 0), (354, 0, 0), (451, 0, 1)])
def test_a_reply_knows_what_it_means(code: int, accepts: int, refuses: int) -> None:
    reply = Reply(code, "", "x")
    assert (reply.accepts, reply.refuses) == (accepts, refuses)
