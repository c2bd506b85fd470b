"""Webhooks' secrets: made, sealed and opened by the keys role alone, for events that wait."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import domains
from app.audit.query import list_events
from app.delivery import webhooks
from app.keys.client import KeysClient
from app.keys.server import KeysServer
from app.models import AuditEvent, Webhook, WebhookEvent
from app.secret import Secret
from app.viewer import Actor
from archive_store.clock import utc_now
from archive_store.errors import StoreError
from archive_store.ids import new_id
from tests.app.keys.test_agent import Home

ROOT = Actor.command_line("root")
URL = "https://hooks.example/with-a-token"


class Office(Home):
    """An installation with two domains, and its keys role's sockets."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        with self.db.write() as tx:
            names = ("acme.example", "hers.example")
            self.acme, self.hers = (domains.add(tx, ROOT, n, None, utc_now()).id for n in names)
        self.server = KeysServer(self.agent(), folder)
        self.operator, self.deliver = (KeysClient(folder, name) for name in ("admin", "deliver"))

    def close(self) -> None:
        self.operator.close()
        self.deliver.close()
        self.server.close()
        self.db.close()

    def set(self, domain_id: bytes) -> Secret:
        return self.operator.set_webhook("root", domain_id, URL)

    def waiting(self, domain_id: bytes) -> bytes:
        """An event on its way; its id."""
        with self.db.write() as tx:
            assert webhooks.put(tx, domain_id, "webhook.test", {}, utc_now())
            tx.flush()
            newest = webhooks.latest(tx, domain_id)
            assert newest is not None
            return newest.id

    def given(self, *event_ids: bytes) -> dict[bytes, str | None]:
        """What the deliver role gets."""
        found = self.deliver.open_webhooks(event_ids)
        return {one: secret.reveal() if secret else None for one, secret in found.items()}


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    made = Office(tmp_path, database_url)
    yield made
    made.close()


def test_the_secret_that_was_shown_is_opened_for_events_that_wait(office: Office) -> None:
    secrets = {one: office.set(one).reveal() for one in (office.acme, office.hers)}
    item = office.waiting(office.acme)
    assert office.given(item) == {office.acme: secrets[office.acme]}
    assert office.given(item, office.waiting(office.hers)) == secrets
    anew = office.set(office.acme).reveal()
    assert anew != secrets[office.acme]
    assert office.given(item) == {office.acme: anew}
    with office.db.read() as tx:
        [*set_events] = [
            entry for entry in list_events(tx, office.acme).entries if entry.event == "webhook.set"
        ]
    assert [entry.details["host"] for entry in set_events] == ["hooks.example"] * 2


def test_it_is_given_to_nobody_else_and_for_nothing_else(office: Office) -> None:
    office.set(office.acme)
    item = office.waiting(office.acme)
    assert office.given(new_id()) == {}
    with office.db.write() as tx:
        tx.get_one(WebhookEvent, item).done_at = utc_now()
    assert office.given(item) == {}
    with pytest.raises(StoreError):
        office.operator.open_webhooks([office.waiting(office.acme)])
    with pytest.raises(StoreError):
        office.deliver.set_webhook("root", office.acme, URL)
    with pytest.raises(StoreError):
        office.operator.set_webhook("root", new_id(), URL)


def test_no_file_of_the_data_folder_has_the_secret(office: Office, tmp_path: Path) -> None:
    shown = office.set(office.acme).reveal()
    office.given(office.waiting(office.acme))
    secret = shown.removeprefix("whsec_")
    octets = b64decode(secret)
    traces = (secret.encode(), octets, octets.hex().encode())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not any(trace in path.read_bytes() for trace in traces), path
    with office.db.read() as tx:  # a database that is no file of the folder
        [hook] = tx.scalars(select(Webhook))
        rows = [hook.sealed, *tx.scalars(select(AuditEvent.octets))]
    assert not any(trace in row for trace in traces for row in rows)


def test_a_sealed_secret_opens_at_its_own_place_alone(office: Office) -> None:
    shown = office.set(office.acme).reveal()
    office.set(office.hers)
    items = office.waiting(office.acme), office.waiting(office.hers)
    with office.db.write() as tx:
        acme, hers = (tx.get_one(Webhook, one) for one in (office.acme, office.hers))
        hers.sealed, hers.id = acme.sealed, acme.id
    assert office.given(*items) == {office.acme: shown, office.hers: None}
    with office.db.write() as tx:
        tx.get_one(Webhook, office.acme).id = new_id()
    assert office.given(*items) == {office.acme: None, office.hers: None}
