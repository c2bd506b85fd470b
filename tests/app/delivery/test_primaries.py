"""The health of a primary as it is written down, and what follows from it."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.delivery import primaries
from app.delivery.contact import Contact, Reached
from app.delivery.health import Health, State, known
from app.models import AuditEvent, PrimaryHealth
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World

CONTACTS = {
    State.UP: Contact.ANSWERED,
    State.SLOW: Contact.ANSWERED,
    State.DOWN: Contact.REFUSED,
    State.REFUSING: Contact.UNREADY,
}


def apply(world: World, state: State, now: datetime, since: datetime | None = None) -> bool:
    with world.db.write() as tx:
        seen = Health(state, since or now)
        reached = Reached(CONTACTS[state], "" if state is State.UP else "for a reason")
        return primaries.apply(tx, world.domain.id, seen, reached, now)


def kinds(world: World) -> list[str]:
    with world.db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))


def banner(world: World, at: datetime) -> tuple[str, int] | None:
    with world.db.read() as tx:
        shown = primaries.banner_for(tx, world.domain.id, at)
        return (shown.state, shown.waiting) if shown else None


def test_an_outage_is_written_once_though_two_workers_see_it(world: World) -> None:
    now = utc_now()
    assert apply(world, State.DOWN, now)
    assert not apply(world, State.DOWN, now)
    assert apply(world, State.UP, now + timedelta(seconds=90))
    with world.db.read() as tx:
        row = tx.get_one(PrimaryHealth, world.domain.id)
    assert row.state == "up"
    assert kinds(world) == ["outage.started", "outage.ended"]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((State.SLOW, State.UP), ["server.slow", "server.prompt"]),
        ((State.SLOW, State.DOWN), ["server.slow", "server.prompt", "outage.started"]),
        ((State.DOWN, State.REFUSING), ["outage.started", "outage.changed"]),
        ((State.REFUSING, State.SLOW), ["outage.started", "outage.ended", "server.slow"]),
    ],
)
def test_every_turn_is_in_the_audit_trail(
    world: World, states: tuple[State, ...], expected: list[str]
) -> None:
    now = utc_now()
    for minute, state in enumerate(states):
        apply(world, state, now + timedelta(minutes=minute))
    assert kinds(world) == expected


@pytest.mark.parametrize("state", [State.DOWN, State.REFUSING])
def test_recovery_makes_what_waits_due_at_once(world: World, state: State) -> None:
    now = utc_now()
    world.receive("bob@ours.example")
    with world.db.write() as tx:
        item = tx.merge(world.items()[0])
        item.attempts, item.next_attempt_at = 3, now + timedelta(hours=1)
    apply(world, state, now)
    assert world.items()[0].next_attempt_at > now
    apply(world, State.UP, now)
    assert world.items()[0].next_attempt_at == now


def test_the_banner_tells_of_an_outage_and_for_a_while_of_its_end(world: World) -> None:
    now = utc_now()
    assert banner(world, now) is None
    apply(world, State.UP, now)
    assert banner(world, now) is None  # up, and never was anything else
    world.receive("bob@ours.example", "eve@ours.example")
    apply(world, State.DOWN, now)
    assert banner(world, now) == ("down", 1)
    apply(world, State.REFUSING, now)
    assert banner(world, now) == ("refusing", 1)
    apply(world, State.UP, now)
    assert banner(world, now) == ("recovered", 1)
    assert banner(world, now + timedelta(minutes=20)) is None
    apply(world, State.SLOW, now)
    assert banner(world, now) == ("slow", 1)


def test_health_is_known_again_after_a_restart(world: World) -> None:
    now = utc_now()
    apply(world, State.REFUSING, now)
    with world.db.read() as tx:
        assert primaries.stored(tx) == {world.domain.id: known(State.REFUSING, now)}
        assert primaries.facts(tx, world.domain.id).is_out
    other = world.add_domain("other.example", mode="copy")
    with world.db.read() as tx:
        assert primaries.facts(tx, other.id).state == "unknown"
