"""Keys in trouble: the keys role is away, a key is changed, a copy is found; real processes."""

import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.models import AuditEvent
from archive_store import seal
from archive_store.models import DayKey, Mailbox
from tests.parts.network import wait_until
from tests.scenarios.service import Service, mail
from tests.scenarios.test_clock import at, keyring_days

WITHOUT_KEYS = ("--role", "web,ingest,deliver,sweep")


def kinds(service: Service) -> list[str]:
    with service.parts() as (parts, _), parts.db.read() as tx:
        return list(tx.scalars(select(AuditEvent.kind).order_by(AuditEvent.at)))


def refusal(service: Service, recipient: str) -> int:
    with pytest.raises(smtplib.SMTPResponseException) as caught:
        service.send(mail("Not now"), recipient)
    return caught.value.smtp_code


def days_later(service: Service, days: int) -> None:
    at(service, timedelta(days=days))
    # Waiting is not to be bent along: a role would sleep for days.
    service.environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"


def test_with_the_keys_role_away_mail_comes_in_for_two_weeks_under_an_alarm(
    made: Service, faketime: str
) -> None:
    assert faketime  # the library comes with it
    days_later(made, 14)
    made.start(*WITHOUT_KEYS)
    made.send(mail("The last day"), "vlad@acme.example")
    wait_until(lambda: "keys.overdue" in kinds(made), "the alarm is in the trail")
    assert b"the keys role is away" in made.log.read_bytes()
    made.stop()

    days_later(made, 15)
    made.start(*WITHOUT_KEYS)
    assert refusal(made, "vlad@acme.example") == 451
    made.stop()

    made.start()
    made.send(mail("The keys role is back"), "vlad@acme.example")


def test_a_public_key_that_was_changed_stops_its_mailbox_alone_under_an_alarm(
    service: Service,
) -> None:
    forged = seal.KeyPair.generate().public
    with service.parts() as (parts, _), parts.db.write() as tx:
        vlad = select(Mailbox.id).where(Mailbox.address == "vlad@acme.example")
        today = DayKey.day == datetime.now(UTC).date()
        tx.execute(update(DayKey).where(DayKey.owner_id.in_(vlad), today).values(public=forged))
    for _ in range(2):
        assert refusal(service, "vlad@acme.example") == 451
    service.send(mail("Still comes in"), "maria@acme.example")
    wait_until(lambda: "keys.forged" in kinds(service), "the alarm is in the trail")
    assert kinds(service).count("keys.forged") == 1
    assert b"a public key" in service.log.read_bytes()
    assert len(service.messages("maria@acme.example")) == 1
    assert service.messages("vlad@acme.example") == []


def test_a_clock_that_jumps_ahead_destroys_nothing_until_somebody_confirms_it(
    service: Service, faketime: str
) -> None:
    assert faketime
    service.send(mail("Before the jump"), "vlad@acme.example")
    service.must("sweep")  # what the clock says now is what it jumps from
    today = datetime.now(UTC).date().isoformat()
    service.stop()
    days_later(service, 30)
    service.start()
    service.must("sweep")
    assert today in keyring_days(service)
    assert list((service.data / "objects").rglob("*.seg"))
    assert "keys.clock-held" in kinds(service)
    service.must("keys", "confirm-clock")
    service.must("sweep")
    assert today not in keyring_days(service)
    assert not list((service.data / "objects" / today).rglob("*.seg"))
    service.stop()
