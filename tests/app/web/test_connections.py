"""The pages of a domain's DNS records and of its webhook: for operators, and nobody else."""

import pytest

from app.web import create_app
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.connection_double import SECRET
from tests.app.web.double import World

DNS = f"/admin/domains/{sample.entry_id(900)}/dns"
WEBHOOK = f"/admin/domains/{sample.entry_id(900)}/webhook"


def client(world: World, who: str) -> Client:
    return Client(create_app(world.services(), world.settings)).sign_in(who)


def test_records_are_shown_at_once_and_asked_for_when_somebody_wants_it(world: World) -> None:
    maria = client(world, "maria@acme.example")
    shown = maria.get(DNS).text
    assert "SPF-record" in shown
    assert "There is no such record" not in shown
    assert world.dns.checks == 0
    checked = maria.post(DNS, {}).text
    assert world.dns.checks == 1
    for words in ("Right", "There is no such record", "include:&lt;b&gt;.example"):
        assert words in checked


def test_a_webhook_is_set_tried_and_removed_and_its_secret_shown_once(world: World) -> None:
    maria = client(world, "maria@acme.example")
    assert "it answers 500" in maria.get(WEBHOOK).text
    refused = maria.post(WEBHOOK, {"do": "set", "url": "http://hooks.acme.example"})
    assert refused.status_code == 422
    assert "begins with https://" in refused.text
    assert SECRET in maria.post(WEBHOOK, {"do": "set", "url": "https://hooks.acme.example/x"}).text
    assert maria.post(WEBHOOK, {"do": "test"}).status_code == 303
    shown = maria.get(WEBHOOK).text
    assert "webhook.test" in shown
    assert SECRET not in shown
    assert maria.post(WEBHOOK, {"do": "remove"}).status_code == 303
    assert "Send a test" not in maria.get(WEBHOOK).text
    assert maria.post(WEBHOOK, {"do": "dance"}).status_code == 400


@pytest.mark.parametrize("who", ["vlad@acme.example", "audit@acme.example"])
def test_others_find_no_such_pages(world: World, who: str) -> None:
    other = client(world, who)
    for path in (DNS, WEBHOOK):
        assert other.get(path).status_code == 404
        assert other.post(path, {"do": "test"}).status_code == 404
    assert world.dns.checks == 0
