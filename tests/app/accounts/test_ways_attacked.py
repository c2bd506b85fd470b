"""What somebody tries who got hold of a way in, or has none: on both databases."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.accounts import throttle
from app.accounts.habits import HabitDesk
from app.accounts.passwords import PasswordsBusy
from app.login_views import NotConfirmed, SecondStep, StepOver
from app.secret import Secret
from app.views import BadEntry, LoginRefused
from archive_store import ids
from archive_store.errors import StoreBusy
from tests.app.accounts.authenticator import Device
from tests.app.accounts.conftest import PASSWORD, Town
from tests.app.accounts.house import MARIA, SITE, VLAD, Form, House


@pytest.fixture
def house(town: Town, tmp_path: Path) -> House:
    return House(town, tmp_path / "house")


def test_an_administrator_cannot_come_in_by_code_and_end_the_notice_of_it(house: House) -> None:
    vlad, browser = house.town.user(VLAD), Form()
    house.viewer(browser)
    admin = house.viewer(Form(address=MARIA))
    house.desk.reset(admin, ids.show(vlad.id))
    reset_at = house.now
    house.later(minutes=1)
    code = Secret(house.desk.give_code(admin, ids.show(vlad.id)).code)
    elsewhere = Form(client_ip="203.0.113.9", device=Secret("another"))
    intruder = house.visit(house.entrance.by_code(VLAD, code, elsewhere)).viewer
    assert house.own.news(intruder).methods_reset_at is None
    house.own.note_told(intruder, elsewhere.device)
    house.later(minutes=1)
    news = house.own.news(house.viewer(browser))
    assert news.methods_reset_at == reset_at
    assert [one.client_ip for one in news.log_ins] == ["203.0.113.9"]


def test_nonsense_for_passkeys_does_not_fill_the_trail_and_keeps_nobody_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = throttle.Limit(3, timedelta(minutes=1), timedelta(hours=1))
    monkeypatch.setattr(throttle, "NETWORK", limit)
    device = house.with_passkey()
    for _ in range(8):
        step, _ = house.entrance.ask_passkey(Form())
        with pytest.raises(LoginRefused):
            house.entrance.by_passkey(step, "{}", Form())
    kinds = [kind for kind, _ in house.town.events()]
    assert kinds.count("login.failed") == 3
    assert house.live(house.by_passkey(device))


def test_a_session_by_code_ends_no_other_and_signs_no_mail(house: House) -> None:
    code, own = house.with_codes()[0], house.accounts.login(Form())
    intruder = house.visit(house.entrance.by_code(VLAD, code, Form())).viewer
    other = next(one.id for one in house.accounts.sessions(intruder) if not one.current)
    habits = HabitDesk(house.db, house.clock)
    deeds: tuple[Callable[[], None], ...] = (
        lambda: house.accounts.revoke(intruder, other),
        lambda: house.accounts.revoke_others(intruder),
        lambda: house.accounts.revoke_all(intruder),
        lambda: habits.set_habits(intruder, habits.habits(intruder)),
    )
    for deed in deeds:
        with pytest.raises(NotConfirmed):
            deed()
    assert house.live(own)
    house.accounts.logout(intruder)  # its own it can end
    assert not house.live(intruder.token)


def test_what_waits_for_its_second_half_ends_with_the_password(house: House) -> None:
    app = house.with_app()
    with pytest.raises(SecondStep) as step:
        house.accounts.login(Form())
    viewer = house.town.viewer(VLAD, house.now)
    house.accounts.change_password(viewer, PASSWORD, Secret("grey herons wade 7"))
    with pytest.raises(StepOver):
        house.entrance.second_half(step.value.token, house.shown(app), Form())


def test_anothers_passkey_cannot_be_added_as_ones_own(house: House) -> None:
    hers = house.with_passkey(MARIA)
    vlad, mine = house.viewer(), Device(SITE.origin, SITE.name)
    mine.credential_id = hers.credential_id
    step, options = house.own.ask_new_passkey(vlad)
    with pytest.raises(BadEntry, match="no passkey"):
        house.own.add_passkey(vlad, step, "", mine.create(options))
    assert house.own.methods(vlad).passkeys == ()
    assert house.live(house.by_passkey(hers, Form(address=MARIA)))


def test_a_password_that_nobody_looked_at_counts_for_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    vlad = house.viewer()

    def busy(*_: object) -> bool:
        raise PasswordsBusy

    with monkeypatch.context() as patch:
        patch.setattr(house.town.passwords, "check", busy)
        for _ in range(throttle.PAIR.free):
            with pytest.raises(StoreBusy):
                house.own.confirm(vlad, password=PASSWORD, code=Secret(""))
            with pytest.raises(BadEntry, match="busy"):
                house.accounts.change_password(vlad, PASSWORD, Secret("grey herons wade 7"))
    assert house.own.confirm(vlad, password=PASSWORD, code=Secret(""))
