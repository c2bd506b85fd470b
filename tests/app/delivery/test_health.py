"""When a primary counts as down, and what follows from it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.delivery import health
from app.delivery.contact import Contact, Reached
from app.delivery.health import Ended, Health, Started, observe
from app.models import AuditEvent, PrimaryHealth
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World

T0 = datetime(2026, 11, 24, 12, tzinfo=UTC)
UP = Health(up=True, since=T0)


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def watch(*seen: tuple[float, Contact]) -> tuple[Health, list[Started | Ended]]:
    known, turns = UP, list[Started | Ended]()
    for seconds, contact in seen:
        known, turn = observe(known, contact, after(seconds))
        if turn is not None:
            turns.append(turn)
    return known, turns


def test_one_failure_is_no_outage() -> None:
    known, turns = watch((0, Contact.REFUSED))
    assert known.up
    assert known.suspect
    assert turns == []


def test_two_refusals_a_moment_apart_are_an_outage_since_the_first() -> None:
    known, turns = watch((10, Contact.REFUSED), (12, Contact.REFUSED))
    assert not known.up
    assert known.since == after(10)
    assert turns == [Started(after(10))]


@pytest.mark.parametrize("contact", [Contact.REFUSED, Contact.SILENT, Contact.UNREADY])
def test_a_burst_of_parallel_failures_counts_as_one(contact: Contact) -> None:
    known, _ = watch(*((0.01 * n, contact) for n in range(20)))
    assert known.up


@pytest.mark.parametrize("contact", [Contact.SILENT, Contact.UNREADY])
def test_silence_must_last_longer_than_a_closed_port(contact: Contact) -> None:
    known, _ = watch((0, contact), (5, contact))
    assert known.up
    known, turns = watch((0, contact), (5, contact), (10, contact))
    assert not known.up
    assert turns == [Started(after(0))]


def test_a_success_in_between_starts_the_count_anew() -> None:
    known, turns = watch((0, Contact.REFUSED), (5, Contact.ANSWERED), (20, Contact.REFUSED))
    assert known.up
    assert turns == []


def test_one_success_ends_an_outage() -> None:
    known, turns = watch((0, Contact.REFUSED), (2, Contact.REFUSED), (62, Contact.ANSWERED))
    assert known == Health(up=True, since=after(62))
    assert turns[-1] == Ended(after(0), after(62))


def test_a_long_outage_starts_once() -> None:
    _, turns = watch(*((n, Contact.REFUSED) for n in range(100)))
    assert turns == [Started(after(0))]


def apply(world: World, known: Health, now: datetime, why: str = "") -> bool:
    with world.db.write() as tx:
        reached = Reached(Contact.ANSWERED if known.up else Contact.REFUSED, why)
        return health.apply(tx, world.domain.id, known, reached, now)


def test_an_outage_is_written_once_though_two_workers_see_it(world: World) -> None:
    now = utc_now()
    down = Health(up=False, since=now)
    assert apply(world, down, now, "connection refused")
    assert not apply(world, down, now, "connection refused")
    assert apply(world, Health(up=True, since=now), now + timedelta(seconds=90))
    with world.db.read() as tx:
        row = tx.get_one(PrimaryHealth, world.domain.id)
        kinds = list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))
    assert row.state == "up"
    assert kinds == ["outage.started", "outage.ended"]


def test_recovery_makes_what_waits_due_at_once(world: World) -> None:
    now = utc_now()
    world.receive("bob@ours.example")
    with world.db.write() as tx:
        item = tx.merge(world.items()[0])
        item.attempts, item.next_attempt_at = 3, now + timedelta(hours=1)
    apply(world, Health(up=False, since=now), now)
    assert world.items()[0].next_attempt_at > now
    apply(world, Health(up=True, since=now), now)
    assert world.items()[0].next_attempt_at == now


def test_the_banner_tells_of_an_outage_and_for_a_while_of_its_end(world: World) -> None:
    now = utc_now()

    def banner(at: datetime) -> tuple[str, int] | None:
        with world.db.read() as tx:
            shown = health.banner_for(tx, world.domain.id, at)
            return (shown.state, shown.waiting) if shown else None

    assert banner(now) is None
    apply(world, Health(up=True, since=now), now)
    assert banner(now) is None  # up, and never was anything else
    world.receive("bob@ours.example", "eve@ours.example")
    apply(world, Health(up=False, since=now), now)
    assert banner(now) == ("down", 1)
    apply(world, Health(up=True, since=now), now)
    assert banner(now) == ("recovered", 1)
    assert banner(now + timedelta(minutes=20)) == ("slow", 1)


def test_health_is_known_again_after_a_restart(world: World) -> None:
    now = utc_now()
    apply(world, Health(up=False, since=now), now)
    with world.db.read() as tx:
        assert health.stored(tx) == {world.domain.id: Health(up=False, since=now)}
        assert health.facts(tx, world.domain.id).state == "down"
    other = world.add_domain("other.example", mode="copy")
    with world.db.read() as tx:
        assert health.facts(tx, other.id).state == "unknown"
