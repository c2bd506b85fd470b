"""A person's address outside: elsewhere, confirmed by a code, and sealed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import outside
from app.accounts.errors import Invalid
from app.accounts.outside_desk import OutsideDesk
from app.audit.query import list_events
from app.delivery.outside import take_code, to_ask
from app.models import Domain, OutsideAddress, User
from app.secret import Secret
from app.views import BadEntry
from archive_store.errors import NotFound, StoreBusy
from tests.app.conftest import OPERATOR, World

CODE = Secret("abcd-efgh-jkmn")
ELSEWHERE = "vlad@home.example"


def mail_code(world: World, code: Secret = CODE) -> None:
    """What the deliver role does with a code."""
    with world.db.write() as tx:
        [one] = to_ask(tx)
        assert take_code(tx, one, code, world.clock())


def test_an_address_counts_once_its_code_was_typed_and_only_then(any_world: World) -> None:
    desk = OutsideDesk(any_world.db, any_world.keys, any_world.clock)
    vlad = any_world.viewer("vlad")
    for bad in ("nonsense", "vlad@acme.example", "vlad@ACME.example."):
        with pytest.raises(BadEntry):
            desk.set_outside(vlad, bad)
    desk.set_outside(vlad, f" {ELSEWHERE} ")
    shown = desk.outside(vlad)
    assert (shown.state, shown.address) == ("asked", ELSEWHERE)
    mail_code(any_world)
    with any_world.db.read() as tx:
        assert to_ask(tx) == []
    with pytest.raises(BadEntry):
        desk.confirm_outside(vlad, Secret("abcd-efgh-jkmm"))
    with pytest.raises(BadEntry):
        desk.confirm_outside(any_world.viewer("maria"), CODE)
    desk.confirm_outside(vlad, Secret("ABCD EFGH JKMN"))
    assert desk.outside(vlad).state == "confirmed"
    desk.remove_outside(vlad)
    assert desk.outside(vlad).state == "none"
    with any_world.db.read() as tx:
        rows = tx.scalars(select(OutsideAddress)).all()
        assert [row.sealed for row in rows] == [None]
        told = list(list_events(tx, any_world.acme.id).entries)
    names = {entry.event for entry in told}
    assert {"outside.set", "outside.confirmed", "outside.removed"} <= names
    assert ELSEWHERE not in repr(told)


def test_codes_are_few_old_ones_are_nothing_and_guesses_end(any_world: World) -> None:
    desk = OutsideDesk(any_world.db, any_world.keys, any_world.clock)
    vlad = any_world.viewer("vlad")
    desk.set_outside(vlad, ELSEWHERE)
    mail_code(any_world)
    for _ in range(outside.MISSES):
        with pytest.raises(BadEntry):
            desk.confirm_outside(vlad, Secret("wrong"))
    with pytest.raises(BadEntry):
        desk.confirm_outside(vlad, CODE)
    for _ in range(outside.CODES_A_DAY - 1):
        desk.remove_outside(vlad)
        desk.set_outside(vlad, ELSEWHERE)
    with pytest.raises(BadEntry):
        desk.set_outside(vlad, ELSEWHERE)
    with pytest.raises(StoreBusy):  # whatever a web process says
        any_world.keys.set_outside(vlad.token, "", ELSEWHERE)
    mail_code(any_world)
    with any_world.db.write() as tx:
        late = any_world.clock() + outside.CODE_FOR
        assert not outside.confirm(tx, OPERATOR, vlad.user.id, CODE, late)
        outside.purge(tx, any_world.clock() + timedelta(days=6))
        assert outside.of(tx, vlad.user.id) == "asked"
        outside.purge(tx, any_world.clock() + timedelta(days=8))
        assert outside.of(tx, vlad.user.id) == "none"


def test_an_address_is_read_by_its_owner_alone_and_is_not_in_the_database(
    any_world: World,
) -> None:
    vlad, maria = any_world.viewer("vlad"), any_world.viewer("maria")
    any_world.keys.set_outside(vlad.token, "", ELSEWHERE)
    own = any_world.keys.own_outside(vlad.token)
    assert own is not None
    assert own.reveal() == ELSEWHERE
    assert any_world.keys.own_outside(maria.token) is None
    with pytest.raises(NotFound):
        any_world.keys.own_outside(Secret("no session"))
    with any_world.db.write() as tx:
        row = tx.scalars(select(OutsideAddress)).one()
        assert ELSEWHERE.encode() not in (row.sealed or b"")
        user = tx.get_one(User, maria.user.id)
        tx.add(
            OutsideAddress(
                user_id=user.id,
                id=row.id,
                sealed=row.sealed,
                misses=0,
                asked=1,
                set_at=row.set_at,
                asked_since=row.set_at,
            )
        )
    assert any_world.keys.own_outside(maria.token) is None  # it opens in its place alone


def test_an_address_by_the_same_mail_server_is_refused(any_world: World) -> None:
    with any_world.db.write() as tx:
        user = tx.get_one(User, any_world.viewer("vlad").user.id)
        outside.checked(tx, user, "vlad@other.example")
        there = tx.scalars(select(Domain).where(Domain.name == "other.example")).one()
        home = tx.get_one(Domain, user.domain_id)
        there.mode, there.relay_host, there.relay_port = "relay", home.relay_host, 25
        with pytest.raises(Invalid):
            outside.checked(tx, user, "vlad@other.example")
