"""Alarms: once a day in the trail, and in sentences as long as they stand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.audit import INSTALLATION, alarms, events, record
from app.models import AuditEvent
from app.viewer import Actor
from archive_store.db import Database
from archive_store.directory import Owner, ensure_day_keys
from archive_store.ids import new_id
from archive_store.keyring import Keyring
from tests.parts.tables import make_tables

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FORGED = events.KeysForged(series="mail", owner_id=b"o" * 16)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    make_tables(made)
    yield made
    made.close()


def make_keys(db: Database, now: datetime) -> None:
    keyring = Keyring.generate()
    keyring.extend(now)
    with db.write() as tx:
        ensure_day_keys(tx, keyring, [Owner.mailbox(new_id(), new_id())], now.date())


def standing(db: Database, now: datetime) -> tuple[str, ...]:
    with db.read() as tx:
        return alarms.standing(tx, now)


def recorded(db: Database) -> list[str]:
    with db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.seq)))


def test_an_alarm_is_recorded_once_a_day_for_each_owner(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    assert alarms.raise_alarm(db, FORGED, "ingest", NOW)
    assert not alarms.raise_alarm(db, FORGED, "ingest", NOW + timedelta(hours=1))
    other = events.KeysForged(series="mail", owner_id=b"p" * 16)
    assert alarms.raise_alarm(db, other, "ingest", NOW)
    assert alarms.raise_alarm(db, FORGED, "ingest", NOW + timedelta(days=1))
    assert recorded(db) == ["keys.forged"] * 3
    assert caplog.text.count("ALARM: a public key") == 3


def test_keys_that_are_made_every_day_are_no_alarm(db: Database) -> None:
    assert standing(db, NOW) == ()
    make_keys(db, NOW)
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    for moment in (NOW, midnight + timedelta(minutes=59)):
        alarms.look_for_overdue(db, "sweep", moment)
        assert standing(db, moment) == ()
    assert recorded(db) == []


def test_a_keys_role_that_is_away_is_an_alarm_every_day(db: Database) -> None:
    make_keys(db, NOW)
    for days in range(1, 16):
        alarms.look_for_overdue(db, "sweep", NOW + timedelta(days=days))
    assert recorded(db) == ["keys.overdue"] * 15
    [said] = standing(db, NOW + timedelta(days=14))
    assert str(date(2026, 12, 8)) in said
    assert "451" in standing(db, NOW + timedelta(days=15))[0]


def test_a_held_clock_is_an_alarm_until_somebody_confirms_it(db: Database) -> None:
    held = events.ClockHeld(clock="2027-01-01T00:00:00Z", believed="2026-11-24T12:00:00Z")
    alarms.raise_alarm(db, held, "keys", NOW)
    assert "keys confirm-clock" in standing(db, NOW)[0]
    with db.write() as tx:
        actor = Actor.command_line("tester")
        record(tx, events.ClockConfirmed(), trail=INSTALLATION, actor=actor, at=NOW)
    assert standing(db, NOW) == ()
