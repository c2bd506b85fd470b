"""The search language: what it finds, how it reads odd input, what it says of itself."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_store.mime.folding import fold
from archive_store.mime.parse import read_message
from archive_store.mime.summary import folded, words
from archive_store.search import (
    LONGEST_QUERY,
    MOST_TERMS,
    Candidate,
    Chip,
    Needs,
    Problem,
    Query,
    excerpt,
    hits,
    parse_query,
)
from archive_store.search import ProblemKind as Kind
from tests.corpus import ordinary
from tests.corpus.ordinary import crlf

TODAY = date(2026, 11, 24)


@dataclass(frozen=True)
class Entry:
    """What an entry's row says."""

    folder: str = "inbox"
    received_at: datetime = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    size: int = 150_000
    seen: bool = False
    answered: bool = False
    forwarded: bool = False
    starred: bool = True
    attachments: bool = True


FACTS = Entry()
SENT_TO = "vlad@ownwebnow.example"
MESSAGE = read_message(
    crlf(
        """\
From: =?utf-8?Q?Ren=C3=A9e_Stra=C3=9Fer?= <renee@shop.example>
To: Vlad <vlad@acme.example>
Cc: maria@acme.example
Subject: Invoice for the Fall Sale
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Please pay the total of 100 \u20ac until Friday.
\u660e\u65e5\u306e\u4f1a\u8b70
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="Invoice-42.pdf"

x
--b--
"""
    )
)
WORDS = folded(words(MESSAGE))


def finds(text: str) -> bool:
    return parse_query(text, today=TODAY).matches(FACTS, WORDS, SENT_TO)


def kinds(text: str) -> list[Kind]:
    return [problem.kind for problem in parse_query(text, today=TODAY).problems]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "invoice",
        "INVOICE total",
        "invoi",
        '"fall sale"',
        '"total of 100"',
        "strasser",  # folded: Straßer
        "Renée",
        "会議",
        "日の",
        "from:renee",
        "from:shop.example",
        "to:vlad to:acme",
        "to:ownwebnow",  # the envelope counts too
        "cc:maria",
        'subject:"fall sale"',
        "filename:42.pdf",
        "body:friday",
        "has:attachment",
        "in:inbox",
        "in:anywhere",
        "is:unread is:starred",
        "before:2026-11-24 after:2026-11-23",
        "on:2026/11/23",
        "on:yesterday",
        "before:today",
        "larger:100k smaller:1m",
        "-newsletter",
        "-from:maria -is:answered",
        "nothing OR invoice",
        "from:nobody OR from:renee total",
        "from: renee",
        'FROM:"Renée Straßer"',
        "(invoice)",
        "(from:nobody OR from:renee) (total OR nothing)",
        "nothing OR (invoice -newsletter)",
        "-(invoice newsletter)",
        "from:(nobody OR renee)",
        "from: (nobody OR renee)",
        "subject:(fall -invoices)",
        "(invoice",
        "invoice)",
        "total AND friday",
        "larger:0.1m",
    ],
)
def test_it_is_found(text: str) -> None:
    assert finds(text)


@pytest.mark.parametrize(
    "text",
    [
        "newsletter",
        '"sale fall"',
        "from:maria",
        "from:invoice",  # in the subject only
        "subject:friday",
        "cc:vlad",
        "filename:friday",
        "-invoice",
        "-has:attachment",
        "in:trash",
        "is:read",
        "is:answered",
        "before:2026-11-23",
        "after:2026-11-24",
        "on:today",
        "larger:1m",
        "smaller:100k",
        "nothing OR nobody",
        "nothing OR invoice newsletter",
        "invoice nothing",
        "の会議室",
        "-(invoice)",
        "-(invoice OR newsletter)",
        "(nothing OR nobody) invoice",
        "from:(invoice OR total)",
        "nothing OR (invoice newsletter)",
        "invoice :)",
    ],
)
def test_it_is_not_found(text: str) -> None:
    assert not finds(text)


@pytest.mark.parametrize(
    ("text", "chips"),
    [
        ("from:anna  big", (Chip(name="from", value="anna"), Chip(name="", value="big"))),
        ('-"two words"', (Chip(name="", value="two words", negated=True),)),
        ("has:wings", (Chip(name="", value="has:wings", bad=True),)),
        ("before:2026-02-31", (Chip(name="", value="before:2026-02-31", bad=True),)),
        ("larger:huge", (Chip(name="", value="larger:huge", bad=True),)),
        ("http://x.example/a", (Chip(name="", value="http://x.example/a"),)),
        ("Re: hello", (Chip(name="", value="Re:"), Chip(name="", value="hello"))),
        ("a OR b", (Chip(name="", value="a"), Chip(name="", value="b", before="OR "))),
        ("-(a b) OR (c d)", (
            Chip(name="", value="a", before="-("), Chip(name="", value="b", after=")"),
            Chip(name="", value="c", before="OR ("), Chip(name="", value="d", after=")"))),
        ("to:(a OR b)", (Chip(name="to", value="a"), Chip(name="to", value="b", before="OR "))),
        ("(f(x))", (Chip(name="", value="f(x)"),)),
        ("x :)", (Chip(name="", value="x"), Chip(name="", value=":)"))),
        ("OR", ()),
        ("- : -- \"\" '", (Chip(name="", value=":"), Chip(name="", value="-", negated=True),
                            Chip(name="", value="'"))),
        ('"never closed', (Chip(name="", value="never closed"),)),
    ],
)  # fmt: skip
def test_it_says_how_it_was_understood(text: str, chips: tuple[Chip, ...]) -> None:
    assert parse_query(text).describe() == chips


def test_an_operator_that_makes_no_sense_is_searched_for_as_typed() -> None:
    octets = b"Subject: x\r\n\r\nuse is:broken here"
    message = read_message(octets)
    query = parse_query("is:broken")
    assert query.matches(FACTS, folded(words(message)))


def test_today_needs_a_today() -> None:
    (chip,) = parse_query("on:today").describe()
    assert chip.bad


def test_a_single_folder_is_told_so_that_a_scan_can_be_narrow() -> None:
    assert parse_query("in:sent report").folder == "sent"
    assert parse_query("in:sent OR in:trash").folder == ""
    assert parse_query("-in:sent").folder == ""
    assert parse_query("report").folder == ""


def test_a_message_without_words_is_found_by_nothing_but_its_facts() -> None:
    assert parse_query("is:unread").matches(FACTS, b"")
    assert not parse_query("x").matches(FACTS, b"")


def test_a_query_is_bounded() -> None:
    assert len(parse_query("w " * 900).describe()) == MOST_TERMS
    (chip,) = parse_query("x" * 10 * LONGEST_QUERY).describe()
    assert len(chip.value) == LONGEST_QUERY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from:anna (a OR b) -c larger:2m", []),
        ("Re: Fwd: https://x.example/ :-) f(x)", []),
        ('subject:"fall', [Kind.QUOTE]),
        ("(a OR b", [Kind.OPENED]),
        ("a b)", [Kind.CLOSED]),
        ("a )", [Kind.CLOSED]),
        ("(" * 11 + "a" + ")" * 10, [Kind.DEEP]),
        ("from:", [Kind.ALONE]),
        ("from: -x", [Kind.ALONE]),
        ("OR a", [Kind.OR]),
        ("(a OR) b", [Kind.OR]),
        ("before:tomorrow", [Kind.DAY]),
        ("larger:huge", [Kind.SIZE]),
        ("is:red", [Kind.STATE]),
        ("has:wings", [Kind.HAS]),
        ("in:the", [Kind.FOLDER]),
        ("x" * (LONGEST_QUERY + 1), [Kind.LONG]),
        ("a " * (MOST_TERMS + 2), [Kind.MANY]),
    ],
)
def test_what_makes_no_sense_is_told(text: str, expected: list[Kind]) -> None:
    assert kinds(text) == expected


def test_a_slip_of_the_finger_is_told_with_what_it_is_close_to() -> None:
    assert parse_query("form:anna").problems == (Problem(Kind.UNKNOWN, "form:", "from:"),)
    assert parse_query("subjet:x").problems == (Problem(Kind.UNKNOWN, "subjet:", "subject:"),)


def test_days_are_those_of_the_reader() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")  # where the mail came on the 24th
    assert parse_query("on:2026-11-24 on:today", today=TODAY, zone=tokyo).matches(FACTS, b"")
    assert not parse_query("before:2026-11-24", zone=tokyo).matches(FACTS, b"")
    for day in ("0001-01-01", "9999-12-31"):
        for operator in ("on", "before", "after"):
            query = parse_query(f"{operator}:{day}", zone=tokyo)
            query.matches(FACTS, b"")
            assert not query.problems


def test_what_needs_nothing_opened_can_be_asked_first() -> None:
    query = parse_query("is:unread (larger:1k OR in:sent) total")
    assert query.needs is Needs.WORDS
    assert len(query.narrow.parts) == 2
    assert query.narrow.holds(Candidate(FACTS))
    assert not query.narrow.holds(Candidate(Entry(seen=True)))
    assert parse_query("is:unread -in:sent").needs is Needs.FACTS
    assert parse_query("-to:anna").needs is Needs.SUMMARY


def test_the_words_to_mark_are_those_that_must_be_there() -> None:
    query = parse_query('Grüße OR from:Anna -no -(never) is:unread subject:"Fall  sale"')
    assert query.needles == ("grusse", "anna", "fall sale")


def test_hits_are_told_in_the_text_as_it_is_written() -> None:
    for text, words_sought, expected in (
        ("Fall SALE, fall\n  sale", ["fall sale"], ["Fall SALE", "fall\n  sale"]),
        ("die GRÖSSE, die Größe, gro\u0308ße", ["grosse"], ["GRÖSSE", "Größe", "gro\u0308ße"]),
        ("Straße", ["s"], ["S", "ß"]),
        ("次の会\n議です", ["会議"], ["会\n議"]),
        ("ﾊﾞｽ", ["バス"], ["ﾊﾞｽ"]),
        ("abcabc", ["ab", "bc"], ["abc", "abc"]),
        ("nothing", ["x", ""], []),
        ("a.b a+b", ["a.b"], ["a.b"]),
    ):
        found = [text[start:end] for start, end in hits(text, words_sought)]
        assert "".join(found) == "".join(expected), text


def test_an_excerpt_begins_before_the_hit_at_a_word() -> None:
    text = "one " * 50 + "Größe " + "two " * 100
    piece = excerpt(text, ["grosse"])
    assert piece.startswith("… one one")
    assert "Größe two" in piece
    assert piece.endswith(" …")
    assert len(piece) < 210
    assert excerpt("Größe", ["grosse"]) == "Größe"
    assert excerpt(text, ["three"]) == ""


PIECES = [
    *("from:", "to:", "before:", "larger:", "in:", "is:", "form:"),
    *("-", '"', "(", ")", "OR", "AND", " ", " ", " ", ":", "a", "b", "Größe", "2026-99-99"),
    *("9" * 20, "2m", "today", "inbox", "会議"),
]
TYPED = st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(TYPED)
@settings(max_examples=1000, deadline=None)
def test_no_text_makes_it_raise(text: str) -> None:
    query = parse_query(text, today=TODAY)
    found = query.matches(FACTS, WORDS, SENT_TO)
    assert query.describe() or query.empty
    assert query.narrow.holds(Candidate(FACTS)) or not found


WORD = st.sampled_from(["a", "b", "from:a", "subject:b", '"a b"', "is:unread", "in:sent", "c"])
Pair = tuple[str, bool]


def holds(word: str) -> bool:
    return parse_query(word).matches(FACTS, LETTERS)


LETTERS = b"f\tx\ns\tb\nb\tc a b"
EXPRESSION: st.SearchStrategy[Pair] = st.recursive(
    WORD.map(lambda word: (word, holds(word))),
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3).map(
            lambda parts: (f"({' '.join(t for t, _ in parts)})", all(v for _, v in parts))
        ),
        st.lists(part, min_size=2, max_size=3).map(
            lambda parts: (f"({' OR '.join(t for t, _ in parts)})", any(v for _, v in parts))
        ),
        part.map(lambda one: (f"-({one[0]})", not one[1])),
    ),
    max_leaves=12,
)


@given(EXPRESSION)
@settings(max_examples=500, deadline=None)
def test_an_expression_means_what_logic_says(expression: Pair) -> None:
    text, expected = expression
    query = parse_query(text)
    if not query.problems:  # deeper than ten
        assert query.matches(FACTS, LETTERS) is expected
        assert _retyped(query) == _retyped(parse_query(_retyped(query)))


def _retyped(query: Query) -> str:
    """The query as its chips tell it."""
    return " ".join(
        f"{chip.before}{'-' * chip.negated}{chip.name + ':' if chip.name else ''}"
        f'"{chip.value}"{chip.after}'
        for chip in query.describe()
    )


@given(st.text(max_size=80), st.text(min_size=1, max_size=4))
@settings(max_examples=500, deadline=None)
def test_what_is_found_is_marked_and_what_is_marked_is_found(text: str, word: str) -> None:
    needle = fold(word)
    for start, end in hits(text, [needle]):
        assert needle in fold(text[start:end])
    if needle and needle in fold(text) and text.isascii():
        assert hits(text, [needle])


@given(st.text(max_size=60))
@settings(max_examples=1000, deadline=None)
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_a_word_in_two_lines_is_found_in_languages_without_blanks() -> None:
    assert "会議" in fold("明日の会\n議")
    assert fold("안녕 하세요") == "안녕 하세요"


@pytest.mark.parametrize("name", ordinary.MESSAGES)
def test_each_sample_is_found_by_its_sender(name: str) -> None:
    message = read_message(ordinary.MESSAGES[name])
    assert message.sender is not None
    query = parse_query(f"from:{message.sender.address}")
    assert query.matches(FACTS, folded(words(message)))
