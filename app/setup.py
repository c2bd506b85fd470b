"""What an installation must have before any role can start, and making it.

`prepare` is safe to repeat: it makes what is missing and never replaces a key.
It refuses to make a new keyring beside a store that already holds mail, since
that would hide the loss of the old one.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import select

from app.config import Config
from app.migrate import current_revision, upgrade
from app.migrate import is_current as is_current_schema
from archive_store.db import Database
from archive_store.directory import PublicKeys, public_octets
from archive_store.durable import make_folder
from archive_store.errors import ConfigError, KeyringError, MasterKeyAway, StoreBusy
from archive_store.keyring import Keyring, KeyringFile
from archive_store.models import DayKey
from archive_store.receipts import WRITERS, ReceiptKey

LONGEST_SOCKET_FOLDER = 85


def run_dir(config: Config) -> Path:
    """The folder of sockets: in the data folder, or, where that path is too long for a
    Unix socket (unix(7): 107 octets), a private one in the temporary folder.
    """
    folder = config.data_dir / "run"
    if len(os.fsencode(folder)) <= LONGEST_SOCKET_FOLDER:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"livearchive-run-{os.getuid()}-{digest}"
    short.mkdir(mode=0o700, exist_ok=True)
    facts = short.lstat()
    if facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise ConfigError(f"DATA_DIR: choose a shorter path; {short} is not this user's alone")
    return short


def prepare(config: Config) -> None:
    """Make the data folder, the database and the keys."""
    make_data_dir(config)
    with _alone(config):
        upgrade(config.store.database)
        _make_keys(config)


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """Wait until no other process prepares this folder: two would mix their keys."""
    handle = os.open(config.data_dir / "run" / "prepare.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make_data_dir(config: Config) -> None:
    """Make the data folder and check that it can be written to."""
    try:
        for folder in (config.data_dir, config.store.keys_dir, config.data_dir / "run"):
            make_folder(folder)
    except OSError as error:
        raise ConfigError(
            f"DATA_DIR: cannot write in {config.data_dir}: {error.strerror}"
        ) from error
    if not os.access(config.data_dir, os.W_OK):
        raise ConfigError(f"DATA_DIR: cannot write in {config.data_dir}: permission denied")


def is_current(config: Config) -> bool:
    """Whether nothing at all is left to prepare."""
    return is_prepared(config) and is_current_schema(config.store.database)


def is_empty_database(config: Config) -> bool:
    """Whether the database has no schema at all. ConfigError when it cannot be reached."""
    db = Database(config.store.database)
    try:
        with db.read() as tx:
            return not current_revision(tx.connection())
    except StoreBusy as error:
        raise ConfigError(f"DATABASE_URL: {error}") from error
    finally:
        db.close()


def is_prepared(config: Config) -> bool:
    """Whether `prepare` has run before."""
    return (config.store.keys_dir / "public.json").exists()


def _make_keys(config: Config) -> None:
    store = config.store
    file = KeyringFile.of(store)
    if is_prepared(config):
        # A start would refuse the same; whoever types `init` wants to hear it now.
        with suppress(MasterKeyAway):  # the start of the service waits for it
            if file.load().installation != PublicKeys.load(store.keys_dir).installation:
                raise KeyringError(f"the keyring {file.path} belongs to another installation")
        return
    used = _has_day_keys(config)
    make_folder(store.keyring.parent)
    # Another data folder's `init` may have been given the same keyring by mistake.
    with file.held():
        if not used and not file.exists():
            file.save(Keyring.generate())
        keyring = file.load()
    # Of a store in use only public.json can be made anew: with other receipt keys all its
    # mail would look as if it were not received here.
    keys_dir = store.keys_dir
    receipts = {
        name: ReceiptKey.load(keys_dir, name)
        if used or (keys_dir / f"receipt-{name}.key").exists()
        else ReceiptKey.create(keys_dir, name)
        for name in WRITERS
    }
    # public.json comes last: its presence says that everything else is there.
    PublicKeys(
        keyring.installation,
        public_octets(keyring.directory_key),
        public_octets(keyring.audit_key),
        {name: public_octets(receipt.key) for name, receipt in receipts.items()},
    ).save(store.keys_dir)


def _has_day_keys(config: Config) -> bool:
    db = Database(config.store.database)
    try:
        with db.read() as tx:
            return tx.scalars(select(DayKey.id).limit(1)).first() is not None
    finally:
        db.close()
