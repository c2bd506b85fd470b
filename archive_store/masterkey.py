"""What seals the keyring file: a passphrase, a secret in a file of its own, or Vault.

A provider gives a new key for each save and says, in a header beside the sealed keyring, how
that key is found again. The file is AES-256-GCM-SIV under it (`seal.wrap_kek`), bound to
provider and header. Without a provider the file is plain, mode 0400.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from archive_store import seal
from archive_store.config import MasterKeyConfig
from archive_store.errors import ConfigError, KeyringError, SealBroken
from archive_store.vault import Vault

Header = Mapping[str, Any]
CREDENTIAL = "livearchive-master-key"  # its name in systemd's LoadCredential=
SHORTEST_PASSPHRASE = 12
SHORTEST_SECRET = 32
SALT_OCTETS = 16
_KIND = "sealed keyring 1"
_INFO = b"livearchive/1/keyring"
_LARGEST_FILE = 64 * 1024


class MasterKey(Protocol):
    """A provider. Every verb raises KeyringError with what to do; MasterKeyAway where the
    same call can succeed later.
    """

    @property
    def provider(self) -> str:
        """Its name in MASTER_KEY_PROVIDER and in the file."""

    @property
    def source(self) -> str:
        """What it needs, for a sentence: "the passphrase in FILE"."""

    def new(self) -> tuple[bytes, Header]:
        """A key of 32 octets that was never used before, and the header that gives it back."""

    def again(self, header: Header) -> bytes:
        """The key of a header. ValueError, KeyError or TypeError when it is none of ours."""

    def retire(self, header: Header) -> None:
        """Make the keys of all older headers impossible to get, where the provider can do
        so; safe to repeat.
        """


@dataclass(frozen=True, slots=True)
class Work:
    """How hard Argon2id is to try (RFC 9106): not less than OWASP's 19 MiB and 2 passes."""

    kibibytes: int = 64 * 1024
    passes: int = 3
    lanes: int = 1

    def key(self, passphrase: bytes, salt: bytes) -> bytes:
        """The key of a passphrase. ValueError for work that would stop this machine."""
        if not (8 <= self.kibibytes <= 2**21 and 1 <= self.passes <= 64 and 1 <= self.lanes <= 16):
            raise ValueError("out of range")
        return hash_secret_raw(
            passphrase, salt, self.passes, self.kibibytes, self.lanes, seal.KEY_OCTETS, Type.ID
        )


def passphrase_header(passphrase: bytes, work: Work) -> tuple[bytes, Header]:
    """A new key for a passphrase, under a salt of its own."""
    salt = os.urandom(SALT_OCTETS)
    header = {
        "argon2id": {"kib": work.kibibytes, "passes": work.passes, "lanes": work.lanes},
        "salt": base64.b64encode(salt).decode(),
    }
    return work.key(passphrase, salt), header


def passphrase_again(passphrase: bytes, header: Header) -> bytes:
    """The key of a header that `passphrase_header` made."""
    asked = header["argon2id"]
    work = Work(int(asked["kib"]), int(asked["passes"]), int(asked["lanes"]))
    return work.key(passphrase, base64.b64decode(header["salt"], validate=True))


@dataclass(frozen=True, slots=True)
class Passphrase:
    """A passphrase of people, read from a file at each use."""

    file: Path
    work: Work = Work()
    provider: str = "passphrase"

    @property
    def source(self) -> str:
        return f"the passphrase in {self.file}"

    def new(self) -> tuple[bytes, Header]:
        passphrase = self._read()
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise KeyringError(
                f"{self.source} is too short: at least {SHORTEST_PASSPHRASE} characters"
            )
        return passphrase_header(passphrase, self.work)

    def again(self, header: Header) -> bytes:
        return passphrase_again(self._read(), header)

    def retire(self, header: Header) -> None:
        """Nothing: whoever has the passphrase opens older copies too."""

    def _read(self) -> bytes:
        return read_secret(self.file).rstrip(b"\r\n")


@dataclass(frozen=True, slots=True)
class Credential:
    """At least 32 random octets in a file, such as systemd's LoadCredential= gives."""

    file: Path
    provider: str = "credential"

    @property
    def source(self) -> str:
        return f"the secret in {self.file}"

    def new(self) -> tuple[bytes, Header]:
        salt = os.urandom(SALT_OCTETS)
        header = {"salt": base64.b64encode(salt).decode()}
        return self.again(header), header

    def again(self, header: Header) -> bytes:
        salt = base64.b64decode(header["salt"], validate=True)
        secret = read_secret(self.file)
        if len(secret) < SHORTEST_SECRET:
            raise KeyringError(
                f"{self.source} is too short: at least {SHORTEST_SECRET} random octets, as from "
                f"`head -c {SHORTEST_SECRET} /dev/urandom`"
            )
        return HKDF(hashes.SHA256(), seal.KEY_OCTETS, salt, _INFO).derive(secret)

    def retire(self, header: Header) -> None:
        """Nothing: whoever has the secret opens older copies too."""


def master_key(config: MasterKeyConfig) -> MasterKey | None:
    """The provider of the settings; None: the file is plain. ConfigError for one that lacks
    what it needs.
    """
    if config.provider == "file":
        return None
    if config.provider == "passphrase":
        if config.secret_file is None:
            raise ConfigError("MASTER_KEY_SECRET_FILE: expected a file with the passphrase")
        return Passphrase(config.secret_file)
    if config.provider == "credential":
        return Credential(config.secret_file or _credential_file())
    if config.provider == "vault":
        return _vault(config)
    raise ConfigError(f"MASTER_KEY_PROVIDER: no such provider: {config.provider}")


def _vault(config: MasterKeyConfig) -> Vault:
    if not config.vault_url:
        raise ConfigError("MASTER_KEY_VAULT_URL: expected the address of Vault")
    if config.secret_file is None:
        raise ConfigError("MASTER_KEY_SECRET_FILE: expected a file with the token for Vault")
    if "/" not in config.vault_key.strip("/"):
        raise ConfigError("MASTER_KEY_VAULT_KEY: expected MOUNT/NAME of a transit key")
    return Vault(config.vault_url, config.vault_key, config.secret_file, config.vault_ca)


def _credential_file() -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise ConfigError(
            "MASTER_KEY_SECRET_FILE: expected a file with the secret, or a unit with "
            f"LoadCredential={CREDENTIAL}:FILE, which names it by $CREDENTIALS_DIRECTORY"
        )
    return Path(folder) / CREDENTIAL


def read_secret(path: Path) -> bytes:
    """A small file's octets; KeyringError when it cannot be read or is empty."""
    try:
        with path.open("rb") as file:
            octets = file.read(_LARGEST_FILE)
    except OSError as error:
        raise KeyringError(
            f"MASTER_KEY_SECRET_FILE: cannot read {path}: {(error.strerror or '').lower()}"
        ) from None
    if not octets.strip():
        raise KeyringError(f"MASTER_KEY_SECRET_FILE: {path} is empty")
    return octets


def seal_file(key: bytes, provider: str, header: Header, plain: bytes) -> bytes:
    """The octets of a sealed file."""
    sealed = seal.wrap_kek(key, plain, _place(provider, header))
    return json.dumps(
        {
            "livearchive": _KIND,
            "provider": provider,
            "key": header,
            "sealed": base64.b64encode(sealed).decode(),
        },
        indent=1,
    ).encode()


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A sealed file, read and not opened yet."""

    provider: str
    header: Header
    sealed: bytes

    @classmethod
    def read(cls, octets: bytes) -> "SealedFile | None":
        """None when the octets are something else, such as a plain keyring."""
        try:
            found = json.loads(octets)
            if found["livearchive"] != _KIND:
                return None
            return cls(
                str(found["provider"]), dict(found["key"]), base64.b64decode(found["sealed"])
            )
        except (ValueError, KeyError, TypeError):
            return None

    def open(self, key: bytes) -> bytes:
        """What was sealed; SealBroken with another key, or when a single octet was changed."""
        return seal.unwrap_kek(key, self.sealed, _place(self.provider, self.header))


def sealed_with(master: MasterKey | None, plain: bytes) -> bytes:
    """What to write for a keyring's octets."""
    if master is None:
        return plain
    key, header = master.new()
    return seal_file(key, master.provider, header, plain)


def opened_with(master: MasterKey | None, octets: bytes) -> bytes:
    """A keyring's octets from what `sealed_with` made; KeyringError says what is wrong."""
    sealed = SealedFile.read(octets)
    theirs, ours = sealed.provider if sealed else "file", master.provider if master else "file"
    if theirs != ours:
        raise KeyringError(
            f"it is kept by the provider {theirs!r}, and MASTER_KEY_PROVIDER is {ours!r}: set "
            "that, or change the file with `livearchive keys rewrap`"
        )
    if sealed is None or master is None:
        return octets
    try:
        return sealed.open(master.again(sealed.header))
    except SealBroken:
        raise KeyringError(f"it does not open with {master.source}: that is another one") from None
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise KeyringError("the keyring file is not a LiveArchive keyring") from None


def _place(provider: str, header: Header) -> bytes:
    canonical = json.dumps(header, sort_keys=True, separators=(",", ":"))
    return seal.context("keyring", provider.encode(), canonical.encode())
