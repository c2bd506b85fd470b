"""Sessions: how long they live, and that they end when they must."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import sessions, users
from app.accounts.sessions import Client
from app.models import LoginSession
from app.secret import Secret
from app.viewer import Role, Viewer
from tests.app.accounts.conftest import CLIENT, NOW, ROOT, Town

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def begin(town: Town, address: str, client: Client = CLIENT) -> Secret:
    with town.db.write() as tx:
        return sessions.start(tx, users.find(tx, ROOT, address), client, NOW)


def lives(town: Town, token: Secret, after: timedelta) -> bool:
    with town.db.read() as tx:
        return sessions.current(tx, token, NOW + after) is not None


def use(town: Town, token: Secret, after: timedelta) -> None:
    with town.db.write() as tx:
        sessions.touch(tx, sessions.hash_of(token), NOW + after)


def test_a_token_tells_who_holds_it(town: Town) -> None:
    token = begin(town, "maria@acme.example")
    with town.db.read() as tx:
        viewer = sessions.current(tx, token, NOW, client_ip="198.51.100.9")
    assert viewer is not None
    assert viewer.user.address == "maria@acme.example"
    assert (viewer.user.role, viewer.user.domain_name) == (Role.DOMAIN_ADMIN, "acme.example")
    assert viewer.user.live
    assert viewer.client_ip == "198.51.100.9"
    assert viewer.mailbox_id == town.user("maria@acme.example").mailbox_id


def test_a_provider_has_no_domain_and_no_mailbox(town: Town) -> None:
    viewer = town.viewer("provider@livearchive.example")
    assert (viewer.mailbox_id, viewer.user.domain_id, viewer.user.live) == (None, None, False)


@pytest.mark.parametrize("text", ["", "x", "x" * 43, "x" * 1_000_000, "\ud800"])
def test_another_token_is_nobodys(town: Town, text: str) -> None:
    begin(town, "vlad@acme.example")
    assert not lives(town, Secret(text), timedelta())


def test_the_token_is_long_and_random_and_not_in_the_database(town: Town) -> None:
    tokens = {begin(town, "vlad@acme.example").reveal() for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {43}  # 256 bits in base64
    with town.db.read() as tx:
        kept = [row.token_hash for row in tx.scalars(select(LoginSession))]
    assert {len(hash) for hash in kept} == {32}
    assert not [hash for hash in kept for token in tokens if token.encode() in hash]


@pytest.mark.parametrize(
    ("address", "public", "idle"),
    [
        ("vlad@acme.example", False, 30),
        ("vlad@acme.example", True, 15),
        ("maria@acme.example", False, 15),
        ("audit@acme.example", False, 15),
        ("provider@livearchive.example", False, 15),
        ("maria@acme.example", True, 15),
    ],
)
def test_an_idle_session_ends(town: Town, address: str, public: bool, idle: int) -> None:
    token = begin(town, address, Client(ip="192.0.2.7", public_computer=public))
    assert lives(town, token, idle * MINUTE - timedelta(seconds=1))
    assert not lives(town, token, idle * MINUTE)


@pytest.mark.parametrize(
    ("address", "hours"), [("vlad@acme.example", 12), ("maria@acme.example", 8)]
)
def test_a_session_in_use_ends_all_the_same(town: Town, address: str, hours: int) -> None:
    token = begin(town, address)
    use(town, token, hours * HOUR - MINUTE)
    assert lives(town, token, hours * HOUR - timedelta(seconds=1))
    use(town, token, hours * HOUR)
    assert not lives(town, token, hours * HOUR)


def test_a_role_given_later_shortens_the_session(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    with town.db.write() as tx:
        users.change(tx, ROOT, users.find(tx, ROOT, "vlad@acme.example"),
                     {"role": "domain-admin"}, NOW)  # fmt: skip
    assert not lives(town, token, 15 * MINUTE)
    use(town, token, 9 * HOUR)
    assert not lives(town, token, 9 * HOUR)


def test_using_a_session_keeps_it_and_never_brings_an_ended_one_back(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    use(town, token, 29 * MINUTE)
    assert lives(town, token, 58 * MINUTE)
    use(town, token, 10 * MINUTE)  # a late write of an earlier request
    assert lives(town, token, 58 * MINUTE)
    with town.db.write() as tx:
        user = users.find(tx, ROOT, "vlad@acme.example")
        assert sessions.revoke(tx, user.id, [sessions.hash_of(token)], NOW + 58 * MINUTE) == 1
    use(town, token, 59 * MINUTE)
    assert not lives(town, token, 59 * MINUTE)


def test_a_write_is_due_once_a_minute(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    with town.db.read() as tx:
        early = sessions.look_up(tx, token, NOW + timedelta(seconds=59))
        later = sessions.look_up(tx, token, NOW + MINUTE)
    assert early is not None
    assert not early.touch_due
    assert later is not None
    assert later.touch_due


def test_nobody_ends_a_session_of_somebody_else(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    maria = town.user("maria@acme.example").id
    with town.db.write() as tx:
        assert sessions.revoke(tx, maria, [sessions.hash_of(token)], NOW) == 0
        assert sessions.revoke_all(tx, maria, NOW) == 0
    assert lives(town, token, MINUTE)


def test_all_sessions_but_one_can_be_ended(town: Town) -> None:
    tokens = [begin(town, "vlad@acme.example") for _ in range(3)]
    vlad = town.user("vlad@acme.example").id
    with town.db.write() as tx:
        assert sessions.revoke_all(tx, vlad, NOW, keep=sessions.hash_of(tokens[1])) == 2
    assert [lives(town, token, MINUTE) for token in tokens] == [False, True, False]


def test_a_disabled_person_has_no_live_session(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    with town.db.write() as tx:
        users.find(tx, ROOT, "vlad@acme.example").disabled = True
    assert not lives(town, token, timedelta())


def test_live_sessions_are_listed(town: Town) -> None:
    viewer: Viewer = town.viewer("vlad@acme.example")
    other = begin(
        town, "vlad@acme.example", Client(ip="192.0.2.8", user_agent="\0\ud800" + "B" * 500)
    )
    use(town, other, 5 * MINUTE)
    begin(town, "maria@acme.example")
    with town.db.read() as tx:
        listed = sessions.list_live(tx, viewer.user, NOW + 6 * MINUTE)
        assert [facts.id for facts in listed] == [sessions.hash_of(other), viewer.session_id]
        assert listed[0].client.user_agent == "??" + "B" * 198
        assert listed[0].seen_at == NOW + 5 * MINUTE
        assert len(sessions.list_live(tx, viewer.user, NOW + 31 * MINUTE)) == 1


def test_sessions_that_ended_are_forgotten_after_a_day(town: Town) -> None:
    token = begin(town, "vlad@acme.example")
    revoked = begin(town, "vlad@acme.example")
    with town.db.write() as tx:
        vlad = users.find(tx, ROOT, "vlad@acme.example").id
        sessions.revoke(tx, vlad, [sessions.hash_of(revoked)], NOW)
        sessions.purge(tx, NOW + 25 * HOUR)
        kept = set(tx.scalars(select(LoginSession.token_hash)))
        assert kept == {sessions.hash_of(token)}
        sessions.purge(tx, NOW + 37 * HOUR)
        assert not list(tx.scalars(select(LoginSession.token_hash)))
