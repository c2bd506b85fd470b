"""The keys role waits for what opens its keyring; nobody else waits for it."""

from types import SimpleNamespace
from typing import cast

import pytest

from app.audit import alarms
from app.config import Config
from app.roles import keys
from app.roles.process import Role
from archive_store.clock import utc_now
from archive_store.errors import MasterKeyAway
from archive_store.keyring import Keyring, KeyringFile
from tests.app.conftest import World


class SealedVault(KeyringFile):
    """A keyring that opens at the third look."""

    looks = 0

    def load(self) -> Keyring:
        self.looks += 1
        if self.looks < 3:
            raise MasterKeyAway("Vault at https://vault.example is sealed: unseal it")
        return super().load()


def test_a_keyring_that_cannot_be_opened_yet_is_an_alarm_and_no_reason_not_to_start(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    standing: list[tuple[str, ...]] = []

    def wait(_seconds: float) -> bool:
        with world.db.read() as tx:
            standing.append(alarms.standing(tx, utc_now()))
        return False

    config = cast(Config, SimpleNamespace(store=world.config, master_key_provider="vault"))
    role = Role("keys", config, [])
    monkeypatch.setattr(role.stop, "wait", wait)
    agent = keys._agent(role, SealedVault(world.config.keyring), world.db)
    assert agent is not None
    assert capsys.readouterr().out == "ready\n"
    assert len(standing) == 2
    assert all("cannot be opened" in said for [said] in standing)
    assert caplog.text.count("is sealed: unseal it") == 1
    with world.db.read() as tx:
        assert alarms.standing(tx, utc_now()) == ()
    assert len(world.events("keys.locked")) == len(world.events("keys.unlocked")) == 1
