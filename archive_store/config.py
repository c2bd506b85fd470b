"""Settings of the store; checked when made, frozen afterwards."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from archive_store.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStoreConfig:
    """A bucket of an S3-compatible store. `endpoint` is empty for Amazon's own."""

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    timeout: timedelta = timedelta(seconds=15)


PROVIDERS = ("file", "passphrase", "credential", "vault")


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterKeyConfig:
    """What the keyring file is sealed under; `archive_store.masterkey` reads it.

    `secret_file` is a path, so that no other role than the keys role has the secret in memory.
    """

    provider: str = "file"
    secret_file: Path | None = None
    vault_url: str = ""
    vault_key: str = "transit/livearchive"
    vault_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreConfig:
    """Where the store lives and how long it keeps.

    `database_url` and `objects_url` default to places inside `data_dir`; `object_store`
    is given when the segments lie in one. `keyring_file` is read by the keys role alone.
    """

    data_dir: Path
    database_url: str = ""
    objects_url: str = ""
    object_store: ObjectStoreConfig | None = None
    keyring_file: Path | None = None
    master_key: MasterKeyConfig = field(default_factory=MasterKeyConfig)
    keep: timedelta = field(default=timedelta(days=7))
    mailbag_keep: timedelta = field(default=timedelta(days=7))
    maillog_keep: timedelta = field(default=timedelta(days=30))
    segment_bytes: int = 256 * 1024 * 1024

    def __post_init__(self) -> None:
        if not timedelta(days=1) <= self.keep <= timedelta(days=90):
            raise ConfigError("KEEP_DAYS: expected 1 to 90 days")

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'livearchive.db').absolute()}"

    @property
    def objects_dir(self) -> Path:
        """The folder of the local segments."""
        if not self.objects_url:
            return self.data_dir / "objects"
        scheme, _, path = self.objects_url.partition(":")
        if scheme != "file" or not path:
            raise ConfigError("OBJECTS_URL: the segments lie in no folder")
        return Path(path.removeprefix("//"))

    @property
    def quarantine_dir(self) -> Path:
        """Where a repair keeps damaged octets of segments until their day is over."""
        return self.data_dir / "quarantine"

    @property
    def keys_dir(self) -> Path:
        """Public keys and the writers' receipt keys; not the keyring by itself."""
        return self.data_dir / "keys"

    @property
    def keyring(self) -> Path:
        """The keyring file: whoever has it and the data can read the mail."""
        return self.keyring_file or self.keys_dir / "keyring.json"
