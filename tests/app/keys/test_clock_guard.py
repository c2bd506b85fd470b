"""The guard believes a clock that runs, sleeps or goes back, and holds one that jumps ahead."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.keys.clock_guard import LONGEST_OFF, STEADY_FOR, TOLERANCE, ClockGuard, Uptime
from archive_store.errors import KeyringError

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Machine:
    """A clock and an uptime, each to be moved by itself."""

    def __init__(self, folder: Path) -> None:
        self.now, self.uptime = NOON, Uptime("first boot", 5000.0)
        self.guard = ClockGuard(folder / "keyring.json", lambda: self.uptime)

    def runs(self, length: timedelta) -> None:
        self.now += length
        self.uptime = Uptime(self.uptime.boot, self.uptime.seconds + length.total_seconds())

    def jumps(self, length: timedelta) -> None:
        self.now += length

    def boots(self, off: timedelta) -> None:
        self.now += off
        self.uptime = Uptime(self.uptime.boot + ", then another", 10.0)

    def believed(self) -> datetime:
        return self.guard.believed(self.now)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.believed()
    return made


def test_a_machine_that_slept_for_days_is_believed(machine: Machine) -> None:
    machine.runs(DAY * 20)
    assert machine.believed() == machine.now


def test_a_machine_that_was_off_is_believed_for_four_days(machine: Machine) -> None:
    machine.boots(LONGEST_OFF)
    assert machine.believed() == machine.now
    machine.boots(LONGEST_OFF + HOUR)
    assert machine.believed() < NOON + LONGEST_OFF + HOUR


def test_a_jump_is_held_while_real_time_goes_on(machine: Machine) -> None:
    machine.jumps(DAY * 9)
    assert machine.believed() == NOON
    machine.runs(HOUR)
    assert machine.believed() == NOON + HOUR
    machine.boots(HOUR)
    assert machine.believed() == NOON + timedelta(seconds=10)


def test_a_small_correction_is_no_jump(machine: Machine) -> None:
    machine.jumps(TOLERANCE)
    assert machine.believed() == machine.now


def test_a_clock_that_is_set_right_again_is_believed_at_once(machine: Machine) -> None:
    machine.jumps(DAY * 40)
    machine.believed()
    machine.runs(HOUR)
    machine.jumps(DAY * -40)
    assert machine.believed() == machine.now == NOON + HOUR


def test_a_clock_that_goes_back_is_believed_and_may_come_forward_again(machine: Machine) -> None:
    machine.jumps(DAY * -3)
    assert machine.believed() == machine.now
    machine.jumps(DAY * 3)
    assert machine.believed() == machine.now


def test_a_jump_is_believed_after_a_steady_day_and_not_before(machine: Machine) -> None:
    machine.jumps(DAY * 9)
    machine.believed()
    machine.runs(STEADY_FOR - HOUR)
    assert machine.believed() < machine.now
    machine.runs(HOUR)
    assert machine.believed() == machine.now


def test_a_second_jump_begins_the_day_anew(machine: Machine) -> None:
    machine.jumps(DAY * 9)
    machine.believed()
    machine.jumps(DAY * 9)
    assert machine.believed() == NOON
    machine.runs(STEADY_FOR - HOUR)
    assert machine.believed() < machine.now


def test_a_confirmed_jump_is_believed(machine: Machine) -> None:
    machine.jumps(DAY * 9)
    assert machine.believed() < machine.now
    machine.guard.confirm(machine.now)
    assert machine.believed() == machine.now


def test_another_process_remembers_what_was_seen(machine: Machine, tmp_path: Path) -> None:
    machine.jumps(DAY * 9)
    other = ClockGuard(tmp_path / "keyring.json", lambda: machine.uptime)
    assert other.believed(machine.now) == NOON


def test_a_damaged_memory_destroys_nothing(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / ".keyring.json.clock").write_text("{")
    with pytest.raises(KeyringError, match="if the clock is right"):
        machine.believed()


def test_this_machine_has_an_uptime() -> None:
    first, second = Uptime.read(), Uptime.read()
    assert first.boot
    assert first.boot == second.boot
    assert 0 < first.seconds <= second.seconds
