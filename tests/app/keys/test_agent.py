"""The key agent: keys are saved before they are used, and only for whoever may have them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import audit
from app.keys.agent import KeyAgent
from app.keys.client import KeysClient
from app.keys.protocol import SOCKETS
from app.keys.server import KeysServer
from app.keys.verb_tables import verb_tables
from app.models import AuditEvent
from archive_store.clock import day_of, utc_now
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import Owner, PublicKeys, public_octets
from archive_store.errors import (
    KeyringError,
    KeysUnavailable,
    NotFound,
    StoreBusy,
    StoreError,
)
from archive_store.ids import new_id
from archive_store.keyring import Keyring, KeyringFile
from archive_store.models import DayKey, Mailbox
from archive_store.sealing import queue_key
from tests.parts.tables import make_tables


class MovingClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at


class FullKeyringFile(KeyringFile):
    """A keyring file whose disk can be full."""

    full = False

    def save(self, keyring: Keyring) -> None:
        if self.full:
            raise KeyringError("cannot write the keyring: no space left on device")
        super().save(keyring)


class Home:
    """An agent with its database, its keyring file and a clock."""

    def __init__(self, folder: Path, url: str) -> None:
        self.config = StoreConfig(data_dir=folder, database_url=url)
        self.db = Database(url)
        make_tables(self.db)
        self.file = FullKeyringFile(folder / "keyring.json")
        keyring = Keyring.generate()
        self.file.save(keyring)
        self.public = PublicKeys(
            keyring.installation,
            public_octets(keyring.directory_key),
            public_octets(keyring.audit_key),
            {},
        )
        self.clock = MovingClock()
        with self.db.write() as tx:
            tx.add(Mailbox(id=new_id(), tenant_id=new_id(), address="a@b", created_at=utc_now()))

    def agent(self) -> KeyAgent:
        return KeyAgent(self.db, self.file, self.config, self.public, self.clock)

    def day_keys(self) -> int:
        with self.db.read() as tx:
            return tx.scalar(select(func.count()).select_from(DayKey)) or 0


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[Home]:
    made = Home(tmp_path, database_url)
    yield made
    made.db.close()


def test_keys_that_could_not_be_saved_are_never_used(home: Home) -> None:
    agent = home.agent()
    agent.ensure_keys()
    before = home.day_keys()
    home.clock.at += timedelta(days=3)
    home.file.full = True
    for _ in range(2):
        with pytest.raises(KeyringError):
            agent.ensure_keys()
    assert home.day_keys() == before
    home.file.full = False
    assert agent.ensure_keys() == 3
    assert home.file.load().days == agent.keyring.days


def test_expired_keys_leave_memory_and_file_together(home: Home) -> None:
    agent = home.agent()
    agent.ensure_keys()
    home.clock.at += timedelta(days=9)
    home.file.full = True
    with pytest.raises(KeyringError):
        agent.expire()
    home.file.full = False
    gone = agent.expire()
    assert ("mail", datetime(2026, 11, 24).date()) in gone  # noqa: DTZ001 - a day, no moment
    assert home.file.load().days == agent.keyring.days
    assert agent.expire() == []


def test_another_installations_keyring_is_refused(home: Home) -> None:
    home.file.save(Keyring.generate())
    with pytest.raises(KeyringError, match="MASTER_KEY_FILE"):
        home.agent()


def test_the_same_installations_older_keyring_without_todays_keys_is_refused(home: Home) -> None:
    old = home.file.load()
    home.agent().ensure_keys()
    home.file.save(old)
    with pytest.raises(KeyringError, match="MASTER_KEY_FILE"):
        home.agent()


def test_who_looks_after_the_queue_gets_envelopes_keys_and_never_the_mails(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = home.agent()
    content_key = bytes(32)
    monkeypatch.setattr(agent, "queue_keys", lambda _tx, _items: {b"i" * 16: content_key})
    with home.db.read() as tx:
        given = agent.queue_envelope_keys(tx, [])
    assert given == {b"i" * 16: queue_key(content_key)}
    assert content_key not in given.values()


def test_only_audit_exports_are_signed(home: Home) -> None:
    with pytest.raises(NotFound):
        home.agent().sign_export(b"anything else")


def test_a_socket_knows_only_its_own_roles_verbs(home: Home) -> None:
    tables = verb_tables(home.agent())
    assert set(tables) == set(SOCKETS)
    common = {"ensure_keys", "status"}
    assert set(tables["index"]) == {"open_for_index", "index_summary_keys"} | common
    opened = {"open_queue", "open_dkim", "open_webhooks", "open_imap", "open_outside"}
    assert set(tables["deliver"]) == opened | common
    assert set(tables["sweep"]) == {"expire", "believed_time"} | common
    assert not set(tables["web"]) & set(tables["admin"]) - common
    # Nothing anywhere hands out a day's key or, but for the operator's backup, the keyring.
    assert [role for role in SOCKETS if "keyring_copy" in tables[role]] == ["admin"]


def test_a_verb_of_another_role_does_not_exist_on_a_socket(home: Home, tmp_path: Path) -> None:
    server = KeysServer(home.agent(), tmp_path)
    client = KeysClient(tmp_path, "deliver")
    try:
        assert client.status()["mailboxes_without_key"] == 1
        assert client.ensure_keys() > 0
        with pytest.raises(StoreError):
            client.open_for_index([1])
        with pytest.raises(StoreError):
            client.keyring_copy("somebody", days=False)
    finally:
        client.close()
        server.close()


def test_summary_keys_come_at_once_and_what_has_none_is_missing(home: Home, tmp_path: Path) -> None:
    whole, damaged, today = new_id(), new_id(), day_of(home.clock())
    tenant = new_id()
    with home.db.write() as tx:
        for number, mailbox_id in enumerate((whole, damaged)):
            address = f"p{number}@b"
            tx.add(Mailbox(id=mailbox_id, tenant_id=tenant, address=address, created_at=utc_now()))
    agent = home.agent()
    agent.ensure_keys()
    with home.db.write() as tx:
        row = tx.scalars(
            select(DayKey).where(DayKey.owner_id == damaged, DayKey.day == today)
        ).one()
        row.summary = bytes(len(row.summary))
        owner = Owner.mailbox(tenant, whole)
        expected = agent.opener.summary_keys(tx, owner, {today})[today]
    server = KeysServer(agent, tmp_path)
    client = KeysClient(tmp_path, "index")
    long_ago = today - timedelta(days=300)
    try:
        asked = [(whole, today), (damaged, today), (whole, long_ago), (new_id(), today)]
        assert client.index_summary_keys(asked) == {(whole, today): expected}
    finally:
        client.close()
        server.close()


def test_sockets_are_for_their_owner_alone_and_gone_after_the_end(
    home: Home, tmp_path: Path
) -> None:
    server = KeysServer(home.agent(), tmp_path)
    sockets = list(tmp_path.glob("keys-*.sock"))
    assert len(sockets) == len(SOCKETS)
    assert {path.stat().st_mode & 0o777 for path in sockets} == {0o600}
    server.close()
    assert list(tmp_path.glob("keys-*.sock")) == []
    client = KeysClient(tmp_path, "web")
    with pytest.raises(KeysUnavailable):
        client.status()


def test_a_client_finds_a_restarted_keys_role_again(home: Home, tmp_path: Path) -> None:
    agent = home.agent()
    client = KeysClient(tmp_path, "index")
    try:
        for _ in range(2):
            server = KeysServer(agent, tmp_path)
            assert client.status()["series"]["mail"]["days"] == 0
            server.close()
    finally:
        client.close()


def test_destroyed_days_are_in_the_installations_trail(home: Home) -> None:
    agent = home.agent()
    agent.ensure_keys()
    home.clock.at += timedelta(days=9)
    agent.expire()
    with home.db.read() as tx:
        mine = select(AuditEvent.kind).where(AuditEvent.trail == audit.INSTALLATION)
        kinds = list(tx.scalars(mine))
    assert kinds == ["keys.destroyed"] * 2


def test_looking_for_missing_keys_holds_up_no_mail(home: Home) -> None:
    agent = home.agent()
    assert agent.ensure_keys() == 15
    with home.db.write():  # a write lock that somebody has, on SQLite
        assert agent.ensure_keys() == 0


def test_many_mailboxes_get_their_keys_in_many_transactions(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.keys.agent.OWNERS_AT_ONCE", 2)
    with home.db.write() as tx:
        for number in range(4):
            address = f"{number}@b"
            tx.add(Mailbox(id=new_id(), tenant_id=new_id(), address=address, created_at=utc_now()))
    agent = home.agent()
    assert agent.ensure_keys() == 5 * 15
    home.clock.at += timedelta(days=1)
    assert agent.ensure_keys() == 5


def openable(home: Home, agent: KeyAgent) -> int:
    """How many of the day keys from today on the keyring in use opens."""
    today = day_of(home.clock())
    with home.db.read() as tx:
        [mailbox] = tx.scalars(select(Mailbox))
        owner = Owner.mailbox(mailbox.tenant_id, mailbox.id)
        return sum(day >= today for day in agent.opener.summary_keys(tx, owner))


def test_an_older_keyring_of_this_installation_serves_again(home: Home) -> None:
    home.agent().ensure_keys()
    old = home.file.load()
    home.clock.at += timedelta(days=3)
    home.agent().ensure_keys()
    home.file.save(old)
    agent = home.agent()
    # The three days that only the lost keyring knew: what is sealed to their keys must open.
    assert agent.ensure_keys() == 3
    assert openable(home, agent) == 15


def test_a_clock_that_went_ahead_and_came_back_leaves_no_key_that_opens_nothing(
    home: Home,
) -> None:
    agent = home.agent()
    agent.ensure_keys()
    home.clock.at += timedelta(days=40)
    agent.expire()
    home.clock.at -= timedelta(days=40)
    agent.ensure_keys()
    assert openable(home, agent) == 15


def test_a_destruction_that_could_not_be_recorded_is_recorded_later(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = home.agent()
    agent.ensure_keys()
    home.clock.at += timedelta(days=9)

    def fail(*_: object, **__: object) -> int:
        raise StoreBusy("locked")

    with monkeypatch.context() as locked:
        locked.setattr(audit, "record", fail)
        with pytest.raises(StoreBusy):
            agent.expire()
    agent.expire()
    with home.db.read() as tx:
        assert list(tx.scalars(select(AuditEvent.kind))) == ["keys.destroyed"] * 2


def test_the_status_says_when_the_next_key_goes_and_what_is_wrong(home: Home) -> None:
    agent = home.agent()
    agent.ensure_keys()
    found = agent.status()
    assert found["series"]["mail"]["next_destroyed_at"] == "2026-12-02T00:00:00+00:00"
    assert found["alarms"] == []
    home.clock.at += timedelta(days=3)
    assert "The keys role is away" in agent.status()["alarms"][0]
