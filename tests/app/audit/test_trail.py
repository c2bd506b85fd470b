"""Writing, proving and reading the trails, on every database."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from app.audit import INSTALLATION, record
from app.audit.canonical import encode, entry_hash, genesis
from app.audit.events import LoggedIn, LoggedOut, LoginFailed, LoginFailure, MessageOpened
from app.audit.query import EventFilter, list_events
from app.audit.trail import AuditBroken, check, head_of, stored_entries
from app.models import AuditEvent, AuditHead
from archive_store.db import Database
from tests.app.audit.conftest import NOW, TRAIL, VLAD, write_some


def test_an_event_is_numbered_from_one_and_chained(database: Database) -> None:
    with database.write() as tx:
        write_some(tx)
    with database.read() as tx:
        count, head = head_of(tx, TRAIL)
        stored = list(stored_entries(tx, TRAIL, 1, count, genesis(TRAIL)))
        assert check(tx, TRAIL) == 3
    assert [s.entry.seq for s in stored] == [1, 2, 3]
    assert [s.entry.prev for s in stored[1:]] == [s.hash for s in stored[:-1]]
    assert stored[-1].hash == head
    assert stored[2].entry.actor == VLAD
    assert stored[2].entry.at == NOW


def test_each_trail_has_its_own_numbers(database: Database) -> None:
    with database.write() as tx:
        write_some(tx, TRAIL)
        write_some(tx, None)
        assert record(tx, LoggedOut(), trail=None, actor=VLAD, at=NOW) == 4
    with database.read() as tx:
        assert (check(tx, TRAIL), check(tx, None)) == (3, 4)
        assert head_of(tx, INSTALLATION)[0] == 4


def test_a_transaction_that_fails_leaves_no_event(database: Database) -> None:
    with database.write() as tx:
        write_some(tx)
    with database.write() as tx:
        record(tx, LoggedOut(), trail=TRAIL, actor=VLAD, at=NOW)
        tx.rollback()
    with database.write() as tx:
        assert record(tx, LoggedOut(), trail=TRAIL, actor=VLAD, at=NOW) == 4
        assert check(tx, TRAIL) == 4


def test_an_empty_trail_proves_itself(database: Database) -> None:
    with database.read() as tx:
        assert check(tx, TRAIL) == 0


def test_many_writers_make_one_chain_without_a_gap(database: Database) -> None:
    def write() -> None:
        for _ in range(10):
            with database.write() as tx:
                record(tx, LoggedIn(), trail=TRAIL, actor=VLAD, at=NOW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as tx:
        assert check(tx, TRAIL) == 40


def _forged(seq: int, **changes: Any) -> Any:
    return update(AuditEvent).where(AuditEvent.seq == seq).values(**changes)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        (_forged(2, octets=b"{}"), 2),
        (_forged(2, hash=bytes(32)), 2),
        (_forged(2, kind="login.succeeded"), 2),
        (_forged(3, actor_id=b"x" * 16), 3),
        (_forged(3, at=NOW + timedelta(seconds=1)), 3),
        (delete(AuditEvent).where(AuditEvent.seq == 1), 1),
        (delete(AuditEvent).where(AuditEvent.seq == 2), 2),
        (delete(AuditEvent).where(AuditEvent.seq == 3), 3),
        (update(AuditHead).values(seq=2), 2),
        (update(AuditHead).values(seq=4), 4),
        (update(AuditHead).values(hash=bytes(32)), 3),
    ],
)
def test_a_changed_row_is_found_and_named(database: Database, statement: Any, seq: int) -> None:
    with database.write() as tx:
        write_some(tx)
    with database.write() as tx:
        tx.execute(statement)
    with database.read() as tx, pytest.raises(AuditBroken) as caught:
        check(tx, TRAIL)
    assert caught.value.seq == seq


def test_an_entry_after_the_head_is_found(database: Database) -> None:
    with database.write() as tx:
        write_some(tx)
        row = tx.get_one(AuditEvent, (TRAIL, 2))
        tx.execute(update(AuditHead).values(seq=2, hash=row.hash))
    with database.read() as tx, pytest.raises(AuditBroken, match="after the head"):
        check(tx, TRAIL)


def test_a_rewritten_entry_breaks_the_one_after_it(database: Database) -> None:
    with database.write() as tx:
        write_some(tx)
        first = next(stored_entries(tx, TRAIL, 1, 1, genesis(TRAIL)))
        octets = encode(first.entry).replace(b"acme.example", b"evil.example")
        tx.execute(_forged(1, octets=octets, hash=entry_hash(octets)))
    with database.read() as tx, pytest.raises(AuditBroken, match="does not follow") as caught:
        check(tx, TRAIL)
    assert caught.value.seq == 2


def test_an_entry_of_another_trail_does_not_fit(database: Database) -> None:
    other = b"o" * 16
    with database.write() as tx:
        write_some(tx, TRAIL)
        write_some(tx, other)
        tx.execute(delete(AuditEvent).where(AuditEvent.trail == TRAIL))
        tx.execute(update(AuditEvent).values(trail=TRAIL))
    with database.read() as tx, pytest.raises(AuditBroken, match="belongs elsewhere"):
        check(tx, TRAIL)


def test_events_are_listed_newest_first_and_by_page(database: Database) -> None:
    with database.write() as tx:
        for minute in range(7):
            record(tx, LoggedIn(), trail=TRAIL, actor=VLAD, at=NOW + timedelta(minutes=minute))
        write_some(tx, b"o" * 16)
    with database.read() as tx:
        first = list_events(tx, TRAIL, size=3)
        beyond = list_events(tx, TRAIL, page=9, size=3)
        assert (first.total, first.pages) == (7, 3)
        assert [e.seq for e in first.entries] == [7, 6, 5]
        assert (beyond.page, [e.seq for e in beyond.entries]) == (3, [1])
        assert list_events(tx, b"n" * 16).pages == 1


def test_events_are_filtered(database: Database) -> None:
    with database.write() as tx:
        write_some(tx)
        failed = LoginFailed(address="", reason=LoginFailure.THROTTLED)
        record(tx, failed, trail=TRAIL, actor=VLAD, at=NOW + timedelta(hours=1))
        opened = MessageOpened(mailbox_id=b"m" * 16, entry_id=b"e" * 16)
        record(tx, opened, trail=TRAIL, actor=VLAD, at=NOW + timedelta(hours=2))

    def seqs(**wanted: Any) -> list[int]:
        with database.read() as tx:
            return [e.seq for e in list_events(tx, TRAIL, EventFilter(**wanted)).entries]

    assert seqs(kind="login") == [4, 2]
    assert seqs(kind="login.failed") == [4, 2]
    assert seqs(kind="log") == []
    assert seqs(kind="%") == []
    assert seqs(actor_id=VLAD.user_id) == [5, 4, 3]
    assert seqs(since=NOW + timedelta(hours=1)) == [5, 4]
    assert seqs(until=NOW + timedelta(hours=1)) == [3, 2, 1]
    assert seqs(kind="message", actor_id=VLAD.user_id, until=NOW + timedelta(hours=1)) == [3]
