"""How often a log-in may be tried, and that nobody can lock an owner out."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts import throttle
from app.accounts.networks import network_of
from app.accounts.throttle import ACCOUNT, NETWORK, PAIR, Limit, counts_for
from app.models import LoginThrottle
from tests.app.accounts.conftest import NOW, Town

HOME, ELSEWHERE = "192.0.2.0/24", "203.0.113.0/24"


def tries(tx: Session, user_id: bytes | None, network: str, now: datetime, count: int) -> int:
    """How many of `count` attempts at one moment are let through."""
    counts = counts_for(tx, user_id, "typed@acme.example", network, now)
    return sum(throttle.charge(tx, counts, now) is None for _ in range(count))


def test_waits_double_up_to_a_limit_and_are_forgotten() -> None:
    limit = Limit(3, timedelta(seconds=10), timedelta(hours=1))
    waits = [limit.wait(failures, NOW, NOW).total_seconds() for failures in range(9)]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 10, 10]
    assert limit.wait(10**9, NOW, NOW) == timedelta(seconds=10)
    assert limit.wait(5, NOW, NOW + timedelta(seconds=3)) == timedelta(seconds=1)
    assert limit.wait(5, NOW, NOW + timedelta(seconds=4)) == timedelta()
    assert limit.wait(5, NOW, NOW + timedelta(hours=1)) == timedelta()


def test_an_account_can_be_tried_some_times_from_a_network(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        assert tries(tx, vlad, HOME, NOW, 50) == PAIR.free
        assert tries(tx, vlad, HOME, NOW + timedelta(seconds=1), 50) == 1
        assert tries(tx, vlad, HOME, NOW + timedelta(seconds=2), 50) == 0
        assert tries(tx, vlad, HOME, NOW + timedelta(seconds=3), 50) == 1
        assert tries(tx, vlad, HOME, NOW + timedelta(days=2), 50) == PAIR.free


def test_many_networks_share_one_count_of_the_account(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        passed = sum(tries(tx, vlad, f"10.0.{n}.0/24", NOW, 5) for n in range(50))
    assert passed == ACCOUNT.free


def test_an_attacked_account_lets_its_owner_in_from_a_known_network(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        assert throttle.remember(tx, vlad, HOME, NOW)
        assert not throttle.remember(tx, vlad, HOME, NOW)
        for n in range(50):
            tries(tx, vlad, f"10.0.{n}.0/24", NOW, 5)
        assert tries(tx, vlad, ELSEWHERE, NOW, 1) == 0
        assert tries(tx, vlad, HOME, NOW, 1) == 1
        # A known network is no free pass, and is not known for ever.
        assert tries(tx, vlad, HOME, NOW, 50) == PAIR.free - 1
        assert not throttle.is_known(tx, vlad, HOME, NOW + timedelta(days=90))


def test_one_network_cannot_try_all_accounts(town: Town) -> None:
    with town.db.write() as tx:
        passed = 0
        for n in range(NETWORK.free + 50):
            counts = counts_for(tx, None, f"person{n}@acme.example", ELSEWHERE, NOW)
            passed += throttle.charge(tx, counts, NOW) is None
    # Unknown addresses share buckets, so a few are refused for that.
    assert NETWORK.free - 5 <= passed <= NETWORK.free


def test_an_unknown_address_is_held_to_the_same_limits(town: Town) -> None:
    with town.db.write() as tx:
        assert tries(tx, None, HOME, NOW, 50) == PAIR.free


def test_an_unknown_address_cannot_be_read_back(town: Town) -> None:
    with town.db.write() as tx:
        for n in range(300):
            counts = counts_for(tx, None, f"my secret password {n}", f"10.{n % 250}.0.0/24", NOW)
            throttle.charge(tx, counts, NOW)
        keys = list(tx.scalars(select(LoginThrottle.key)))
    assert not [key for key in keys if "secret" in key]
    accounts = [key.split()[1] for key in keys if not key.startswith("network")]
    assert {len(account) for account in accounts} == {5}  # "?" and 16 bits


def test_a_right_password_forgets_this_network_and_only_gives_back_elsewhere(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        tries(tx, vlad, ELSEWHERE, NOW, 4)
        counts = counts_for(tx, vlad, "", HOME, NOW)
        throttle.charge(tx, counts, NOW)
        throttle.forgive(tx, counts)
        left = {row.key.split()[0]: row.failures for row in tx.scalars(select(LoginThrottle))
                if ELSEWHERE not in row.key}  # fmt: skip
    assert left == {"account": 4, "network": 0}


def test_an_attempt_that_was_never_made_is_given_back(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        for _ in range(20):
            counts = counts_for(tx, vlad, "", HOME, NOW)
            assert throttle.charge(tx, counts, NOW) is None
            throttle.refund(tx, counts)


def test_a_wait_is_told_once(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        counts = counts_for(tx, vlad, "", HOME, NOW)
        outcomes = [throttle.charge(tx, counts, NOW) for _ in range(8)]
        told = [outcome.first for outcome in outcomes if outcome]
        assert told == [True, False, False]
        assert throttle.is_noted(tx, counts)


def test_what_is_long_past_is_removed(town: Town) -> None:
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        tries(tx, vlad, HOME, NOW, 1)
        throttle.remember(tx, vlad, HOME, NOW)
        throttle.purge(tx, NOW + timedelta(hours=23))
        assert tx.scalar(select(func.count()).select_from(LoginThrottle)) == 3
        throttle.purge(tx, NOW + timedelta(days=91))
        assert tx.scalar(select(func.count()).select_from(LoginThrottle)) == 0
        assert not throttle.is_known(tx, vlad, HOME, NOW)


@pytest.mark.parametrize(
    ("client_ip", "network"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_a_client_belongs_to_a_network(client_ip: str, network: str) -> None:
    assert network_of(client_ip) == network
