"""What lies in the folder `certificate` of the data: everything here is for our own uid alone.

`current.pem`: private key, certificate and chain. One file, so that one rename replaces all and
no crash leaves a key beside another's certificate. `account.json`: the account at the directory
and its key. `state.json`: how the last attempt went. `wanted`: somebody asks for a new one now.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from archive_store.clock import utc_now
from archive_store.durable import make_folder, replace_file, sync_folder
from smtp_ingest.tls import CertificateFiles

STAND_IN = "LiveArchive stand-in"  # the issuer of a certificate that nobody vouches for
ROOM = 64 * 1024  # more than any chain needs
_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate as it concerns its renewal."""

    names: frozenset[str]
    issuer: str
    serial: int
    begins: datetime
    ends: datetime
    stand_in: bool

    @classmethod
    def of(cls, pem: bytes) -> "Held":
        """Read the first certificate of a chain. Raises ValueError."""
        first, *_ = x509.load_pem_x509_certificates(pem)
        try:
            said = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            raise ValueError("a certificate without names") from None
        issuers = first.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return cls(
            frozenset(said.get_values_for_type(x509.DNSName)),
            first.issuer.rfc4514_string(),
            first.serial_number,
            first.not_valid_before_utc,
            first.not_valid_after_utc,
            any(one.value == STAND_IN for one in issuers),
        )

    @property
    def life(self) -> timedelta:
        """From its first to its last moment."""
        return self.ends - self.begins


@dataclass(frozen=True, slots=True)
class State:
    """How the last attempt went. `trouble` is empty when it went well."""

    attempts: int = 0
    failures: int = 0  # in a row
    trouble: str = ""
    text: str = ""
    at: datetime | None = None
    next_at: datetime | None = None  # not before


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder."""

    folder: Path

    @property
    def current(self) -> Path:
        """The file that the listeners read."""
        return self.folder / "current.pem"

    @property
    def files(self) -> CertificateFiles:
        """The same, for contexts."""
        return CertificateFiles(self.current, self.current)

    def held(self) -> Held | None:
        """The certificate in use; None: there is none, or it cannot be read."""
        try:
            return Held.of(self.current.read_bytes())
        except (OSError, ValueError):
            return None

    def state(self) -> State:
        """The last state; an empty one when there is none."""
        found = _read(self.folder / "state.json")
        try:
            times = {name: _moment(found.get(name, "")) for name in ("at", "next_at")}
            return State(
                int(found.get("attempts", 0)),
                int(found.get("failures", 0)),
                str(found.get("trouble", "")),
                str(found.get("text", "")),
                **times,
            )
        except (ValueError, TypeError):
            return State()

    def remember(self, state: State) -> None:
        """Keep a state. Raises OSError."""
        times = {"at": state.at, "next_at": state.next_at}
        shown = {name: at.isoformat() if at else "" for name, at in times.items()}
        said = {"trouble": state.trouble, "text": state.text}
        counts = {"attempts": state.attempts, "failures": state.failures}
        self._replace("state.json", json.dumps(counts | said | shown).encode())

    def account(self, directory: str) -> dict[str, Any]:
        """The account at a directory; empty when there is none there."""
        found = _read(self.folder / "account.json")
        return found if found.get("directory") == directory else {}

    def remember_account(self, account: dict[str, Any]) -> None:
        """Keep an account and its key. Raises OSError."""
        self._replace("account.json", json.dumps(account).encode())

    def _replace(self, name: str, octets: bytes) -> None:
        make_folder(self.folder)
        replace_file(self.folder / name, octets)

    def want(self) -> None:
        """Ask the role for a new certificate. Raises OSError."""
        make_folder(self.folder)
        (self.folder / "wanted").touch(mode=0o600)

    def take_wish(self) -> bool:
        """Whether somebody asked; the wish is gone then."""
        try:
            (self.folder / "wanted").unlink()
        except OSError:
            return False
        return True

    @contextmanager
    def room(self) -> Iterator["Room"]:
        """Room for a new certificate, taken before one is asked for. Raises OSError."""
        make_folder(self.folder)
        path = self.folder / ".current.pem.new"
        path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(handle, 0, ROOM)
            yield Room(handle, path, self.current)
        finally:
            os.close(handle)
            path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether we are the only one who holds this folder, for as long as the block runs."""
        make_folder(self.folder)
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class Room:
    """A file that has its place on the disk and not yet its content."""

    handle: int
    path: Path
    target: Path

    def fill(self, octets: bytes) -> None:
        """Put the octets where the listeners look, whole or not at all. Raises OSError."""
        with os.fdopen(os.dup(self.handle), "wb") as file:
            file.write(octets)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self.path.replace(self.target)
        sync_folder(self.target.parent)


def days_left(files: CertificateFiles | None) -> float | None:
    """Days until the certificate ends; 0: nobody vouches for it; None: there is no TLS."""
    if files is None:
        return None
    try:
        held = Held.of(files.chain.read_bytes())
    except (OSError, ValueError):
        return 0.0
    left = (held.ends - utc_now()).total_seconds() / _DAY_SECONDS
    return 0.0 if held.stand_in else max(left, 0.0)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
