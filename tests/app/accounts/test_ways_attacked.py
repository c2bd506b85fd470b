"""What somebody tries who got hold of a way in, or has none: on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.accounts import throttle
from app.secret import Secret
from app.views import LoginRefused
from archive_store import ids
from tests.app.accounts.conftest import Town
from tests.app.accounts.house import MARIA, VLAD, Form, House


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
