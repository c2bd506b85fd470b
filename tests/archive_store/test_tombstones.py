"""The list of final deletes: durable, whole lines only, no longer than a day's key."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from archive_store.errors import StoreFull, WriteFailed
from archive_store.tombstones import Tombstone, Tombstones

DAY = date(2026, 11, 24)
ONE, TWO, THREE = (Tombstone(DAY, bytes([n]) * 16) for n in (1, 2, 3))


@pytest.fixture
def stones(tmp_path: Path) -> Tombstones:
    return Tombstones.beside(tmp_path / "keyring.json")


def test_what_was_added_is_read_by_the_next_process(stones: Tombstones) -> None:
    assert list(stones.read()) == []
    stones.add([ONE])
    stones.add([TWO, THREE])
    assert list(Tombstones(stones.path).read()) == [ONE, TWO, THREE]
    assert stones.octets() == stones.path.read_bytes()
    assert stones.path.name == "keyring.json.deleted"
    assert stones.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("length", range(len(TWO.line)))
def test_a_torn_line_is_passed_over_and_hides_nothing_that_comes_after(
    stones: Tombstones, length: int
) -> None:
    stones.add([ONE])
    with stones.path.open("ab") as file:
        file.write(TWO.line[:length])
    after = Tombstones(stones.path)
    assert list(after.read()) == [ONE]
    after.add([THREE])
    assert list(after.read()) == [ONE, THREE]


@pytest.mark.parametrize(("code", "error"), [(28, StoreFull), (5, WriteFailed)])
def test_after_a_failed_sync_a_new_file_is_begun(
    stones: Tombstones, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    stones.add([ONE])
    before = stones.path.stat().st_ino
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", failing(code))
        with pytest.raises(error):
            stones.add([TWO])
    stones.add([THREE])
    assert stones.path.stat().st_ino != before
    assert {ONE, THREE} <= set(stones.read())


def failing(code: int) -> Callable[[int], None]:
    def fail(_: int) -> None:
        raise OSError(code, "")

    return fail


def test_a_day_that_is_over_is_forgotten_and_the_others_stay(stones: Tombstones) -> None:
    later = Tombstone(DAY + timedelta(days=1), ONE.entry_id)
    stones.add([ONE, later, TWO])
    stones.drop(DAY - timedelta(days=1))
    assert list(stones.read()) == [ONE, later, TWO]
    stones.drop(DAY)
    assert list(stones.read()) == [later]
    stones.add([THREE])
    assert list(stones.read()) == [later, THREE]
