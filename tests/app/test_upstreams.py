"""Servers that log in: the right password, the wrong one, and guessing."""

import asyncio
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner

from app.accounts.passwords import Passwords, PasswordsBusy
from app.audit.events import Event, SmtpLoggedIn, SmtpLoginFailed
from app.cli.main import app
from app.config import Config
from app.secret import Secret
from app.upstreams import (
    FAILURES,
    MOST_FAILURES_TOLD,
    PAUSE,
    REMEMBER,
    TOLD_AGAIN,
    LoginTrail,
    UpstreamLogins,
)
from archive_store.db import Database
from smtp_ingest.auth import Credentials

RIGHT, WRONG = Credentials("mx1", "correct horse"), Credentials("mx1", "wrong horse")


class CountedPasswords(Passwords):
    """Counts what it checks; `busy`: has no time."""

    def __init__(self) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.checked = 0
        self.busy = False

    def check(self, kept: str | None, password: Secret) -> bool:
        if self.busy:
            raise PasswordsBusy
        self.checked += 1
        return super().check(kept, password)


class KeptTrail(LoginTrail):
    """Keeps the events in a list."""

    def __init__(self) -> None:
        self.events: list[tuple[Event, str]] = []

    def record(self, event: Event, client_ip: str) -> None:
        self.events.append((event, client_ip))


class Office:
    """Logins with a clock that the test turns."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.passwords = CountedPasswords()
        hashes = {"mx1": self.passwords.hash(Secret("correct horse"))}
        self.trail = KeptTrail()
        self.logins = UpstreamLogins(hashes, self.trail, self.passwords, lambda: self.now)

    def ask(self, credentials: Credentials, client_ip: str = "192.0.2.1") -> bool | None:
        return asyncio.run(self.logins.check(credentials, client_ip))


@pytest.fixture
def office() -> Office:
    return Office()


def test_only_the_right_password_of_a_known_name_counts(office: Office) -> None:
    assert office.ask(RIGHT) is True
    assert office.ask(WRONG) is False
    assert office.ask(Credentials("mx2", "correct horse")) is False


def test_what_was_right_is_remembered_for_a_while(office: Office) -> None:
    assert [office.ask(RIGHT) for _ in range(3)] == [True] * 3
    assert office.passwords.checked == 1
    office.now += REMEMBER
    assert office.ask(RIGHT) is True
    assert office.passwords.checked == 2


def test_who_guesses_is_put_off_and_nothing_more_is_checked(office: Office) -> None:
    assert [office.ask(WRONG) for _ in range(FAILURES + 3)] == [False] * FAILURES + [None] * 3
    assert office.passwords.checked == FAILURES
    assert office.ask(RIGHT) is None
    assert office.ask(RIGHT, "192.0.2.2") is True  # another host is not concerned
    office.now += PAUSE
    assert office.ask(WRONG) is False


def test_a_server_that_is_in_does_not_suffer_from_guesses_beside_it(office: Office) -> None:
    office.ask(RIGHT)
    for _ in range(FAILURES):
        office.ask(WRONG)
    assert office.ask(RIGHT) is True


def test_the_addresses_of_one_network_count_together(office: Office) -> None:
    for number in range(FAILURES):
        office.ask(WRONG, f"2001:db8::{number}")
    assert office.ask(WRONG, "2001:db8::ffff") is None
    assert office.ask(WRONG, "2001:db8:0:1::1") is False


def test_right_passwords_are_no_guesses(office: Office) -> None:
    for _ in range(3 * FAILURES):
        office.now += REMEMBER
        assert office.ask(RIGHT) is True


def test_many_guesses_at_once_are_many(office: Office) -> None:
    async def scenario() -> list[bool | None]:
        asked = [office.logins.check(WRONG, "192.0.2.1") for _ in range(20)]
        return list(await asyncio.gather(*asked))

    told = asyncio.run(scenario())
    assert told.count(False) == FAILURES
    assert told.count(None) == 20 - FAILURES


def test_without_time_to_check_nothing_is_held_against_a_client(office: Office) -> None:
    office.passwords.busy = True
    assert [office.ask(RIGHT) for _ in range(2 * FAILURES)] == [None] * (2 * FAILURES)
    office.passwords.busy = False
    assert office.ask(RIGHT) is True


def test_the_command_writes_what_the_setting_reads() -> None:
    run = CliRunner().invoke(app, ["smtp-login", "mx1"])
    line, shown = run.stdout.splitlines()
    config = Config.load({"LIVEARCHIVE_SMTP_LOGINS": line})
    logins = UpstreamLogins(dict(config.smtp_logins), KeptTrail())
    password = shown.removeprefix("password: ")
    assert asyncio.run(logins.check(Credentials("mx1", password), "192.0.2.1")) is True


def test_the_command_takes_a_password_and_shows_none() -> None:
    words = ["smtp-login", "mx1", "--password-stdin"]
    run = CliRunner().invoke(app, words, input="correct horse battery\n")
    assert run.stdout.startswith("mx1:$argon2id$")
    assert "correct" not in run.stdout
    assert CliRunner().invoke(app, words, input="short\n").exit_code == 1
    assert CliRunner().invoke(app, ["smtp-login", "m x"]).exit_code == 1


def test_the_trail_has_a_servers_success_once_a_day_and_address(office: Office) -> None:
    for ip in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        assert office.ask(RIGHT, ip)
    office.now += TOLD_AGAIN
    assert office.ask(RIGHT)
    event = SmtpLoggedIn(login="mx1")
    ips = ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
    assert office.trail.events == [(event, ip) for ip in ips]


def test_the_trail_has_the_first_failure_and_the_one_that_makes_wait(office: Office) -> None:
    for _ in range(FAILURES + 3):
        office.ask(WRONG)
    assert office.trail.events == [
        (SmtpLoginFailed(login="mx1", must_wait=False), "192.0.2.1"),
        (SmtpLoginFailed(login="mx1", must_wait=True), "192.0.2.1"),
    ]


def test_the_trail_has_no_name_that_is_not_ours(office: Office) -> None:
    office.ask(Credentials("correct horse", "mx1"))
    assert office.trail.events == [(SmtpLoginFailed(login="", must_wait=False), "192.0.2.1")]


def test_many_who_guess_cannot_fill_the_trail(office: Office) -> None:
    for number in range(MOST_FAILURES_TOLD + 20):
        office.ask(WRONG, f"198.51.{number // 256}.{number % 256}")
    assert len(office.trail.events) == MOST_FAILURES_TOLD
    office.now += 3600
    office.ask(WRONG, "203.0.113.1")
    assert len(office.trail.events) == MOST_FAILURES_TOLD + 1


def test_a_database_that_is_away_stops_no_log_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    db = Database(f"sqlite:///{tmp_path / 'empty'}")  # without tables
    LoginTrail(db).record(SmtpLoggedIn(login="mx1"), "192.0.2.1")
    db.close()
    assert "could not be recorded" in caplog.text
