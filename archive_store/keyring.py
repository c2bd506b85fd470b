"""The keyring: one random key-encryption key per series and UTC day, nothing else that opens mail.

Series differ in how long they keep: "mail" for KEEP_DAYS, "mailbag" for the
queue's life, "log" for the mail log. Beside the days there is a key of each legal
hold, which no day ends: it goes when its hold is released, with what says of what it is and
why. The keyring also holds the
seeds of the directory key, which signs public day keys, and of the audit key, and the seed of
the keys under which the database keeps secrets that are no mail. When a day is
over its key is destroyed: the file is rewritten (temporary file, fsync, rename,
fsync of the folder), and from then on everything of that day is noise, on disk,
in freed pages, in the write-ahead log and in every backup of the data.

Only the keys role reads this file. It is JSON, mode 0400, about 90 octets a day, and sealed
as a whole where MASTER_KEY_PROVIDER names a provider (`archive_store.masterkey`).
"""

import base64
import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive_store import seal
from archive_store.clock import day_of, key_expiry
from archive_store.config import StoreConfig
from archive_store.durable import not_kept, replace_file
from archive_store.errors import KeyringError, KeysMissing, MasterKeyAway, StoreBusy
from archive_store.hold_facts import HoldFacts
from archive_store.masterkey import MasterKey, SealedFile, master_key, opened_with, sealed_with

AHEAD_DAYS = 14
SERIES = ("mail", "mailbag", "log")


@dataclass(slots=True)
class Keyring:
    """The secrets in memory. `days` maps a series to its days' keys, `holds` a hold's id to its,
    `hold_facts` to what it is of; one of an older version has none.
    """

    installation: bytes
    directory_seed: bytes = field(repr=False)
    audit_seed: bytes = field(repr=False)
    days: dict[str, dict[date, bytes]] = field(repr=False)
    holds: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    secrets_seed: bytes = field(default=b"", repr=False)  # empty: of an older version
    hold_facts: dict[bytes, HoldFacts] = field(default_factory=dict, repr=False)

    @classmethod
    def generate(cls) -> "Keyring":
        """A keyring of a new installation, without any day yet."""
        keyring = cls(os.urandom(16), os.urandom(32), os.urandom(32), {name: {} for name in SERIES})
        keyring.complete()
        return keyring

    def complete(self) -> bool:
        """Make what a keyring of an older version lacks; True when anything was new."""
        if self.secrets_seed:
            return False
        self.secrets_seed = seal.new_key()
        return True

    @property
    def directory_key(self) -> Ed25519PrivateKey:
        """Signs public day keys."""
        return Ed25519PrivateKey.from_private_bytes(self.directory_seed)

    @property
    def audit_key(self) -> Ed25519PrivateKey:
        """Signs exports of the audit trail."""
        return Ed25519PrivateKey.from_private_bytes(self.audit_seed)

    def secrets_key(self, label: str) -> bytes:
        """The key that seals one kind of secrets in the database, such as "dkim"."""
        if not self.secrets_seed:
            raise KeysMissing("this keyring has no key for secrets yet")
        return seal.derive(self.secrets_seed, f"secrets/{label}")

    def kek(self, series: str, day: date) -> bytes:
        """The key of a day; KeysMissing once it was destroyed (or never made)."""
        try:
            return self.days[series][day]
        except KeyError:
            raise KeysMissing(f"no key for {series} of {day}: that day is over") from None

    def hold_key(self, hold_id: bytes) -> bytes:
        """The key of a legal hold; KeysMissing once the hold was released."""
        try:
            return self.holds[hold_id]
        except KeyError:
            raise KeysMissing("no key for that hold: it was released") from None

    def add_hold(self, hold_id: bytes, facts: HoldFacts) -> None:
        """Make the key of a new hold."""
        self.holds[hold_id] = seal.new_key()
        self.hold_facts[hold_id] = facts

    def drop_holds(self, released: Collection[bytes]) -> None:
        """Forget the keys of holds that were released."""
        for one in released:
            self.holds.pop(one, None)
            self.hold_facts.pop(one, None)

    def extend(self, now: datetime) -> bool:
        """Make the keys of today and of fourteen days ahead; True when any was new."""
        today = day_of(now)
        wanted = [today + timedelta(days=ahead) for ahead in range(AHEAD_DAYS + 1)]
        missing = [(name, day) for name in SERIES for day in wanted if day not in self.days[name]]
        for name, day in missing:
            self.days[name][day] = seal.new_key()
        return bool(missing)

    def expire(self, now: datetime, keep: Mapping[str, timedelta]) -> list[tuple[str, date]]:
        """Forget the keys of days that are over, in the series that `keep` names; says which."""
        gone = [
            (name, day)
            for name, keys in self.days.items()
            for day in keys
            if name in keep and key_expiry(day, keep[name]) <= now
        ]
        for name, day in gone:
            del self.days[name][day]
        if gone:
            seal.forget_private_keys()
        return gone

    def copy(self) -> "Keyring":
        """Another keyring with the same keys, to be changed and saved before it is used."""
        days = {name: dict(keys) for name, keys in self.days.items()}
        seeds = (self.directory_seed, self.audit_seed)
        holds, facts = dict(self.holds), dict(self.hold_facts)
        return Keyring(self.installation, *seeds, days, holds, self.secrets_seed, facts)

    def to_json(self) -> bytes:
        """The file's octets."""
        return json.dumps(
            {
                "livearchive": "keyring 1",
                "installation": self.installation.hex(),
                "directory": _text(self.directory_seed),
                "audit": _text(self.audit_seed),
                "secrets": _text(self.secrets_seed),
                "days": {
                    name: {day.isoformat(): _text(key) for day, key in sorted(keys.items())}
                    for name, keys in self.days.items()
                },
                "holds": {one.hex(): _text(key) for one, key in sorted(self.holds.items())},
                "hold_facts": {
                    one.hex(): facts.to_json() for one, facts in sorted(self.hold_facts.items())
                },
            },
            indent=1,
        ).encode()

    @classmethod
    def from_json(cls, octets: bytes) -> "Keyring":
        """Read the file's octets; KeyringError when they are not a keyring."""
        try:
            found = json.loads(octets)
            if found["livearchive"] != "keyring 1":
                raise KeyringError("the keyring is of another version")
            return cls(
                bytes.fromhex(found["installation"]),
                _octets(found["directory"]),
                _octets(found["audit"]),
                {
                    name: {
                        date.fromisoformat(day): _octets(key)
                        for day, key in found["days"].get(name, {}).items()
                    }
                    for name in SERIES
                },
                # A keyring of an older version has none of these.
                {bytes.fromhex(one): _octets(key) for one, key in found.get("holds", {}).items()},
                _octets(found.get("secrets", "")),
                {
                    bytes.fromhex(one): HoldFacts.from_json(facts)
                    for one, facts in found.get("hold_facts", {}).items()
                },
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            # The parser's own text could quote a key: say only what it is not.
            raise KeyringError("the keyring file is not a LiveArchive keyring") from None


class KeyringStore(Protocol):
    """Where a keyring is kept. The verbs raise KeyringError with what to do; `save` StoreFull."""

    def load(self) -> Keyring:
        """Read it."""

    def save(self, keyring: Keyring) -> None:
        """Replace it; returns when the old one is gone and the new one durable."""

    def settle(self) -> None:
        """Finish a `save` that a crash interrupted."""


class KeyringFile:
    """The keyring as a file of mode 0400, plain or sealed under a provider's key."""

    def __init__(self, path: Path, master: MasterKey | None = None) -> None:
        self.path = path
        self.master = master

    @classmethod
    def of(cls, config: StoreConfig) -> "KeyringFile":
        """The one that the settings name."""
        return cls(config.keyring, master_key(config.master_key))

    def exists(self) -> bool:
        """Whether there is one."""
        return self.path.exists()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from using this keyring: two would make different keys.

        StoreBusy when another one does: a command, or a keys role that is just ending.
        """
        lock = self.path.with_name(f".{self.path.name}.lock")
        try:
            handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise KeyringError(f"cannot use the keyring {self.path}: {error.strerror}") from error
        try:
            _lock(handle, self.path)
            yield
        finally:
            os.close(handle)

    def load(self) -> Keyring:
        """Read it; the text of the error says what to do."""
        octets = self._octets()
        try:
            return Keyring.from_json(opened_with(self.master, octets))
        except MasterKeyAway:
            raise
        except KeyringError as error:
            raise KeyringError(f"{self.path}: {error}") from None

    def save(self, keyring: Keyring) -> None:
        """Write a new file and take its place; the old octets are overwritten first. Then
        copies of the old file are made useless, where the provider can do that.
        """
        octets = sealed_with(self.master, keyring.to_json())
        try:
            replace_file(self.path, octets, mode=0o400, overwrite_old=True)
        except OSError as error:
            raise not_kept(self.path, error) from error
        self._retire_older_than(octets)

    def settle(self) -> None:
        """A `save` may have ended between the new file and the end of the old key."""
        self._retire_older_than(self._octets())

    def _octets(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            raise KeyringError(
                f"no keyring at {self.path}: put back the file that belongs to this data "
                "folder, or set MASTER_KEY_FILE to where it is"
            ) from None
        except OSError as error:
            raise KeyringError(f"cannot read the keyring {self.path}: {error.strerror}") from error

    def _retire_older_than(self, octets: bytes) -> None:
        sealed = SealedFile.read(octets)
        if self.master is not None and sealed is not None:
            self.master.retire(sealed.header)


def _lock(handle: int, keyring: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreBusy(f"the keyring {keyring} is in use by another process") from None


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
