"""Webhooks: signed as the specification says, tried until they are taken, never sent inside."""

import asyncio
import hashlib
import hmac
import json
import logging
import ssl
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts.errors import Forbidden, Invalid
from app.audit import alarms
from app.delivery import outages, webhook_request, webhooks
from app.delivery.webhook_request import NotDelivered, post, sign
from app.delivery.webhook_sender import WILL_NOT_OPEN
from app.keys.webhooks import sealed
from app.models import AuditEvent, Domain, Webhook, WebhookEvent
from app.secret import Secret
from app.viewer import Actor, Person, Role, Viewer
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World, until

WHO = Actor.command_line("vlad")


@dataclass
class Receiver:
    """A real HTTP server. `answers` are given in turn, the last one for ever."""

    answers: list[str] = field(default_factory=lambda: ["200 OK"])
    heads: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook/with-a-token?x=1"

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        self.bodies.append((await reader.readexactly(int(fields["Content-Length"]))).decode())
        self.lines.append(head[0])
        self.heads.append(fields)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer != "silence":
            writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())
        else:
            await reader.read()
        writer.close()


@asynccontextmanager
async def receiver(*answers: str) -> AsyncIterator[Receiver]:
    made = Receiver(list(answers) or ["200 OK"])
    server = await asyncio.start_server(made.session, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def is_genuine(secret: str, head: dict[str, str], body: str) -> bool:
    """The verification that the specification gives to receivers."""
    signed = f"{head['webhook-id']}.{head['webhook-timestamp']}.{body}"
    key = b64decode(secret.removeprefix("whsec_"))
    expected = b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
    passed = head["webhook-signature"].split(" ")
    fresh = abs(int(head["webhook-timestamp"]) - utc_now().timestamp()) < 300
    return fresh and any(hmac.compare_digest(one, f"v1,{expected}") for one in passed)


def set_webhook(world: World, url: str) -> str:
    hook, secret = sealed(world.keyring, world.domain.id)
    hook.url, hook.set_at = url, utc_now()
    with world.db.write() as tx:
        tx.merge(hook)
    return secret.reveal()


def declare(world: World) -> None:
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        outages.declare(tx, WHO, domain, "the disk", utc_now())


def events(world: World) -> list[WebhookEvent]:
    with world.db.read() as tx:
        return list(tx.scalars(select(WebhookEvent).order_by(WebhookEvent.created_at)))


def ended(world: World) -> bool:
    return bool(events(world)) and all(event.done_at is not None for event in events(world))


def test_a_signature_is_that_of_the_published_example() -> None:
    secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_outage_is_told_with_a_signature_that_the_receiver_can_check(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with receiver() as hook:
            secret = set_webhook(world, hook.url)
            async with world.delivering(webhooks_private=True):
                declare(world)
                await until(lambda: ended(world))
            [head], [body] = hook.heads, hook.bodies
            assert hook.lines == ["POST /hook/with-a-token?x=1 HTTP/1.1"]
            assert is_genuine(secret, head, body)
            assert not is_genuine(secret, head, body.replace("ours", "hers"))
            told = json.loads(body)
            assert told["type"] == "outage.opened"
            assert told["data"]["domain"] == "ours.example"
            assert told["data"]["state"] == "declared"
            assert told["data"]["opened_by"] == "administrator"
            assert told["data"]["closed_at"] is None
            for hidden in (secret, "vlad", "the disk"):
                assert hidden not in body
            assert secret not in caplog.text
            with world.db.read() as tx:
                trail = b"".join(tx.scalars(select(AuditEvent.octets)))
            assert secret.encode() not in trail
            assert b"with-a-token" not in trail

    caplog.set_level(logging.DEBUG)
    asyncio.run(scenario())


def test_an_event_is_sent_again_under_the_same_id_until_it_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "RETRY_DELAYS", (timedelta(0),) * 3)

    async def scenario() -> None:
        async with receiver("500 oh", "302 elsewhere\r\nLocation: /other", "204 fine") as hook:
            set_webhook(world, hook.url)
            async with world.delivering(webhooks_private=True):
                declare(world)
                await until(lambda: ended(world))
            assert len({head["webhook-id"] for head in hook.heads}) == 1
            assert len(hook.lines) == 3  # the redirect was not followed
            assert set(hook.lines) == {"POST /hook/with-a-token?x=1 HTTP/1.1"}
            [event] = events(world)
            assert (event.attempts, event.last_error) == (3, "")

    asyncio.run(scenario())


@pytest.mark.parametrize(("answer", "attempts"), [("503 later", 3), ("410 gone", 1)])
def test_an_event_is_given_up_after_all_retries_or_at_once_when_unwanted(
    world: World, monkeypatch: pytest.MonkeyPatch, answer: str, attempts: int
) -> None:
    monkeypatch.setattr(webhooks, "RETRY_DELAYS", (timedelta(0),) * 2)

    async def scenario() -> None:
        async with receiver(answer) as hook:
            set_webhook(world, hook.url)
            async with world.delivering(webhooks_private=True):
                declare(world)
                await until(lambda: ended(world))
            assert len(hook.lines) == attempts
            assert events(world)[0].last_error == f"it answers {answer[:3]}"

    asyncio.run(scenario())


def test_an_event_waits_for_its_retry(world: World) -> None:
    set_webhook(world, "https://hooks.example/")
    declare(world)
    now = utc_now()
    with world.db.write() as tx:
        [task] = webhooks.claim(tx, now, 10)
        assert not webhooks.has_due(tx, now)  # claimed
        assert webhooks.has_due(tx, now + webhooks.LEASE)  # and its worker died
        webhooks.settle(tx, task, "no connection", now)
        assert not webhooks.has_due(tx, now + timedelta(seconds=4))
        assert webhooks.has_due(tx, now + timedelta(seconds=5))


def test_events_wait_for_the_keys_role_and_lose_no_attempt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "KEYS_AWAY", timedelta(0))
    monkeypatch.setattr(webhooks, "RETRY_DELAYS", ())

    async def scenario() -> None:
        async with receiver() as hook:
            secret = set_webhook(world, hook.url)
            world.keys.webhooks_away = True
            async with world.delivering(webhooks_private=True):
                declare(world)
                await until(lambda: world.keys.asked > 1)
                assert hook.lines == []
                assert not ended(world)
                world.keys.webhooks_away = False
                await until(lambda: ended(world))
            assert is_genuine(secret, hook.heads[0], hook.bodies[0])
            [event] = events(world)
            assert (event.attempts, event.last_error) == (1, "")

    asyncio.run(scenario())


def test_a_webhook_whose_secret_is_damaged_is_off_with_an_alarm_and_others_go_on(
    world: World,
) -> None:
    async def scenario() -> None:
        async with receiver() as hook:
            set_webhook(world, hook.url)
            other, secret = sealed(world.keyring, world.add_domain("hers.example").id)
            other.url, other.set_at = hook.url, utc_now()
            with world.db.write() as tx:
                broken = tx.get_one(Webhook, world.domain.id)
                broken.sealed = broken.sealed[:-1] + bytes([broken.sealed[-1] ^ 1])
                tx.add(other)
            with world.db.write() as tx:
                for domain_id in (world.domain.id, other.domain_id):
                    webhooks.put(tx, domain_id, "webhook.test", {}, utc_now())
            async with world.delivering(webhooks_private=True):
                await until(lambda: ended(world))
                await until(lambda: bool(standing(world)))
            assert is_genuine(secret.reveal(), hook.heads[0], hook.bodies[0])
            assert len(hook.lines) == 1
            errors = {event.domain_id: event.last_error for event in events(world)}
            assert errors == {world.domain.id: WILL_NOT_OPEN, other.domain_id: ""}
            assert "The webhook of ours.example is off" in standing(world)

    asyncio.run(scenario())


def standing(world: World) -> str:
    with world.db.read() as tx:
        return "\n".join(alarms.standing(tx, utc_now()))


def test_nothing_is_sent_inside_unless_a_setting_allows_it(world: World) -> None:
    async def scenario() -> None:
        async with receiver() as hook:
            set_webhook(world, hook.url)
            async with world.delivering():
                declare(world)
                await until(lambda: any(event.last_error for event in events(world)))
            assert hook.lines == []
            assert events(world)[0].last_error == "its address is not a public one"

    asyncio.run(scenario())


def test_a_receiver_that_says_nothing_costs_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_request, "PATIENCE", 0.3)

    async def scenario() -> None:
        async with receiver("silence") as hook:
            with pytest.raises(NotDelivered, match="no answer in time"):
                await post(hook.url, {}, "{}", ssl.create_default_context(), private=True)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example/", "ftp://hooks.example/", "https://", "hooks.example", ""),
        *("https://me:word@hooks.example/", "https://hooks.example/#x", "https://a b.example/"),
        *("https://hooks.example/\r\nX: y", "https://[::1", "https://h.example/" + "x" * 500),
    ],
)
def test_what_is_no_url_to_send_to_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        webhooks.checked(url, private=False)


def test_a_webhook_that_is_removed_hears_no_more(world: World) -> None:
    set_webhook(world, "https://hooks.example/")
    declare(world)
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        webhooks.remove(tx, WHO, domain, utc_now())
        assert tx.get(Webhook, domain.id) is None
        outages.withdraw(tx, WHO, domain, "done", utc_now())
    assert events(world) == []


def test_only_who_looks_after_the_domain_may_remove_one(world: World) -> None:
    person = Person(
        id=b"1" * 16, address="x@hers.example", name="", role=Role.DOMAIN_ADMIN, domain_id=b"2" * 16
    )
    other = Viewer(user=person, mailbox_id=None, token=Secret("t"), client_ip="192.0.2.1")
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        with pytest.raises(Forbidden):
            webhooks.remove(tx, other, domain, utc_now())
