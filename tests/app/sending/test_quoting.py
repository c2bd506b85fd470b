"""Subjects and quoted text of answers; format=flowed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sending.flowing import WIDTH, flow
from app.sending.quoting import answer_subject, forward_subject, forwarded, quoted_answer, sheet
from app.views import Quoting
from archive_store.mime.flowed import unflow
from archive_store.mime.values import Address, ParsedMessage

AT = datetime(2026, 11, 24, 8, 51, tzinfo=UTC)
HANNA = Address("Hanna Berg", "hanna@in.example")


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Lunch", "Re: Lunch"),
        ("Re: Lunch", "Re: Lunch"),
        ("RE: re: Re[2]: AW: SV: Lunch", "Re: Lunch"),
        ("Antw: Odp: Réf: 回复：答复: Lunch", "Re: Lunch"),
        ("Aw : Lunch", "Re: Lunch"),
        ("WG: Lunch", "Re: WG: Lunch"),
        ("Recipe: soup", "Re: Recipe: soup"),
        ("Re", "Re: Re"),
        ("", "Re: "),
    ],
)
def test_an_answer_says_re_once(subject: str, expected: str) -> None:
    assert answer_subject(subject) == expected


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Lunch", "Fwd: Lunch"),
        ("Fwd: WG: Fw: TR: Lunch", "Fwd: Lunch"),
        ("Re: Lunch", "Fwd: Re: Lunch"),
        ("Forward: Lunch", "Fwd: Forward: Lunch"),
    ],
)
def test_a_forward_says_fwd_once(subject: str, expected: str) -> None:
    assert forward_subject(subject) == expected


def test_an_answer_quotes_without_the_signature() -> None:
    parsed = ParsedMessage(sender=HANNA, date=AT, text="One\n\n> Two\n-- \nHanna\nBerg")
    assert quoted_answer(parsed, AT) == (
        "On 24 November 2026 at 08:51 UTC, Hanna Berg <hanna@in.example> wrote:\n\n> One\n>\n>> Two"
    )


def test_html_alone_is_quoted_as_text() -> None:
    parsed = ParsedMessage(html="<p>One &amp; two</p><script>x()</script><p>Three</p>")
    assert "> One & two\n> Three" in quoted_answer(parsed, AT)
    assert "x()" not in quoted_answer(parsed, AT)
    assert "Somebody wrote:" in quoted_answer(parsed, AT)


def test_a_forward_has_the_header_and_the_whole_text() -> None:
    parsed = ParsedMessage(
        subject="Lunch", sender=HANNA, to=(Address("", "vlad@acme.example"),), text="At noon"
    )
    text = forwarded(parsed, AT)
    assert "From: Hanna Berg <hanna@in.example>\n" in text
    assert "Date: 24 November 2026 at 08:51 UTC\n" in text
    assert "Subject: Lunch\nTo: vlad@acme.example\n\nAt noon" in text
    assert "Cc:" not in text


def test_a_huge_text_is_cut() -> None:
    assert len(quoted_answer(ParsedMessage(text="x" * 10_000_000), AT)) < 110_000


LINES = st.lists(
    st.sampled_from(["a", "From ", "-- ", "--", "é", "w" * 30, " ", "  "]), max_size=40
)


@settings(deadline=None)  # a busy machine
@given(st.integers(0, 3), LINES)
def test_flowed_text_comes_back(depth: int, words: list[str]) -> None:
    content = "".join(words)
    content = content if content == "-- " else content.rstrip(" ")
    content = content if not depth else content.lstrip("> ")
    line = (">" * depth + " " if depth else "") + content
    sent = flow(line)
    assert unflow(sent, delsp=False) == line
    longest = max(map(len, content.split(" ")))
    assert all(len(part) <= WIDTH + 2 * longest + depth + 2 for part in sent.split("\n"))


@pytest.mark.parametrize(
    ("quoted", "signature", "quoting", "text"),
    [
        ("", "", "below", ""),
        ("", "Vlad", "below", "\n\n-- \nVlad\n"),
        ("Q", "", "below", "\n\nQ\n"),
        ("Q", "Vlad", "below", "\n\n-- \nVlad\n\n\nQ\n"),
        ("Q", "", "above", "Q\n\n"),
        ("Q", "Vlad", "above", "Q\n\n-- \nVlad\n"),
    ],
)
def test_a_sheet_has_room_the_signature_and_the_quote(
    quoted: str, signature: str, quoting: Quoting, text: str
) -> None:
    assert sheet(quoted, signature, quoting) == text


def test_a_signature_above_a_quote_does_not_end_the_text_that_is_quoted() -> None:
    text = "Yes.\n\n-- \nHanna\n\nOn Monday Vlad wrote:\n\n> Lunch?"
    assert ">> Lunch?" in quoted_answer(ParsedMessage(text=text), AT)
