"""A sealed keyring file: opened by its provider alone, each save under a new key."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive_store.config import MasterKeyConfig, StoreConfig
from archive_store.errors import ConfigError, KeyringError
from archive_store.keyring import Keyring, KeyringFile
from archive_store.masterkey import CREDENTIAL, Passphrase, Work, master_key

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PROVIDERS = ["passphrase", "credential"]


def made() -> Keyring:
    keyring = Keyring.generate()
    keyring.extend(NOW)
    return keyring


def secret(folder: Path, octets: bytes = b"seven quiet herons wade the long way\n") -> Path:
    path = folder / "secret"
    path.write_bytes(octets)
    return path


def keyring_file(folder: Path, provider: str, octets: bytes | None = None) -> KeyringFile:
    path = secret(folder) if octets is None else secret(folder, octets)
    config = MasterKeyConfig(provider=provider, secret_file=path)
    return KeyringFile.of(StoreConfig(data_dir=folder, master_key=config))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    return tmp_path


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_sealed_keyring_comes_back_and_shows_no_key(folder: Path, provider: str) -> None:
    file, keyring = keyring_file(folder, provider), made()
    file.save(keyring)
    assert file.load() == keyring
    octets = file.path.read_bytes()
    assert file.path.stat().st_mode & 0o777 == 0o400
    assert keyring.installation.hex().encode() not in octets
    assert all(day.isoformat().encode() not in octets for day in keyring.days["mail"])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_save_is_under_a_new_key(folder: Path, provider: str) -> None:
    file, keyring = keyring_file(folder, provider), made()
    file.save(keyring)
    first = file.path.read_bytes()
    file.save(keyring)
    lines = {*first.splitlines(), *file.path.read_bytes().splitlines()}
    assert len([line for line in lines if b'"salt"' in line]) == 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_another_secret_is_told_and_neither_is_quoted(folder: Path, provider: str) -> None:
    keyring_file(folder, provider).save(made())
    other = b"quite another secret of more than 32 octets"
    with pytest.raises(KeyringError, match=r"does not open with the .* that is another") as caught:
        keyring_file(folder, provider, other).load()
    assert other.decode() not in str(caught.value)
    assert "herons" not in str(caught.value)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_changed_octet_does_not_open(folder: Path, provider: str) -> None:
    file = keyring_file(folder, provider)
    file.save(made())
    octets = file.path.read_bytes()
    at = octets.index(b'"sealed": "') + 40
    changed = octets[:at] + (b"A" if octets[at : at + 1] != b"A" else b"B") + octets[at + 1 :]
    file.path.chmod(0o600)
    file.path.write_bytes(changed)
    with pytest.raises(KeyringError):
        file.load()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("octets", [b"", b"\n", b"too short\n"])
def test_a_weak_or_empty_secret_is_refused_before_anything_is_written(
    folder: Path, provider: str, octets: bytes
) -> None:
    file = keyring_file(folder, provider, octets)
    with pytest.raises(KeyringError, match=r"is empty|is too short"):
        file.save(made())
    assert not file.exists()


def test_a_missing_secret_file_is_named(folder: Path) -> None:
    file = keyring_file(folder, "passphrase")
    (folder / "secret").unlink()
    with pytest.raises(
        KeyringError, match=r"MASTER_KEY_SECRET_FILE: cannot read .*secret: no such"
    ):
        file.save(made())


def test_the_passphrase_works_with_and_without_the_newline_of_an_editor(folder: Path) -> None:
    keyring_file(folder, "passphrase", b"seven quiet herons\n").save(made())
    assert keyring_file(folder, "passphrase", b"seven quiet herons").load().days


@pytest.mark.parametrize(("first", "then"), [("file", "passphrase"), ("passphrase", "file")])
def test_a_file_of_another_provider_says_what_to_set(folder: Path, first: str, then: str) -> None:
    keyring_file(folder, first).save(made())
    with pytest.raises(KeyringError, match=rf"provider '{first}', .* '{then}'.*keys rewrap"):
        keyring_file(folder, then).load()


def test_a_unit_s_credential_is_found_by_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config = StoreConfig(data_dir=folder, master_key=MasterKeyConfig(provider="credential"))
    with pytest.raises(ConfigError, match="LoadCredential"):
        KeyringFile.of(config)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    (folder / CREDENTIAL).write_bytes(bytes(range(32)))
    file, keyring = KeyringFile.of(config), made()
    file.save(keyring)
    assert file.load() == keyring


def test_a_passphrase_without_its_file_is_refused_at_start() -> None:
    with pytest.raises(ConfigError, match="MASTER_KEY_SECRET_FILE"):
        master_key(MasterKeyConfig(provider="passphrase"))


def test_a_header_cannot_ask_for_more_memory_than_a_machine_has(folder: Path) -> None:
    file = KeyringFile(folder / "keyring.json", Passphrase(secret(folder), Work(kibibytes=64)))
    file.save(made())
    octets = file.path.read_bytes()
    file.path.chmod(0o600)
    file.path.write_bytes(octets.replace(b'"kib": 64', b'"kib": 999999999'))
    with pytest.raises(KeyringError, match="not a LiveArchive keyring"):
        file.load()
