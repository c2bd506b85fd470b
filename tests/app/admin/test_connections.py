"""DNS records and webhooks on the pages: of the own domain, and of no other."""

import json

import pytest
from sqlalchemy import select

from app.admin.dns_desk import AT_ONCE, DnsDesk, DnsParts
from app.admin.webhook_desk import TESTS_EVERY, WebhookDesk, WebhookParts
from app.delivery import webhooks
from app.models import Webhook, WebhookEvent
from app.views import BadEntry
from archive_store import ids
from archive_store.errors import NotFound, StoreBusy
from tests.app.conftest import World

URL = "https://hooks.acme.example/a-token"


def webhook_desk(world: World, *, private: bool = False) -> WebhookDesk:
    parts = WebhookParts(db=world.db, keys=world.keys, private=private, now=world.clock)
    return WebhookDesk(parts)


def test_an_administrator_sets_a_webhook_and_sees_what_became_of_its_events(
    any_world: World,
) -> None:
    desk, maria = webhook_desk(any_world), any_world.viewer("maria")
    acme = ids.show(any_world.acme.id)
    with pytest.raises(BadEntry, match="begins with https"):
        desk.set(maria, acme, "http://hooks.acme.example/")
    with pytest.raises(BadEntry):
        desk.test(maria, acme)
    first = desk.set(maria, acme, URL).reveal()
    assert first.startswith("whsec_")
    assert desk.set(maria, acme, URL).reveal() != first
    desk.test(maria, acme)
    with pytest.raises(BadEntry, match="already"):
        desk.test(maria, acme)
    any_world.clock.moment += TESTS_EVERY
    desk.test(maria, acme)
    with any_world.db.write() as tx:
        now = any_world.clock()
        [one, two] = webhooks.claim(tx, now, 8)
        webhooks.settle(tx, one, "", now)
        webhooks.settle(tx, two, "it answers 404", now)
    found = desk.page(maria, acme)
    assert found.host == "hooks.acme.example"
    assert sorted((line.kind, line.state, line.error) for line in found.lines) == [
        ("webhook.test", "taken", ""),
        ("webhook.test", "waiting", "it answers 404"),
    ]
    assert "a-token" not in repr(found)
    desk.remove(maria, acme)
    assert desk.page(maria, acme).host == ""
    with any_world.db.read() as tx:
        assert tx.scalars(select(WebhookEvent)).all() == []


@pytest.mark.parametrize("who", ["vlad", "audit", "nora"])
def test_others_set_and_see_no_webhook_and_no_records(any_world: World, who: str) -> None:
    desk, viewer = webhook_desk(any_world), any_world.viewer(who)
    acme = ids.show(any_world.acme.id)
    records = DnsDesk(DnsParts(db=any_world.db, ask=lambda *_: (), hostname="live.example"))
    desk.set(any_world.viewer("maria"), acme, URL)
    for act in (
        lambda: desk.page(viewer, acme),
        lambda: desk.set(viewer, acme, URL),
        lambda: desk.test(viewer, acme),
        lambda: desk.remove(viewer, acme),
        lambda: records.page(viewer, acme, check=True),
        # The keys role judges by itself, whatever a web process says.
        lambda: any_world.keys.set_domain_webhook(viewer.token, "", any_world.acme.id, URL),
    ):
        with pytest.raises(NotFound):
            act()
    with any_world.db.read() as tx:
        assert len(tx.scalars(select(Webhook)).all()) == 1
        assert tx.scalars(select(WebhookEvent)).all() == []


def test_where_requests_may_stay_inside_the_provider_alone_sets_where(any_world: World) -> None:
    desk, acme = webhook_desk(any_world, private=True), ids.show(any_world.acme.id)
    with pytest.raises(NotFound):
        desk.set(any_world.viewer("maria"), acme, "http://10.0.0.1/")
    desk.set(any_world.viewer("provider"), acme, "http://10.0.0.1/")
    desk.test(any_world.viewer("maria"), acme)
    with any_world.db.read() as tx:
        [event] = tx.scalars(select(WebhookEvent))
    assert json.loads(event.body)["data"] == {"domain": "acme.example"}


def test_the_dns_is_asked_when_somebody_wants_it_and_by_few_at_a_time(any_world: World) -> None:
    asked: list[str] = []
    busy: list[bool] = []

    def ask(name: str, kind: str) -> tuple[str, ...] | None:
        asked.append(f"{kind} {name}")
        if kind == "MX" and len(busy) < AT_ONCE:
            busy.append(True)
            try:
                desk.page(maria, acme, check=True)  # while this check waits
            except StoreBusy:
                refused.append(True)
        return ("live.example",) if kind == "MX" else ()

    refused: list[bool] = []
    desk = DnsDesk(DnsParts(db=any_world.db, ask=ask, hostname="live.example"))
    maria, acme = any_world.viewer("maria"), ids.show(any_world.acme.id)
    shown = desk.page(maria, acme, check=False)
    assert asked == []
    assert {line.result for line in shown.lines} == {"silent"}
    found = {line.kind: line.result for line in desk.page(maria, acme, check=True).lines}
    assert found == {"MX": "right", "SPF": "missing", "DMARC": "missing"}
    assert refused == [True]
    assert desk.page(maria, acme, check=True).asked
