"""DKIM keys: made and opened by the keys role alone, for mail that waits to go out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import dkim, domains
from app.accounts.errors import Invalid
from app.audit.query import list_events
from app.keys.client import KeysClient
from app.keys.server import KeysServer
from app.models import DkimKey, Domain, QueueItem
from app.viewer import Actor
from archive_store.clock import utc_now
from archive_store.errors import StoreError
from archive_store.ids import new_id
from archive_store.keyring import Keyring
from tests.app.keys.test_agent import Home

ROOT = Actor.command_line("root")


class Office(Home):
    """An installation with the domain acme.example, and its keys role's sockets."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        with self.db.write() as tx:
            self.domain_id = domains.add(tx, ROOT, "acme.example", None, utc_now()).id
        self.server = KeysServer(self.agent(), folder)
        self.operator, self.deliver = (KeysClient(folder, name) for name in ("admin", "deliver"))

    def again(self) -> None:
        """Start the keys role anew."""
        self.close()
        self.server = KeysServer(self.agent(), self.config.data_dir)

    def close(self) -> None:
        self.operator.close()
        self.deliver.close()
        self.server.close()

    def make(self, name: str) -> None:
        self.operator.make_dkim_keys("root", self.domain_id, name)

    def set(self, value: str) -> None:
        with self.db.write() as tx:
            domain = tx.get_one(Domain, self.domain_id)
            domains.change(tx, ROOT, domain, {"dkim": value}, utc_now())

    def rows(self) -> list[DkimKey]:
        with self.db.read() as tx:
            return list(tx.scalars(select(DkimKey).order_by(DkimKey.selector)))

    def waiting(self, kind: str = "outgoing", state: str = "leased") -> bytes:
        """A mail in the queue; its id."""
        now = utc_now()
        item = QueueItem(id=new_id(), message_id=new_id(), domain_id=self.domain_id, kind=kind)
        item.state, item.queued_at, item.next_attempt_at = state, now, now
        item.day, item.writer_key_id, item.wrap, item.envelope = now.date(), new_id(), b"", b""
        with self.db.write() as tx:
            tx.add(item)
        return item.id

    def given(self, *item_ids: bytes) -> list[str] | None:
        """The selectors that the deliver role gets."""
        keys = self.deliver.open_dkim(item_ids).get(self.domain_id)
        return None if keys is None else sorted(key.selector for key in keys)


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    made = Office(tmp_path, database_url)
    yield made
    made.close()
    made.db.close()


def test_keys_are_made_and_sign_once_they_are_told_to(office: Office) -> None:
    office.make("one")
    office.make("one")
    assert [row.selector for row in office.rows()] == ["one", "one-ed"]
    item = office.waiting()
    assert office.given(item) is None
    office.set("on")
    assert office.given(item) == ["one", "one-ed"]
    office.set("off")
    assert office.given(item) is None


def test_after_a_rotation_the_old_keys_stay_until_they_are_removed(office: Office) -> None:
    office.make("one")
    office.set("one")
    office.clock.at = utc_now()
    office.make("two")
    item = office.waiting()
    assert office.given(item) == ["one", "one-ed"]
    with office.db.write() as tx, pytest.raises(Invalid, match="signs now"):
        dkim.remove(tx, ROOT, tx.get_one(Domain, office.domain_id), "one", utc_now())
    office.set("two")
    assert office.given(item) == ["two", "two-ed"]
    assert len(office.rows()) == 4
    with office.db.write() as tx:
        dkim.remove(tx, ROOT, tx.get_one(Domain, office.domain_id), "one", utc_now())
    assert [row.name for row in office.rows()] == ["two", "two"]
    with office.db.read() as tx:
        kinds = [entry.event for entry in list_events(tx, office.domain_id).entries]
    assert kinds.count("dkim.keys-made") == 2
    assert kinds.count("dkim.keys-removed") == 1


def test_keys_are_given_only_for_mail_that_waits_to_go_out(office: Office) -> None:
    office.make("one")
    office.set("on")
    assert office.given(office.waiting(kind="primary")) is None
    assert office.given(office.waiting(state="delivered")) is None
    assert office.given(new_id()) is None
    with pytest.raises(StoreError):
        office.operator.open_dkim([office.waiting()])
    with pytest.raises(StoreError):
        office.deliver.make_dkim_keys("root", office.domain_id, "two")


def test_a_private_half_opens_at_its_own_place_alone(office: Office) -> None:
    office.make("one")
    office.make("two")
    office.set("one")
    with office.db.write() as tx:
        one, two = (tx.get_one(DkimKey, (office.domain_id, name)) for name in ("one", "two"))
        one.sealed = two.sealed
    assert office.given(office.waiting()) == ["one-ed"]


def test_neither_the_database_nor_another_seed_opens_them(office: Office) -> None:
    office.make("one")
    office.set("on")
    with office.db.read() as tx:
        assert all(b"PRIVATE" not in row.sealed for row in tx.scalars(select(DkimKey)))
    other = office.file.load()
    other.secrets_seed = Keyring.generate().secrets_seed
    office.file.save(other)
    office.again()
    assert office.given(office.waiting()) == []


def test_an_older_keyring_gets_its_seed_at_the_next_start_and_keeps_it(office: Office) -> None:
    old = office.file.load()
    old.secrets_seed = b""
    office.file.save(old)
    office.again()
    seed = office.file.load().secrets_seed
    assert len(seed) == 32
    office.make("one")
    office.set("on")
    office.again()
    assert office.file.load().secrets_seed == seed
    assert office.given(office.waiting()) == ["one", "one-ed"]


def test_only_keys_that_are_there_can_sign(office: Office) -> None:
    for wanted in ("on", "one"):
        with pytest.raises(Invalid, match="livearchive domain dkim"):
            office.set(wanted)
    office.set("off")


@pytest.mark.parametrize("name", ["", "a.b", "-a", "a-", "a b", "x" * 51, "é"])
def test_a_selector_is_one_label(name: str) -> None:
    with pytest.raises(Invalid):
        dkim.parse_name(name)
