"""An identifier has one shown form, and reading takes no other."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_store import ids


@given(st.binary(min_size=16, max_size=16))
def test_what_is_shown_reads_back_as_the_same_identifier(identifier: bytes) -> None:
    shown = ids.show(identifier)
    assert len(shown) == 26
    assert shown == shown.lower()
    assert ids.read(shown) == identifier


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26))
def test_a_text_that_reads_is_shown_as_itself(text: str) -> None:
    try:
        identifier = ids.read(text)
    except ids.BadId:
        return
    assert ids.show(identifier) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 25,
        "a" * 27,
        "A" * 26,
        "a" * 25 + "b",  # the unused bits are not zero: a second name for the same thing
        "a" * 25 + "\n",
        "a" * 26 + "\n",
        "a" * 25 + "0",
        "../" + "a" * 23,
        "ａ" * 26,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ids.BadId):
        ids.read(text)


@pytest.mark.parametrize("octets", [0, 15, 17])
def test_only_sixteen_octets_can_be_shown(octets: int) -> None:
    with pytest.raises(ids.BadId):
        ids.show(b"x" * octets)


def test_new_identifiers_differ() -> None:
    assert len({ids.new_id() for _ in range(1000)}) == 1000
    assert all(len(ids.new_id()) == 16 for _ in range(10))


def test_ordered_identifiers_differ_and_sort_by_time() -> None:
    times = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(milliseconds=n) for n in (0, 1, 300)]
    made = [ids.new_ordered_id(now) for now in times for _ in range(1000)]
    assert len(set(made)) == 3000
    assert [each[:6] for each in made] == sorted(each[:6] for each in made)
    assert made[0][:6] < made[1000][:6] < made[2000][:6]
    assert all(len(each) == 16 for each in made)
