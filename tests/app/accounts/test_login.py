"""Logging in: one answer for every failure, and a trail that never has what was typed."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from app.accounts import login, sessions, users
from app.accounts.entering import Refused
from app.accounts.login import BUSY_WAIT, Half, Login
from app.accounts.passwords import Passwords, PasswordsBusy
from app.accounts.sessions import Client
from app.audit.kinds import LoginFailure
from app.secret import Secret
from archive_store.db import Base
from tests.app.accounts.conftest import CLIENT, NOW, PASSWORD, ROOT, Town

WRONG = Secret("not the password")


def try_in(
    town: Town, address: str, password: Secret = PASSWORD, client: Client = CLIENT
) -> Secret | Half | Refused:
    return Login(town.db, town.passwords).log_in(address, password, client, NOW)


def last_event(town: Town, domain: str = "acme.example") -> tuple[str, dict[str, object]]:
    return town.events(domain)[-1]


@pytest.mark.parametrize(
    "typed", ["vlad@acme.example", "  VLAD@Acme.Example ", "Vlad@ACME.EXAMPLE"]
)
def test_a_person_logs_in_however_the_address_is_spelled(town: Town, typed: str) -> None:
    token = try_in(town, typed)
    assert isinstance(token, Secret)
    with town.db.read() as tx:
        viewer = sessions.current(tx, token, NOW)
    assert viewer is not None
    assert viewer.user.address == "vlad@acme.example"
    assert town.user("vlad@acme.example").last_login_at == NOW
    details = {
        "new_network": True,
        "new_device": True,
        "public_computer": False,
        "method": "password",
    }
    assert last_event(town) == ("login.succeeded", details)


def test_a_wrong_password_is_refused_and_recorded(town: Town) -> None:
    assert try_in(town, "vlad@acme.example", WRONG) == Refused(reason=LoginFailure.WRONG_PASSWORD)
    details = {"address": "vlad@acme.example", "reason": "wrong-password"}
    assert last_event(town) == ("login.failed", details)


def test_a_disabled_person_is_refused_only_after_the_right_password(town: Town) -> None:
    with town.db.write() as tx:
        users.set_disabled(tx, ROOT, users.find(tx, ROOT, "vlad@acme.example"), True, NOW)
    assert try_in(town, "vlad@acme.example") == Refused(reason=LoginFailure.DISABLED)
    assert try_in(town, "vlad@acme.example", WRONG) == Refused(reason=LoginFailure.WRONG_PASSWORD)


@pytest.mark.parametrize(
    ("typed", "domain", "recorded"),
    [
        ("nobody@acme.example", "acme.example", "nobody@acme.example"),
        ("someone@elsewhere.example", "", "@elsewhere.example"),
        ("my secret password", "", ""),
        ("", "", ""),
        ("x" * 10_000, "", ""),
        ("a@b\r\nc@d", "", ""),
        ("\ud800@acme.example", "", ""),
    ],
)
def test_what_was_typed_is_recorded_only_when_it_is_ours(
    town: Town, typed: str, domain: str, recorded: str
) -> None:
    assert try_in(town, typed) == Refused(reason=LoginFailure.UNKNOWN_ACCOUNT)
    details = {"address": recorded, "reason": "unknown-account"}
    assert last_event(town, domain) == ("login.failed", details)


def test_a_person_without_a_domain_is_on_the_installations_trail(town: Town) -> None:
    assert isinstance(try_in(town, "provider@livearchive.example"), Secret)
    assert last_event(town, "")[0] == "login.succeeded"


def test_the_passwords_tried_are_in_no_event_and_no_row(town: Town) -> None:
    canary = "canary-7d1f-in-the-password"
    try_in(town, "vlad@acme.example", Secret(canary))
    try_in(town, canary, Secret(canary))
    with town.db.read() as tx:
        for table in Base.metadata.sorted_tables:
            for row in tx.execute(table.select()):
                assert canary not in str(row)
                assert canary.encode() not in b"".join(v for v in row if isinstance(v, bytes))


def test_after_some_failures_even_the_right_password_must_wait(town: Town) -> None:
    for _ in range(5):
        assert try_in(town, "vlad@acme.example", WRONG) != Secret("")
    outcomes = [try_in(town, "vlad@acme.example") for _ in range(4)]
    refused = Refused(reason=LoginFailure.THROTTLED, retry_after=timedelta(seconds=1))
    assert outcomes == [refused] * 4
    reasons = [details.get("reason") for _, details in town.events("acme.example")]
    assert reasons.count("throttled") == 1
    elsewhere = Client(ip="198.51.100.7")
    assert isinstance(try_in(town, "vlad@acme.example", client=elsewhere), Secret)


def test_failures_are_forgotten_after_a_right_password(town: Town) -> None:
    for _ in range(4):
        for _ in range(4):
            try_in(town, "vlad@acme.example", WRONG)
        assert isinstance(try_in(town, "vlad@acme.example"), Secret)


def test_a_known_network_is_no_longer_new(town: Town) -> None:
    try_in(town, "vlad@acme.example")
    near = Client(ip="192.0.2.200", public_computer=True)
    try_in(town, "vlad@acme.example", client=near)
    details = last_event(town)[1]
    assert (details["new_network"], details["public_computer"]) == (False, True)


def test_a_hash_with_older_costs_is_made_anew(town: Town) -> None:
    before = town.user("vlad@acme.example").password_hash
    stronger = Passwords(PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    login = Login(town.db, stronger)
    assert isinstance(login.log_in("vlad@acme.example", PASSWORD, CLIENT, NOW), Secret)
    after = town.user("vlad@acme.example").password_hash
    assert "t=1" in before
    assert "t=2" in after
    assert stronger.check(after, PASSWORD)


class Busy(Passwords):
    """Has no place free."""

    def check(self, kept: str | None, password: Secret) -> bool:
        raise PasswordsBusy


def test_when_too_many_log_in_at_once_nothing_is_counted(town: Town) -> None:
    busy = Login(town.db, Busy())
    for _ in range(30):
        outcome = busy.log_in("vlad@acme.example", PASSWORD, CLIENT, NOW)
        assert outcome == Refused(reason=LoginFailure.THROTTLED, retry_after=BUSY_WAIT)
    assert isinstance(try_in(town, "vlad@acme.example"), Secret)


class Changing(Passwords):
    """Somebody changes the password while it is being checked."""

    def __init__(self, town: Town) -> None:
        super().__init__(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        self.town = town

    def check(self, kept: str | None, password: Secret) -> bool:
        with self.town.db.write() as tx:
            user = users.find(tx, ROOT, "vlad@acme.example")
            users.reset_password(tx, ROOT, user, "another hash", NOW)
        return super().check(kept, password)


def test_a_password_changed_meanwhile_wins(town: Town) -> None:
    outcome = Login(town.db, Changing(town)).log_in("vlad@acme.example", PASSWORD, CLIENT, NOW)
    assert outcome == Refused(reason=LoginFailure.WRONG_PASSWORD)


def test_no_transaction_is_open_while_a_password_is_checked(town: Town) -> None:
    """Changing.check above writes: on SQLite it would wait for ever if one were."""
    Login(town.db, Changing(town)).log_in("vlad@acme.example", PASSWORD, CLIENT, NOW)
    assert town.user("vlad@acme.example").password_hash == "another hash"


def test_logging_out_ends_this_session_once(town: Town) -> None:
    viewer, other = town.viewer("vlad@acme.example"), town.viewer("vlad@acme.example")
    for _ in range(2):
        with town.db.write() as tx:
            login.log_out(tx, viewer, NOW)
    with town.db.read() as tx:
        assert sessions.current(tx, viewer.token, NOW) is None
        assert sessions.current(tx, other.token, NOW) is not None
    assert [kind for kind, _ in town.events("acme.example")].count("login.ended") == 1
