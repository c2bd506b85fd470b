"""The octets of searchable words: read back as written, compared as folded."""

import unicodedata

import pytest

from archive_store.mime import searchable
from archive_store.mime.folding import fold
from archive_store.mime.parse import read_message
from archive_store.mime.summary import folded, words
from tests.corpus import hostile, ordinary


@pytest.mark.parametrize("name", [*ordinary.MESSAGES, *hostile.MESSAGES])
def test_words_are_the_same_after_they_were_stored(name: str) -> None:
    text = words(read_message({**ordinary.MESSAGES, **hostile.MESSAGES}[name]))
    octets = searchable.to_octets(text)
    assert searchable.text_of(octets) == text
    assert searchable.folded_of(octets) == folded(text)


def test_the_folded_text_is_stored_where_it_is_another_than_the_lower_case() -> None:
    assert searchable.to_octets("s\tPlain") == b"s\tPlain"
    assert searchable.to_octets("s\tGrüße") == "s\tGrüße\0s\tgrusse".encode()


def test_words_of_an_earlier_version_are_folded_when_they_are_searched() -> None:
    assert searchable.folded_of("s\tGrüße".encode()) == b"s\tgrusse"


@pytest.mark.parametrize("text", ["s\tone\0two", "s\tgrün\0gelb", "s\tan octet \udcff of none"])
def test_no_text_is_taken_for_another(text: str) -> None:
    octets = searchable.to_octets(text)
    assert searchable.text_of(octets) == text.replace("\0", " ")
    assert searchable.folded_of(octets) == folded(text.replace("\0", " "))


def test_what_grows_beyond_the_limit_is_stored_as_it_is() -> None:
    text = "b\t" + "\ufdfa" * 64 * 1024  # a ligature of 18 letters
    octets = searchable.to_octets(text)
    assert len(octets) <= searchable.LIMIT
    assert searchable.text_of(octets) == text


def test_a_long_run_is_folded_as_its_letters_are() -> None:
    decomposed = unicodedata.normalize("NFD", "がぎぐげご" * 300)
    for shift in range(3):
        run = "々" * shift + decomposed
        assert fold(run) == "々" * shift + "がぎぐげご" * 300


def test_words_side_by_side_are_folded_as_each_of_them_is() -> None:
    words = ["Ёлка", "ΤΙΜΟΛΌΓΙΟ", "é", "\u0301é", "مُحَمَّد", "ｶﾞﾗｽ", "한국어", "ß"] * 40
    assert fold(" ".join(words)) == " ".join(map(fold, words)).strip()


def test_marks_without_end_are_folded_in_a_moment() -> None:
    # Putting them in order takes the square of their number: all at once, a quarter of an hour.
    marks = "a" + "\u0301\u0323" * 500_000
    assert fold(marks) == "a"
