"""What goes to the outside is signed, and dkimpy, another's code, finds the signatures right."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import dkim  # type: ignore[import-untyped]  # it has no types
import pytest
from sqlalchemy import select

from app.accounts.dkim import Algorithm, record_of
from app.delivery import dkim as signing
from app.keys import dkim as making
from app.keys.dkim import SigningKey
from app.models import AuditEvent, DkimKey, Domain
from tests.app.delivery.conftest import World, until
from tests.app.delivery.sinks import Sink, sink

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEAD = (
    b"From: Bob <bob@ours.example>\r\nTo: Anna <anna@outside.example>\r\nSubject: Hello  again\r\n"
    b" and\t again\r\nDate: Tue, 24 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@ours.example>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
)
LETTER = HEAD + b"\r\nHello Anna,\r\n\r\n  indented \t text \r\n.\r\n\r\n\r\n"


def key_pair(algorithm: Algorithm, domain: Domain, name: str) -> tuple[SigningKey, DkimKey]:
    private, public = making._new_pair(algorithm)
    selector = algorithm.selector(name)
    row = DkimKey(selector=selector, name=name, algorithm=algorithm, public=public)
    return SigningKey(selector, algorithm, private), row


DOMAIN = Domain(name="ours.example")
PAIRS = [key_pair(algorithm, DOMAIN, "one") for algorithm in Algorithm]
KEYS = [key for key, _ in PAIRS]


def published(domain: Domain = DOMAIN) -> Callable[..., bytes | None]:
    """The DNS, as dkimpy asks it."""
    records = [record_of(row, domain) for _, row in PAIRS]
    zone = {f"{record.host}.".encode(): record.value.encode() for record in records}
    return lambda name, timeout=5: zone.get(name)


def verdicts(octets: bytes, domain: Domain = DOMAIN) -> list[bool]:
    """Of each signature."""
    count = octets.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [_verdict(octets, at, domain) for at in range(count)]


def _verdict(octets: bytes, at: int, domain: Domain) -> bool:
    try:
        return bool(dkim.DKIM(octets).verify(at, dnsfunc=published(domain)))
    except dkim.ValidationError:  # what it says of another body
        return False


def signed(octets: bytes, domain: Domain = DOMAIN) -> bytes:
    return b"".join(signing.signature(octets, domain.name, key, NOW) for key in KEYS) + octets


@pytest.mark.parametrize(
    "octets",
    [
        LETTER,
        HEAD + b"\r\n",
        HEAD,
        HEAD + b"\r\n\r\n \t\r\n\r\n",
        HEAD + b"\r\nno line end",
        HEAD + b"\r\ntrailing blanks  \t",
        HEAD + "\r\nGrüße 8 bit \x80\r\n".encode("latin-1"),
        HEAD + b"\r\n" + b"x " * 40_000 + b"\r\n",
        "From: <jürgen@ours.example>\r\nSubject: Grüße\r\n\r\nHallo\r\n".encode(),
        b"From:bob@ours.example\r\nSubject: odd \r\nFROM: b@ours.example\r\nX:\r\n\t\r\n\r\nHi\r\n",
    ],
    ids=["plain", "empty", "bare", "blank", "open", "trailing", "8bit", "long", "utf8", "odd"],
)
def test_another_implementation_finds_both_signatures_right(octets: bytes) -> None:
    on_the_wire = signed(octets) if octets.endswith(b"\r\n") else signed(octets) + b"\r\n"
    assert verdicts(on_the_wire) == [True, True]


def test_a_domain_with_other_letters_signs_in_its_ascii_form() -> None:
    domain = Domain(name="xn--bcher-kva.example")
    mail = signed("From: <b@bücher.example>\r\n\r\nHallo\r\n".encode(), domain)
    assert b"d=xn--bcher-kva.example;" in mail
    assert verdicts(mail, domain) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello Anna", b"Hello anna"),
        (b"Subject: Hello", b"Subject: hello"),
        (b"bob@ours", b"bib@ours"),
        (b"To: Anna", b"Cc: eve@outside.example\r\nTo: Anna"),
        (b"\r\nFrom:", b"\r\nFrom: eve@outside.example\r\nFrom:"),
        (b"\r\n\r\nHello", b"\r\nFrom: eve@outside.example\r\n\r\nHello"),
        (b"\r\n.\r\n", b"\r\n.\r\nmore\r\n"),
    ],
)
def test_any_change_of_what_is_signed_makes_it_wrong(old: bytes, new: bytes) -> None:
    mail = signed(LETTER)
    assert mail.count(old) == 1
    assert verdicts(mail.replace(old, new)) == [False, False]


def test_what_servers_on_the_way_may_do_leaves_it_right() -> None:
    mail = signed(LETTER)
    mail = b"Received: from here by there\r\n" + mail.replace(b"Hello  again", b"Hello again")
    mail = mail.replace(b"text \r\n", b"text\r\n").removesuffix(b"\r\n\r\n")
    assert verdicts(mail) == [True, True]


def signs(world: World, *keys: SigningKey) -> None:
    with world.db.write() as tx:
        tx.get_one(Domain, world.domain.id).dkim = "one"
    world.keys.signing = {world.domain.id: list(keys)}


async def sent_by_bob(world: World, outside: Sink) -> bytes:
    """What the outside gets of a letter of Bob's."""
    world.set_smarthost(f"127.0.0.1:{outside.port}")
    if "bob@ours.example" not in world.mailboxes:
        world.add_person("bob@ours.example")
    world.send("bob@ours.example", "anna@outside.example", octets=LETTER)
    async with world.delivering():
        await until(outside.got(1))
        await until(lambda: world.states() == ["delivered"])
    return outside.taken[-1].octets


def alarms(world: World) -> int:
    with world.db.read() as tx:
        return len(list(tx.scalars(select(AuditEvent).where(AuditEvent.kind == "dkim.unsigned"))))


def test_what_arrives_at_another_server_is_signed(world: World) -> None:
    async def scenario() -> None:
        async with sink() as outside:
            signs(world, *KEYS)
            arrived = await sent_by_bob(world, outside)
        assert arrived.endswith(LETTER)
        assert verdicts(arrived) == [True, True]
        assert world.mail_in("bob@ours.example", "sent") == [LETTER]

    asyncio.run(scenario())


def test_a_domain_that_does_not_sign_sends_mail_as_it_was_written(world: World) -> None:
    async def scenario() -> None:
        async with sink() as outside:
            assert await sent_by_bob(world, outside) == LETTER
        assert alarms(world) == 0

    asyncio.run(scenario())


def test_mail_that_comes_in_reaches_the_primary_without_a_signature(world: World) -> None:
    async def scenario() -> None:
        async with sink() as primary:
            signs(world, *KEYS)
            world.point_primary_to(primary.port)
            world.receive("bob@ours.example", octets=LETTER)
            async with world.delivering():
                await until(primary.got(1))
            assert primary.taken[0].body == LETTER

    asyncio.run(scenario())


def test_without_a_key_that_opens_mail_goes_unsigned_with_one_alarm_a_day(world: World) -> None:
    async def scenario() -> None:
        signs(world)
        for _ in range(2):
            async with sink() as outside:
                assert await sent_by_bob(world, outside) == LETTER
            with world.db.write() as tx:
                for item in world.items():
                    tx.delete(item)
        assert alarms(world) == 1

    asyncio.run(scenario())


def test_while_the_keys_role_is_away_mail_waits_and_then_goes_signed(world: World) -> None:
    async def scenario() -> None:
        async with sink() as outside:
            signs(world, *KEYS)
            world.keys.signing_away = True
            world.set_smarthost(f"127.0.0.1:{outside.port}")
            world.add_person("bob@ours.example")
            world.send("bob@ours.example", "anna@outside.example", octets=LETTER)
            async with world.delivering():
                await until(lambda: world.items()[0].attempts == 1)
                await until(lambda: world.states() == ["queued"])
                assert outside.taken == []
                world.keys.signing_away = False
                world.make_due()
                await until(lambda: world.states() == ["delivered"])
            assert verdicts(outside.taken[0].octets) == [True, True]

    asyncio.run(scenario())
