"""The keyring: days made ahead, destroyed when over, one user at a time."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from archive_store.errors import KeyringError, KeysMissing, StoreBusy
from archive_store.keyring import AHEAD_DAYS, SERIES, Keyring, KeyringFile

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEEP = {"mail": timedelta(days=7), "mailbag": timedelta(days=7), "log": timedelta(days=30)}


def made(now: datetime = NOW) -> Keyring:
    keyring = Keyring.generate()
    keyring.extend(now)
    return keyring


def test_keys_exist_from_today_to_fourteen_days_ahead() -> None:
    keyring = made()
    for series in SERIES:
        assert min(keyring.days[series]) == date(2026, 11, 24)
        assert len(keyring.days[series]) == AHEAD_DAYS + 1


def test_a_day_keeps_its_key_until_its_last_entry_is_over() -> None:
    keyring = made()
    end = datetime(2026, 12, 2, tzinfo=UTC)  # seven days after the last instant of the 24th
    assert keyring.expire(end - timedelta(microseconds=1), KEEP) == []
    key = keyring.kek("mail", date(2026, 11, 24))
    assert ("mail", date(2026, 11, 24)) in keyring.expire(end, KEEP)
    with pytest.raises(KeysMissing):
        keyring.kek("mail", date(2026, 11, 24))
    assert key not in keyring.to_json()
    assert keyring.kek("log", date(2026, 11, 24))


def test_a_key_that_was_destroyed_is_never_made_again() -> None:
    keyring = made()
    later = NOW + timedelta(days=9)
    keyring.expire(later, KEEP)
    keyring.extend(later)
    assert min(keyring.days["mail"]) > date(2026, 11, 24)


def test_a_clock_that_jumps_back_makes_no_second_key_of_a_day() -> None:
    keyring = made()
    before = dict(keyring.days["mail"])
    keyring.extend(NOW - timedelta(days=2))
    assert {day: keyring.days["mail"][day] for day in before} == before


def test_the_file_has_mode_0400_and_holds_no_destroyed_key(tmp_path: Path) -> None:
    file, keyring = KeyringFile(tmp_path / "keyring.json"), made()
    file.save(keyring)
    old = json.loads(file.path.read_text())["days"]["mail"]["2026-11-24"]
    keyring.expire(NOW + timedelta(days=9), KEEP)
    file.save(keyring)
    assert file.path.stat().st_mode & 0o777 == 0o400
    assert all(old.encode() not in path.read_bytes() for path in tmp_path.iterdir())
    assert file.load().days == keyring.days


def test_a_missing_or_foreign_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="MASTER_KEY_FILE"):
        KeyringFile(tmp_path / "none").load()
    other = tmp_path / "other"
    other.write_text('{"livearchive": "keyring 1", "directory": "top-secret"}')
    with pytest.raises(KeyringError) as caught:
        KeyringFile(other).load()
    assert "top-secret" not in str(caught.value)


def test_two_processes_never_use_one_keyring(tmp_path: Path) -> None:
    file = KeyringFile(tmp_path / "keyring.json")
    # It may be a keys role that is just ending: whoever starts tries again.
    with file.held(), pytest.raises(StoreBusy, match="in use"), file.held():
        pass
    with file.held():
        pass


def test_a_keyring_never_prints_its_keys() -> None:
    keyring = made()
    assert str(keyring.audit_seed) not in repr(keyring)
    assert "days" not in repr(keyring)
