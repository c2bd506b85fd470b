"""The keys role waits for what opens its keyring; nobody else waits, and operators hear why."""

from contextlib import closing
from types import SimpleNamespace
from typing import cast

import pytest

from app.audit import alarms
from app.config import Config
from app.keys.client import KeysClient
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
        locked = pytest.raises(MasterKeyAway, match="is sealed: unseal it")
        with closing(KeysClient(run, "admin")) as operator, locked:
            operator.status()
        return False

    run = world.folder / "run"
    run.mkdir()
    facts = {"store": world.config, "master_key_provider": "vault", "data_dir": world.folder}
    config = cast(Config, SimpleNamespace(**facts))
    role = Role("keys", config, [])
    monkeypatch.setattr(role.stop, "wait", wait)
    agent = keys._agent(role, SealedVault(world.config.keyring), world.db)
    assert agent is not None
    assert not list(run.iterdir())  # nobody asks one that has ended
    assert capsys.readouterr().out == "ready\n"
    assert len(standing) == 2
    assert all("cannot be opened" in said for [said] in standing)
    assert caplog.text.count("is sealed: unseal it") == 1
    with world.db.read() as tx:
        assert alarms.standing(tx, utc_now()) == ()
    assert len(world.events("keys.locked")) == len(world.events("keys.unlocked")) == 1
