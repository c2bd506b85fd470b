"""The clock that destruction goes by: the system's, unless that jumped ahead.

A clock that is set a month ahead by mistake would destroy every key at once, for good. So the
guard compares it with CLOCK_BOOTTIME, which also runs while the machine sleeps and which nobody
sets. What it saw last stands in a small file beside the keyring. Within one boot the clock may
go ahead of that by an hour; over a reboot, where nothing can be compared, by four days. Beyond
that the jump is held: destruction goes on by the time that must have passed at least, and the
clock is believed once it has gone on steadily for a day, or when an operator confirms it.

A clock that goes back is believed: it destroys nothing.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from archive_store.durable import not_kept, replace_file
from archive_store.errors import KeyringError

TOLERANCE = timedelta(hours=1)
LONGEST_OFF = timedelta(days=4)
STEADY_FOR = timedelta(hours=24)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Uptime:
    """Which boot this is, and how long ago it was."""

    boot: str
    seconds: float

    @classmethod
    def read(cls) -> "Uptime":
        """That of this machine."""
        try:
            boot = _BOOT_ID.read_text().strip()
        except OSError:
            boot = ""  # never the same as another: then only the longer limit holds
        return cls(boot, time.clock_gettime(time.CLOCK_BOOTTIME))


@dataclass(frozen=True, slots=True)
class Sight:
    """What clock and uptime said at one moment."""

    at: datetime
    boot: str
    seconds: float

    def passed(self, uptime: Uptime) -> timedelta | None:
        """How much time has passed since, if that can be known."""
        same = self.boot and self.boot == uptime.boot and uptime.seconds >= self.seconds
        return timedelta(seconds=uptime.seconds - self.seconds) if same else None

    def leads_to(self, now: datetime, uptime: Uptime) -> bool:
        """Whether the clock may say `now` after this."""
        passed = self.passed(uptime)
        longest = LONGEST_OFF if passed is None else passed + TOLERANCE
        return now <= self.at + longest


class Guard(Protocol):
    """Says which time destruction goes by."""

    def believed(self, now: datetime) -> datetime:
        """`now`, or less when the clock jumped ahead. KeyringError, StoreFull: not kept."""

    def confirm(self, now: datetime) -> None:
        """Believe the clock from now on."""


class Unguarded:
    """Believes every clock: for a keyring whose days come from elsewhere."""

    def believed(self, now: datetime) -> datetime:
        return now

    def confirm(self, now: datetime) -> None:
        return None


class ClockGuard:
    """The guard of one keyring, whose file it keeps its own beside."""

    def __init__(self, keyring: Path, uptime: Callable[[], Uptime] = Uptime.read) -> None:
        self._path = keyring.with_name(f".{keyring.name}.clock")
        self._uptime = uptime

    def believed(self, now: datetime) -> datetime:
        seen, claimed = self._load()
        uptime = self._uptime()
        if seen is None or seen.leads_to(now, uptime):
            if seen is None or now >= seen.at:
                self._save(_sight(now, uptime), None)
            return now
        if claimed is None or not claimed.leads_to(now, uptime) or now < claimed.at - TOLERANCE:
            claimed = _sight(now, uptime)
            self._save(seen, claimed)
        if now - claimed.at >= STEADY_FOR:
            self.confirm(now)
            return now
        passed = seen.passed(uptime)
        return seen.at + (timedelta(seconds=uptime.seconds) if passed is None else passed)

    def confirm(self, now: datetime) -> None:
        self._save(_sight(now, self._uptime()), None)

    def _load(self) -> tuple[Sight | None, Sight | None]:
        try:
            found = json.loads(self._path.read_bytes())
            return _read(found["seen"]), _read(found["claimed"])
        except FileNotFoundError:
            return None, None
        except (OSError, ValueError, KeyError, TypeError):
            raise KeyringError(
                f"{self._path} cannot be read: if the clock is right, remove that file"
            ) from None

    def _save(self, seen: Sight, claimed: Sight | None) -> None:
        both = {"seen": _write(seen), "claimed": _write(claimed) if claimed else None}
        try:
            replace_file(self._path, json.dumps(both).encode())
        except OSError as error:
            raise not_kept(self._path, error) from error


def _sight(now: datetime, uptime: Uptime) -> Sight:
    return Sight(now, uptime.boot, uptime.seconds)


def _write(sight: Sight) -> dict[str, object]:
    return {**asdict(sight), "at": sight.at.isoformat()}


def _read(found: dict[str, object] | None) -> Sight | None:
    if found is None:
        return None
    at = datetime.fromisoformat(str(found["at"]))
    return Sight(at, str(found["boot"]), float(str(found["seconds"])))
