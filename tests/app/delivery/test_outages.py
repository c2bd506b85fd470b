"""Outages as records: who opens and closes them, and what they count."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.accounts.errors import Forbidden, Invalid
from app.delivery import outages, primaries
from app.delivery.contact import Contact, Reached
from app.delivery.health import Health, State
from app.models import AuditEvent, Domain, Outage
from app.secret import Secret
from app.viewer import Actor, Person, Role, Viewer
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World

WHO = Actor.command_line("vlad")
NOW = utc_now()
WHY = "the disk is being changed"


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def turn(world: World, state: State, minutes: float) -> None:
    with world.db.write() as tx:
        seen, reached = Health(state, at(minutes)), Reached(Contact.ANSWERED)
        primaries.apply(tx, world.domain.id, seen, reached, at(minutes))


def declare(world: World, minutes: float, *, keeps_mail: bool = False) -> None:
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        outages.declare(tx, WHO, domain, WHY, at(minutes), keeps_mail=keeps_mail)


def withdraw(world: World, minutes: float) -> None:
    with world.db.write() as tx:
        outages.withdraw(tx, WHO, tx.get_one(Domain, world.domain.id), "done", at(minutes))


def rows(world: World) -> list[tuple[str, float, float | None]]:
    """State, minute of opening and of closing, the oldest first."""
    with world.db.read() as tx:
        found = list(tx.scalars(select(Outage).order_by(Outage.opened_at, Outage.closed_at)))
    return [(one.state, minute(one.opened_at), minute(one.closed_at)) for one in found]  # type: ignore[misc]  # opened_at is set


def minute(moment: datetime | None) -> float | None:
    return None if moment is None else round((moment - NOW).total_seconds() / 60, 2)


def banner(world: World, minutes: float) -> str | None:
    with world.db.read() as tx:
        shown = primaries.banner_for(tx, world.domain.id, at(minutes))
        return shown.state if shown else None


def kinds(world: World) -> list[str]:
    with world.db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))


def test_an_outage_opens_and_closes_by_itself(world: World) -> None:
    turn(world, State.DOWN, 0)
    turn(world, State.REFUSING, 5)
    assert rows(world) == [("refusing", 0, None)]
    turn(world, State.UP, 9)
    assert rows(world) == [("refusing", 0, 9)]


def test_a_slow_time_is_a_record_of_its_own(world: World) -> None:
    turn(world, State.SLOW, 0)
    turn(world, State.DOWN, 5)
    turn(world, State.SLOW, 9)
    turn(world, State.UP, 12)
    assert rows(world) == [("slow", 0, 5), ("down", 5, 9), ("slow", 9, 12)]


def test_a_server_that_fails_again_at_once_goes_on_with_the_same_outage(world: World) -> None:
    turn(world, State.DOWN, 0)
    turn(world, State.UP, 5)
    turn(world, State.DOWN, 6)
    assert rows(world) == [("down", 0, None)]
    turn(world, State.UP, 8)
    turn(world, State.DOWN, 11)
    assert rows(world) == [("down", 0, 8), ("down", 11, None)]


def test_what_somebody_opened_lasts_until_somebody_closes_it(world: World) -> None:
    turn(world, State.UP, 0)
    declare(world, 1)
    assert banner(world, 1) == "declared"
    turn(world, State.DOWN, 2)
    assert banner(world, 2) == "down"
    turn(world, State.UP, 3)
    assert banner(world, 3) == "declared"
    withdraw(world, 9)
    assert rows(world) == [("declared", 1, 9)]
    assert banner(world, 9) == "recovered"
    assert banner(world, 25) is None
    assert [kind for kind in kinds(world) if "declared" in kind or "closed" in kind] == [
        "outage.declared",
        "outage.closed",
    ]


def test_an_outage_that_goes_on_can_be_taken_over(world: World) -> None:
    turn(world, State.DOWN, 0)
    declare(world, 1)
    turn(world, State.UP, 2)
    assert rows(world) == [("declared", 0, None)]


def test_what_somebody_closed_stays_closed_until_the_server_was_well(world: World) -> None:
    turn(world, State.DOWN, 0)
    withdraw(world, 1)
    assert banner(world, 1) is None
    turn(world, State.REFUSING, 2)
    turn(world, State.UP, 3)
    assert rows(world) == [("down", 0, 1)]
    turn(world, State.DOWN, 3.5)
    assert rows(world) == [("down", 0, 1), ("down", 3.5, None)]


def test_closing_makes_what_waits_due(world: World) -> None:
    world.receive("bob@ours.example")
    with world.db.write() as tx:
        item = tx.merge(world.items()[0])
        item.attempts, item.next_attempt_at = 3, at(60)
    declare(world, 1)
    withdraw(world, 2)
    assert world.items()[0].next_attempt_at == at(2)


def test_a_word_needs_a_reason_and_an_outage_to_close(world: World) -> None:
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        for reason in ("", "  ", "x" * 501):
            with pytest.raises(Invalid):
                outages.declare(tx, WHO, domain, reason, NOW)
        with pytest.raises(Invalid, match="no outage"):
            outages.withdraw(tx, WHO, domain, WHY, NOW)
        outages.declare(tx, WHO, domain, WHY, NOW)
        with pytest.raises(Invalid, match="already"):
            outages.declare(tx, WHO, domain, WHY, NOW)


@pytest.mark.parametrize("role", [Role.USER, Role.AUDITOR])
def test_only_who_looks_after_the_domain_has_a_word(world: World, role: Role) -> None:
    person = Person(
        id=b"1" * 16, address="x@ours.example", name="", role=role, domain_id=world.domain.id
    )
    viewer = Viewer(user=person, mailbox_id=None, token=Secret("t"), client_ip="192.0.2.1")
    with world.db.write() as tx:
        domain = tx.get_one(Domain, world.domain.id)
        with pytest.raises(Forbidden):
            outages.declare(tx, viewer, domain, WHY, NOW)
        with pytest.raises(Forbidden):
            outages.withdraw(tx, viewer, domain, WHY, NOW)


def test_an_outage_counts_what_came_in_and_what_waits_still(world: World) -> None:
    bob = world.add_person("bob@ours.example")
    assert bob
    world.receive("bob@ours.example", received_at=at(-3))
    turn(world, State.DOWN, -2)
    world.receive("bob@ours.example", "eve@ours.example", received_at=at(-1))
    world.receive("eve@ours.example", received_at=at(-1))
    world.send("bob@ours.example", "anna@outside.example")
    with world.db.write() as tx:
        [told] = outages.latest(tx, world.domain.id)
        assert outages.taken(tx, told, at(1)) == 2
        assert outages.still_waiting(tx, told, at(1)) == 2
    turn(world, State.UP, 1)
    world.receive("bob@ours.example", received_at=at(2))
    with world.db.read() as tx:
        [told] = outages.latest(tx, world.domain.id)
        assert (told.taken, outages.still_waiting(tx, told, at(3))) == (2, 2)


def test_a_domain_in_copy_mode_has_outages_by_word_alone(world: World) -> None:
    copy = world.add_domain("copy.example", mode="copy")
    with world.db.write() as tx:
        outages.declare(tx, WHO, tx.get_one(Domain, copy.id), WHY, NOW)
    with world.db.read() as tx:
        shown = primaries.banner_for(tx, copy.id, NOW)
    assert shown is not None
    assert shown.state == "declared"
