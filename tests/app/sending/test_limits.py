"""Limits of sending: counted durably, by hour and day, for a person and a domain."""

import logging
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.models import SendingCount
from app.retention import sweep
from app.sending import limits
from app.sending.limits import SendLimits, TooManySent
from app.sending.service import Sending, SendingParts
from app.viewer import Viewer
from tests.app.conftest import World
from tests.app.sending.outbox import envelopes, letter
from tests.app.test_backup import parts_of

HOUR = timedelta(hours=1)
FEW = SendLimits(per_hour=3, per_day=5, domain_per_hour=0, domain_per_day=0)


def take(world: World, viewer: Viewer, count: int, most: SendLimits = FEW) -> TooManySent | None:
    with world.db.write() as tx:
        return limits.take(tx, viewer, most, count, world.clock())


def at_the_hour(world: World) -> None:
    world.clock.moment = world.clock.moment.replace(minute=0, second=0, microsecond=0)


def sending(world: World, most: SendLimits) -> Sending:
    parts = SendingParts(
        db=world.db,
        archive=world.archive,
        opener=world.reading.opener,
        checks=world.reading.checks,
        parsers=world.parsers,
        drafts=world.drafts,
        now=world.clock,
        limits=most,
    )
    return Sending(parts)


def test_an_hours_limit_counts_recipients_and_ends_with_the_hour(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    at_the_hour(world)
    assert take(world, viewer, 3) is None
    refused = take(world, viewer, 1)
    assert refused is not None
    assert refused.message.startswith("Not sent: you may send to 3 recipients in an hour,")
    world.clock.moment += HOUR - timedelta(seconds=1)
    assert take(world, viewer, 1) is not None
    world.clock.moment += timedelta(seconds=1)
    assert take(world, viewer, 2) is None


def test_a_days_limit_looks_back_over_24_hours(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    at_the_hour(world)
    assert take(world, viewer, 3) is None
    world.clock.moment += HOUR
    assert take(world, viewer, 2) is None
    world.clock.moment += 22 * HOUR
    refused = take(world, viewer, 1)
    assert refused is not None
    assert "5 recipients in a day" in refused.message
    world.clock.moment += HOUR
    assert take(world, viewer, 3) is None
    with world.db.read() as tx:
        assert len(list(tx.scalars(select(SendingCount)))) == 6  # of 24 hours, for both owners


def test_the_limit_of_a_domain_holds_for_all_its_people_and_no_others(any_world: World) -> None:
    world = any_world
    at_the_hour(world)
    most = SendLimits(per_hour=0, per_day=0, domain_per_hour=3, domain_per_day=0)
    assert take(world, world.viewer("vlad"), 2, most) is None
    refused = take(world, world.viewer("maria"), 2, most)
    assert refused is not None
    assert "your organisation may send to 3" in refused.message
    assert take(world, world.viewer("nora"), 3, most) is None


def test_zero_is_no_limit(world: World) -> None:
    most = SendLimits(per_hour=0, per_day=0, domain_per_hour=0, domain_per_day=0)
    assert take(world, world.viewer(), 100_000, most) is None


def test_a_message_over_a_limit_is_not_sent_and_recorded_once_a_window(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    viewer = world.viewer()
    at_the_hour(world)
    ours = sending(world, replace(FEW, per_hour=2, per_day=0))
    ours.send(viewer, letter(world, viewer, to="a@in.example, b@in.example"))
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            with pytest.raises(TooManySent) as caught:
                ours.send(viewer, letter(world, viewer, to="c@in.example"))
    assert (caught.value.status, caught.value.field) == (429, "message")
    assert set(envelopes(world)) == {"a@in.example", "b@in.example"}
    [event] = world.events("sending.limited")
    assert b"in.example" not in event
    assert [record.getMessage()[:5] for record in caplog.records] == ["ALARM"]
    world.clock.moment += HOUR
    ours.send(viewer, letter(world, viewer, to="a@in.example, b@in.example"))
    with pytest.raises(TooManySent):
        ours.send(viewer, letter(world, viewer, to="c@in.example"))
    assert len(world.events("sending.limited")) == 2


def test_sessions_that_send_at_once_do_not_pass_together(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    at_the_hour(world)
    verdicts: list[TooManySent | None] = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(take(world, viewer, 1))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts.count(None) == 3
    assert len(verdicts) == 6


def test_mail_that_is_to_leave_later_counts_when_send_is_pressed(world: World) -> None:
    viewer = world.viewer()
    at_the_hour(world)
    ours = sending(world, FEW)
    later = world.clock() + HOUR
    ours.send(viewer, letter(world, viewer, to="a@in.example, b@in.example, c@in.example"), later)
    with pytest.raises(TooManySent):
        ours.send(viewer, letter(world, viewer, to="d@in.example"), later)


def test_a_sweep_forgets_what_counts_no_more(any_world: World) -> None:
    world, parts = any_world, parts_of(any_world)
    at_the_hour(world)
    take(world, world.viewer(), 1)
    for hours, left in ((23, 2), (1, 0)):  # of a person and the domain
        world.clock.moment += hours * HOUR
        sweep(parts, world.agent, world.clock())
        with world.db.read() as tx:
            assert len(tx.scalars(select(SendingCount)).all()) == left
