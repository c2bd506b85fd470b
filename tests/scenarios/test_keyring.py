"""The keyring under a provider: a real service."""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.keyring import backup, restore, rewrap
from app.cli.keys import status
from app.cli.output import Failed
from archive_store.errors import KeyringError
from tests.parts.network import wait_until
from tests.scenarios.conftest import template_of
from tests.scenarios.service import Service, mail
from tests.scenarios.test_keys import kinds


@pytest.fixture
def plain(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """An installation on SQLite with a plain keyring, not running."""
    service = template_of(request, "sqlite").copy(tmp_path)
    for name, value in service.environment.items():
        if name.startswith("LIVEARCHIVE_"):
            monkeypatch.setenv(name, value)
    yield service
    service.stop()


def set_provider(
    service: Service, monkeypatch: pytest.MonkeyPatch, provider: str, secret: Path
) -> None:
    for name, value in (("PROVIDER", provider), ("SECRET_FILE", str(secret))):
        variable = f"LIVEARCHIVE_MASTER_KEY_{name}"
        service.environment[variable] = value
        monkeypatch.setenv(variable, value)


def test_a_service_runs_with_its_keyring_under_a_passphrase(
    plain: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passphrase = plain.folder / "passphrase"
    passphrase.write_text("seven quiet herons wade\n")
    keyring = plain.data / "keys" / "keyring.json"
    before = keyring.read_bytes()
    rewrap("passphrase", passphrase)
    assert f"LIVEARCHIVE_MASTER_KEY_SECRET_FILE={passphrase}" in capsys.readouterr().out
    with pytest.raises(KeyringError, match="MASTER_KEY_PROVIDER is 'file'"):
        rewrap("file")
    set_provider(plain, monkeypatch, "passphrase", passphrase)
    rewrap("file")
    assert keyring.read_bytes() == before
    set_provider(plain, monkeypatch, "file", passphrase)
    rewrap("passphrase", passphrase)
    set_provider(plain, monkeypatch, "passphrase", passphrase)

    plain.start()
    plain.send(mail("Under a passphrase"), "vlad@acme.example")
    wait_until(lambda: len(plain.messages()) == 1, "the message is listed")
    with pytest.raises(Failed, match="stop the service first"):
        rewrap("file")
    capsys.readouterr()
    status()
    assert "master key: passphrase, the keyring opens" in capsys.readouterr().out
    passphrase.write_text("seven quiet herons fade\n")
    status()
    said = capsys.readouterr().out
    assert re.search(r"master key: passphrase, .* does not open with the passphrase in", said)
    assert "fade" not in said
    plain.stop()

    done = plain.command("serve")
    assert done.status == 1
    assert f"does not open with the passphrase in {passphrase}: that is another one" in done.error
    assert "Traceback" not in done.error
    assert "fade" not in done.error


def test_a_lost_keyring_is_put_back_from_its_copy(
    plain: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, keyring = plain.folder / "copy", plain.data / "keys" / "keyring.json"
    monkeypatch.setattr(sys, "stdin", io.StringIO("seven quiet herons\n" * 3))
    backup(copy, passphrase_stdin=True)
    assert copy.stat().st_mode & 0o777 == 0o400
    with pytest.raises(Failed, match="there is a keyring"):
        restore(copy, passphrase_stdin=True)
    keyring.unlink()
    restore(copy, passphrase_stdin=True)
    with plain.parts() as (_, keys):
        assert keys.ensure_keys() > 0
        assert keys.status()["mailboxes_without_key"] == 0
    assert kinds(plain).count("keys.restored") == 1
