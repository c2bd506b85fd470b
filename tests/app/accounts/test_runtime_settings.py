"""Settings that change while the product runs."""

import pytest

from app import settings
from app.accounts.errors import Forbidden, Invalid
from app.models import Setting
from app.settings import LOGIN_NOTICE, RUNTIME_SETTINGS
from tests.app.accounts.conftest import NOW, ROOT, Town


def test_a_setting_has_its_default_until_it_is_set(town: Town) -> None:
    with town.db.write() as tx:
        assert settings.get(tx, LOGIN_NOTICE) == ""
        for _ in range(2):
            settings.put(tx, ROOT, LOGIN_NOTICE, " Ask Anna, room 12 ", NOW)
        assert settings.get(tx, LOGIN_NOTICE) == "Ask Anna, room 12"
    told = [details for kind, details in town.events() if kind == "setting.changed"]
    assert told == [{"setting": "login-notice", "old": "", "new": "Ask Anna, room 12"}]


@pytest.mark.parametrize("text", ["x" * 501, "a\x1bb"])
def test_a_bad_value_is_refused(town: Town, text: str) -> None:
    with town.db.write() as tx, pytest.raises(Invalid, match="login-notice: expected"):
        settings.put(tx, ROOT, LOGIN_NOTICE, text, NOW)


def test_a_row_that_cannot_be_read_counts_as_not_set(town: Town) -> None:
    with town.db.write() as tx:
        tx.add(Setting(name=LOGIN_NOTICE.name, value="x" * 501, changed_at=NOW))
    with town.db.read() as tx:
        assert settings.get(tx, LOGIN_NOTICE) == ""


def test_only_a_provider_sets_what_all_see(town: Town) -> None:
    maria = town.viewer("maria@acme.example")
    provider = town.viewer("provider@livearchive.example")
    with town.db.write() as tx:
        with pytest.raises(Forbidden):
            settings.put(tx, maria, LOGIN_NOTICE, "Hello", NOW)
        settings.put(tx, provider, LOGIN_NOTICE, "Hello", NOW)


def test_names_and_defaults_are_sound() -> None:
    assert len({setting.name for setting in RUNTIME_SETTINGS}) == len(RUNTIME_SETTINGS)
    for setting in RUNTIME_SETTINGS:
        assert setting.parse(setting.show(setting.default)) == setting.default
