"""What the account pages call."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from app.accounts import users
from app.accounts.service import Accounts
from app.secret import Secret
from app.views import BadEntry, LoginRefused, LoginThrottled
from tests.app.accounts.conftest import NOW, PASSWORD, ROOT, Town

NEW = Secret("seven grey herons wade")


@dataclass(frozen=True)
class Form:
    password: Secret = PASSWORD
    address: str = "vlad@acme.example"
    client_ip: str = "192.0.2.7"
    user_agent: str = "Test/1"
    public_computer: bool = False
    device: Secret | None = None


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def accounts(town: Town, clock: Callable[[], datetime]) -> Accounts:
    return Accounts(town.db, town.passwords, clock)


def test_from_log_in_to_log_out(accounts: Accounts) -> None:
    token = accounts.login(Form())
    visit = accounts.current(token, "192.0.2.99")
    assert visit is not None
    assert visit.viewer.user.address == "vlad@acme.example"
    assert visit.viewer.client_ip == "192.0.2.99"
    assert visit.expires_at == NOW + timedelta(hours=12)
    accounts.logout(visit.viewer)
    assert accounts.current(token, "192.0.2.7") is None


def test_a_session_in_use_stays(accounts: Accounts, clock: Clock) -> None:
    token = accounts.login(Form())
    for _ in range(5):
        clock.now += timedelta(minutes=20)
        assert accounts.current(token, "") is not None
    clock.now += timedelta(minutes=31)
    assert accounts.current(token, "") is None


def test_refusals_say_no_more_than_that(accounts: Accounts, town: Town) -> None:
    with town.db.write() as tx:
        users.set_disabled(tx, ROOT, users.find(tx, ROOT, "audit@acme.example"), True, NOW)
    wrong = (
        Form(password=NEW),
        Form(address="nobody@acme.example"),
        Form(address="audit@acme.example"),
    )
    for form in wrong:
        with pytest.raises(LoginRefused) as caught:
            accounts.login(form)
        assert str(caught.value) == ""


def test_who_must_wait_is_told_how_long(accounts: Accounts) -> None:
    for _ in range(5):
        with pytest.raises(LoginRefused):
            accounts.login(Form(password=NEW))
    with pytest.raises(LoginThrottled) as caught:
        accounts.login(Form())
    assert caught.value.retry_after == 1


def test_own_sessions_are_listed_and_ended(accounts: Accounts, town: Town) -> None:
    tokens = [accounts.login(Form()) for _ in range(3)]
    first = accounts.current(tokens[0], "")
    maria = town.viewer("maria@acme.example")
    assert first is not None
    listed = accounts.sessions(first.viewer)
    assert [view.current for view in listed].count(True) == 1
    assert tokens[0].reveal() not in str(listed)
    other = next(view.id for view in listed if not view.current)
    accounts.revoke(maria, other)
    assert len(accounts.sessions(first.viewer)) == 3
    accounts.revoke(first.viewer, other)
    accounts.revoke(first.viewer, "nonsense")
    assert len(accounts.sessions(first.viewer)) == 2
    accounts.revoke_others(first.viewer)
    assert [view.current for view in accounts.sessions(first.viewer)] == [True]
    kinds = [kind for kind, _ in town.events("acme.example")]
    assert kinds.count("login.revoked") == 2


def test_the_own_password_is_changed_with_the_old_one(accounts: Accounts, clock: Clock) -> None:
    token, other = accounts.login(Form()), accounts.login(Form())
    visit = accounts.current(token, "192.0.2.7")
    assert visit is not None
    accounts.change_password(visit.viewer, PASSWORD, NEW)
    assert accounts.current(token, "") is not None
    assert accounts.current(other, "") is None
    with pytest.raises(LoginRefused):
        accounts.login(Form())
    assert accounts.login(Form(password=NEW))


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (NEW, NEW, "old"),
        (PASSWORD, Secret("short"), "new"),
        (PASSWORD, Secret("Vlad Ivanov1"), "new"),
    ],
)
def test_a_bad_change_of_password_is_refused_at_its_field(
    accounts: Accounts, old: Secret, new: Secret, field: str
) -> None:
    visit = accounts.current(accounts.login(Form()), "192.0.2.7")
    assert visit is not None
    with pytest.raises(BadEntry) as caught:
        accounts.change_password(visit.viewer, old, new)
    assert caught.value.field == field
    assert accounts.login(Form())


def test_with_a_stolen_session_nobody_guesses_the_password(accounts: Accounts, town: Town) -> None:
    visit = accounts.current(accounts.login(Form()), "192.0.2.7")
    assert visit is not None
    for _ in range(5):
        with pytest.raises(BadEntry, match="not your present"):
            accounts.change_password(visit.viewer, NEW, NEW)
    with pytest.raises(BadEntry, match="Too many"):
        accounts.change_password(visit.viewer, PASSWORD, NEW)
    kinds = [kind for kind, _ in town.events("acme.example")]
    assert kinds.count("login.failed") == 5
