"""Keys of the ways to log in: digests that nobody else can make, apps that only say yes or no."""

import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest

from app.accounts import codes, totp
from app.keys.client import KeysClient
from app.keys.factors import CHECKS_PER_MINUTE
from app.keys.server import KeysServer
from app.keys.verb_tables import verb_tables
from app.secret import Secret
from archive_store.errors import NotFound, StoreBusy
from archive_store.ids import new_id
from tests.app.keys.test_agent import Home

CODES = [Secret("abcdefghjkmn"), Secret("abcdefghjkmp")]
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path, f"sqlite:///{tmp_path / 'db'}")
    yield home
    home.db.close()


def test_a_code_is_sixty_bits_in_signs_that_cannot_be_mistaken() -> None:
    made = [codes.generate().reveal() for _ in range(200)]
    assert len(set(made)) == 200
    signs = {sign for code in made for sign in code.replace("-", "")}
    assert len(signs) == 32
    assert not signs & set("lo01")
    assert all(re.fullmatch(r"(\w{4}-){2}\w{4}", code) for code in made)


def test_a_digest_is_of_one_code_one_person_and_one_installation(
    home: Home, tmp_path: Path
) -> None:
    server = KeysServer(home.agent(), tmp_path)
    one, other = new_id(), new_id()
    with closing(KeysClient(tmp_path, "web")) as web, closing(KeysClient(tmp_path, "admin")) as op:
        mine = web.code_digests(one, CODES)
        assert mine == op.code_digests(one, CODES, operator=True)
        assert len({*mine, *web.code_digests(other, CODES)}) == 4
    server.close()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    foreign = Home(elsewhere, f"sqlite:///{elsewhere / 'db'}")
    table = verb_tables(foreign.agent())
    assert "code_digests" in table["web"]
    others = table["deliver"] | table["index"] | table["sweep"]
    assert not {"code_digests", "operator_code_digests"} & others.keys()
    assert not {"begin_app", "confirm_app", "check_app"} & table["admin"].keys()
    foreign.db.close()


def test_an_app_is_of_a_session_and_its_checks_have_a_limit(home: Home) -> None:
    table = verb_tables(home.agent())["web"]
    with pytest.raises(NotFound):
        table["begin_app"]({"token": "nobody's"})
    nobody = {"user": "AAAAAAAAAAAAAAAAAAAAAA==", "code": "000000"}
    for _ in range(CHECKS_PER_MINUTE):
        assert table["check_app"](nobody) is False
    with pytest.raises(StoreBusy):
        table["check_app"](nobody)


@pytest.mark.parametrize(("ahead", "taken"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(ahead: int, taken: bool) -> None:
    secret = totp.generate()
    typed = Secret(pyotp.TOTP(secret.reveal()).at(int(AT.timestamp()) + ahead))
    step = totp.matching_step(secret, typed, AT)
    assert (step is not None) is taken
    assert step is None or step == (int(AT.timestamp()) + ahead) // totp.STEP_SECONDS


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "１２３４５６", "\ud800" * 6, "12345a"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert totp.matching_step(totp.generate(), Secret(typed), AT) is None
    assert not totp.looks_like_one(Secret(typed))
