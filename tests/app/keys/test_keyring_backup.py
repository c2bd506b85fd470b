"""A copy of the keyring: opened by its passphrase, and no way back to a destroyed day."""

from datetime import timedelta

import pytest

from app.keys.agent import KeyAgent
from archive_store.clock import utc_now
from archive_store.errors import KeyringError, KeysMissing
from archive_store.keyring import SERIES, Keyring, KeyringFile
from archive_store.keyring_backup import (
    drop_lost_day_keys,
    opened_backup,
    sealed_backup,
    without_days,
)
from archive_store.masterkey import Work
from tests.app.conftest import World

KEEP = dict.fromkeys(SERIES, timedelta(days=7))
QUICK = Work(kibibytes=64, passes=1)
PASSPHRASE = b"seven quiet herons"


def put_back(world: World, copy: bytes) -> KeyAgent:
    """What `keys restore` does, and the start of the keys role after it."""
    keyring = opened_backup(copy, PASSPHRASE, world.clock(), KEEP)
    file = KeyringFile(world.config.keyring)
    with world.db.write() as tx:
        drop_lost_day_keys(tx, keyring, world.clock())
    file.save(keyring)
    agent = KeyAgent(world.db, file, world.config, world.public, world.clock)
    agent.expire()
    agent.ensure_keys()
    return agent


def opens(world: World, agent: KeyAgent, shown: str) -> bool:
    with world.db.read() as tx:
        try:
            agent.content_key(tx, world.entry(shown))
        except KeysMissing:
            return False
    return True


def test_without_days_a_copy_opens_no_mail_and_the_service_goes_on_with_new_keys(
    any_world: World,
) -> None:
    world = any_world
    [before] = world.receive(b"Subject: Lost\r\n\r\n")
    world.archive.close()
    copy = sealed_backup(without_days(world.agent.keyring).to_json(), PASSPHRASE, QUICK)
    agent = put_back(world, copy)
    assert not opens(world, agent, before)
    world.archive = world._archive("ingest")
    [after] = world.receive(b"Subject: Taken\r\n\r\n")
    assert opens(world, agent, after)
    assert agent.keyring.audit_seed == world.agent.keyring.audit_seed


def test_with_days_a_copy_brings_mail_back_and_no_day_that_is_over(any_world: World) -> None:
    world = any_world
    [entry] = world.receive(b"Subject: Kept\r\n\r\n")
    copy = sealed_backup(world.agent.keyring.to_json(), PASSPHRASE, QUICK)
    world.clock.moment += timedelta(days=3)
    world.agent.ensure_keys()
    agent = put_back(world, copy)
    assert opens(world, agent, entry)
    assert len(agent.keyring.days["mail"]) == 3 + 1 + 14
    world.clock.moment += timedelta(days=6)
    assert not opens(world, put_back(world, copy), entry)


@pytest.mark.parametrize("passphrase", [b"seven quiet heron", b""])
def test_another_passphrase_opens_nothing(passphrase: bytes) -> None:
    keyring = Keyring.generate()
    copy = sealed_backup(keyring.to_json(), PASSPHRASE, QUICK)
    with pytest.raises(KeyringError, match="does not open with this passphrase"):
        opened_backup(copy, passphrase, utc_now(), KEEP)


def test_a_short_passphrase_and_a_file_of_something_else_are_refused() -> None:
    keyring = Keyring.generate()
    with pytest.raises(KeyringError, match="at least 12"):
        sealed_backup(keyring.to_json(), b"herons")
    for octets in (b"", b"{}", keyring.to_json()):
        with pytest.raises(KeyringError, match="keys backup"):
            opened_backup(octets, PASSPHRASE, utc_now(), KEEP)
