"""Claims, leases and endings, on every database."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from app.delivery import queue
from app.delivery.queue import Claim, Ending
from app.models import QueueItem
from archive_store.clock import utc_now
from tests.app.delivery.conftest import World

LATER = timedelta(seconds=61)


def claim(
    world: World, owner: str = "one", limit: int = 100, at: datetime | None = None
) -> list[Claim]:
    with world.db.write() as tx:
        return queue.claim(tx, at or utc_now(), owner, limit)


def claimed(claims: list[Claim]) -> list[bytes]:
    return [item_id for one in claims for item_id in one.item_ids]


def test_recipients_of_a_message_are_claimed_together(world: World) -> None:
    world.receive("a@ours.example", "b@ours.example")
    world.receive("c@ours.example")
    claims = claim(world)
    assert sorted(len(one.items) for one in claims) == [1, 2]
    assert {item.state for item in world.items()} == {"leased"}
    assert all(one.message is not None for one in claims)


def test_what_is_leased_is_not_claimed_again_until_the_lease_is_over(world: World) -> None:
    world.receive()
    now = utc_now()
    first = claimed(claim(world, "one", at=now))
    assert claim(world, "two", at=now + LATER / 2) == []
    assert claimed(claim(world, "two", at=now + LATER)) == first
    assert world.items()[0].attempts == 2
    assert world.items()[0].lease_owner == "two"


def test_a_renewed_lease_goes_on(world: World) -> None:
    world.receive()
    now = utc_now()
    world.receive()
    first, second = claimed(claim(world, "one", at=now + LATER / 10))
    with world.db.write() as tx:
        queue.renew(tx, "one", [first], now + 3 * LATER)
        queue.renew(tx, "two", [second], now + 3 * LATER)  # not its own
    assert claimed(claim(world, "two", at=now + 2 * LATER)) == [second]


def test_a_claim_given_back_counts_no_attempt(world: World) -> None:
    world.receive()
    now = utc_now()
    ids = claimed(claim(world))
    with world.db.write() as tx:
        queue.give_back(tx, "two", ids, now)  # not its own: nothing happens
    assert world.items()[0].state == "leased"
    with world.db.write() as tx:
        queue.give_back(tx, "one", ids, now)
    [item] = world.items()
    assert (item.state, item.attempts, item.lease_owner) == ("queued", 0, "")


def test_nothing_is_claimed_before_its_time(world: World) -> None:
    world.receive()
    now = utc_now()
    ids = claimed(claim(world))
    with world.db.write() as tx:
        queue.defer(tx, "one", [Ending(ids[0], b"reply", now + timedelta(hours=1))])
        assert not queue.has_due(tx, now)
        assert queue.has_due(tx, now + timedelta(hours=1))
    assert claim(world) == []
    assert world.items()[0].last_reply == b"reply"


def test_a_destination_gets_its_share_and_no_more(world: World) -> None:
    other = world.add_domain("other.example", port=9)
    for _ in range(queue.PER_DESTINATION + 5):
        world.receive()
    world.receive("eve@other.example", domain=other)
    counts = [one.domain.name for one in claim(world)]
    assert counts.count("ours.example") == queue.PER_DESTINATION
    assert counts.count("other.example") == 1
    assert claim(world, "two") == []


def test_a_long_backlog_does_not_hide_the_mail_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PER_DESTINATION", 2)
    monkeypatch.setattr(queue, "_WINDOW", 4)
    other = world.add_domain("other.example", port=9)
    for _ in range(10):
        world.receive()
    world.receive("eve@other.example", domain=other)
    assert sorted(one.domain.name for one in claim(world)) == [
        "other.example",
        "ours.example",
        "ours.example",
    ]


def test_the_oldest_mail_goes_first(world: World) -> None:
    stored = [world.receive() for _ in range(4)]
    assert [one.message_id for one in claim(world, limit=2)] == [s.message_id for s in stored[:2]]


def test_a_message_with_very_many_recipients_goes_in_parts(world: World) -> None:
    world.receive(*(f"p{n}@ours.example" for n in range(queue.RECIPIENTS + 20)))
    assert [len(one.items) for one in claim(world)] == [queue.RECIPIENTS]
    assert [len(one.items) for one in claim(world)] == [20]


def test_delivered_is_true_even_when_the_lease_was_lost(world: World) -> None:
    world.receive()
    now = utc_now()
    ids = claimed(claim(world, "one", at=now))
    claim(world, "two", at=now + LATER)
    with world.db.write() as tx:
        queue.done(tx, [Ending(ids[0], b"250")], now)
        queue.fail(tx, "two", [Ending(ids[0], b"550")], now)
        queue.defer(tx, "two", [Ending(ids[0], b"451", now)])
    [item] = world.items()
    assert (item.state, item.last_reply, item.wrap) == ("delivered", b"250", b"")
    assert item.done_at is not None


def test_only_the_holder_puts_off_or_fails_an_item(world: World) -> None:
    world.receive()
    now = utc_now()
    ids = claimed(claim(world, "two"))
    with world.db.write() as tx:
        queue.fail(tx, "one", [Ending(ids[0], b"550")], now)
        queue.defer(tx, "one", [Ending(ids[0], b"451", now)])
    assert world.items()[0].state == "leased"


def test_many_endings_in_one_statement(world: World) -> None:
    for _ in range(3):
        world.receive("a@ours.example", "b@ours.example")
    now = utc_now()
    ids = claimed(claim(world))
    with world.db.write() as tx:
        queue.done(tx, [Ending(one, b"250") for one in ids[:2]], now)
        queue.fail(tx, "one", [Ending(one, None) for one in ids[2:4]], now)
        queue.defer(tx, "one", [Ending(one, b"451", now) for one in ids[4:]])
    assert world.states() == ["delivered"] * 2 + ["failed"] * 2 + ["queued"] * 2


def test_leases_of_the_dead_are_freed_at_once(world: World) -> None:
    world.receive()
    claim(world, "one")
    with world.db.write() as tx:
        assert queue.lease_owners(tx) == {"one"}
        queue.free_dead(tx, {"other"}, utc_now())
    assert claim(world, "two") == []
    with world.db.write() as tx:
        queue.free_dead(tx, {"one"}, utc_now())
    assert len(claim(world, "two")) == 1


def test_what_was_never_tried_keeps_the_time_that_its_sender_chose(world: World) -> None:
    world.receive()
    now = utc_now()
    with world.db.write() as tx:
        item = tx.merge(world.items()[0])
        item.next_attempt_at = now + timedelta(minutes=1)
        tx.flush()
        assert queue.due_now(tx, now, domain_id=None) == 0


def test_an_idle_look_reads_an_index_only(world: World) -> None:
    explain, wanted = "EXPLAIN QUERY PLAN", "COVERING INDEX ix_queue_item_due"
    with world.db.read() as tx:
        if not world.db.is_sqlite:  # which would rather scan a table that is empty
            explain, wanted = "EXPLAIN", "Index Only Scan using ix_queue_item_due"
            tx.execute(text("SET LOCAL enable_seqscan = off"))
            tx.execute(text("SET LOCAL enable_bitmapscan = off"))
        for state in ("queued", "leased"):
            sql = f"SELECT 1 FROM queue_item WHERE state = '{state}' AND next_attempt_at <= 5"
            plan = " ".join(str(row) for row in tx.execute(text(f"{explain} {sql}")))
            assert wanted in plan


def test_the_outbox_takes_nothing_too(world: World) -> None:
    with world.db.write() as tx:
        queue.Outbox().add(tx, [])
    assert world.count(QueueItem) == 0
