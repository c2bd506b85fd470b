"""The row of a list and the words of a search."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_store.mime.folding import fold
from archive_store.mime.parse import read_for_list, read_message
from archive_store.mime.summary import (
    BODY_WORDS,
    PREVIEW,
    Summary,
    folded,
    sections,
    summarise,
    words,
)
from archive_store.mime.values import UNREADABLE
from tests.corpus import hostile, ordinary


def test_a_summary_has_what_a_list_shows() -> None:
    row = summarise(read_message(ordinary.NESTED))
    assert (row.subject, row.sender_name, row.sender_address) == (
        "Rechnung für November",
        "Jürgen Müller",
        "juergen@example.org",
    )
    assert row.to == ("Vlad Petrov <vlad@acme.example>", "sales@acme.example")
    assert row.date == "2026-11-24T09:00:00+00:00"
    assert row.preview == "See the picture."
    assert row.attachments == ("Rechnung €.pdf",)  # not the picture in the text
    assert row.has_attachments


@pytest.mark.parametrize("name", [*ordinary.MESSAGES, *hostile.MESSAGES])
def test_a_summary_is_the_same_after_it_was_stored_and_is_bounded(name: str) -> None:
    octets = {**ordinary.MESSAGES, **hostile.MESSAGES}[name]
    message = read_message(octets)
    row = summarise(message)
    assert Summary.from_bytes(row.to_bytes()) == row
    assert len(row.to_bytes()) < 700_000
    assert len(row.preview) <= PREVIEW
    assert len(words(message)) < 3 * BODY_WORDS


def test_a_summary_of_an_earlier_version_is_read() -> None:
    assert Summary.from_bytes(b'{"subject":"x","forgotten":1}') == Summary(subject="x")


@pytest.mark.parametrize("octets", [b"", b"[]", b"\xff", b"{"])
def test_what_is_no_summary_is_a_value_error(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Summary.from_bytes(octets)


def test_the_preview_leaves_out_quotes_rules_and_links() -> None:
    octets = (
        b"\r\n> old\r\nOn Monday Jane wrote:\r\n----\r\nYes,  see https://x.example/abc now\r\n"
    )
    assert summarise(read_message(octets)).preview == "Yes, see now"
    assert summarise(read_message(b"\r\n> only a quote\r\n")).preview == "> only a quote"


def test_the_preview_of_html_has_no_invisible_filler() -> None:
    octets = b"Content-Type: text/html\r\n\r\n<p>Big&nbsp;sale&zwnj;&#847;&shy; now</p>"
    assert summarise(read_message(octets)).preview == "Big sale now"


def test_words_are_in_sections_and_folded_for_a_search() -> None:
    text = words(read_message(ordinary.NESTED))
    found = sections(text)
    assert found["f"] == "Jürgen Müller <juergen@example.org>"
    assert found["s"] == "Rechnung für November"
    assert found["b"] == "See the picture. See"
    found = sections(folded(text).decode())
    assert found["f"] == "jurgen muller <juergen@example.org>"
    assert found["s"] == "rechnung fur november"
    assert found["a"] == "pic.png rechnung €.pdf"
    assert found["b"] == "see the picture. see"
    assert folded("s\tPlain Text\nb\tMORE") == b"s\tplain text\nb\tmore"


def test_a_section_cannot_be_forged_by_a_line_end() -> None:
    octets = b"Subject: x\r\n\r\nbody\nf\tceo@bank.example\n"
    assert "f" not in sections(words(read_message(octets)))


def test_an_unreadable_message_has_a_row_that_says_so() -> None:
    assert summarise(UNREADABLE).unreadable
    assert words(UNREADABLE) == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Zürich", "zurich"),
        ("Søren Łódź", "soren lodz"),
        ("ﬁnal ①", "final 1"),
        ("ＡＢＣ", "abc"),
        ("İstanbul ısı", "istanbul isi"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("a\u200bb\u00ad", "ab"),
        ("many   blanks\n", "many blanks"),
        ("Ёлка", "елка"),
    ],
)
def test_folding_makes_them_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_folding_keeps_what_makes_another_letter() -> None:
    assert fold("が") != fold("か")


@given(
    st.lists(
        st.sampled_from(
            ("word " * 30, "> quoted " * 40, "On Monday Anna wrote:", "--- ---", "", " x")
        ),
        max_size=40,
    )
)
def test_the_preview_does_not_depend_on_where_the_beginning_is_cut(lines: list[str]) -> None:
    text = "\n".join(lines)
    own = [
        line
        for line in text.split("\n")
        if not line.startswith(">") and not line.endswith("wrote:")
    ]
    expected = " ".join(" ".join(own).replace("---", " ").split())
    found = summarise(replace(read_message(b"\r\n"), text=text)).preview
    assert found == (expected or " ".join(text.split()))[:PREVIEW].rstrip()


def test_a_picture_in_the_page_is_no_attachment_however_long_the_text_is() -> None:
    octets = ordinary.NESTED.replace(b"See the picture.", b"See the picture.\r\n" * 100)
    brief, whole = read_for_list(octets), read_message(octets)
    assert summarise(brief).attachments == ("Rechnung €.pdf",)
    assert (summarise(brief), words(brief)) == (summarise(whole), words(whole))
