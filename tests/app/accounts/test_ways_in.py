"""The ways in beside the password, on both databases: what they give, and attacks on them."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from app.accounts.passkeys import Site
from app.login_views import NotConfirmed, SecondStep, StepOver
from app.secret import Secret
from app.viewer import Role
from app.views import BadEntry, LoginRefused, LoginThrottled
from archive_store import ids
from archive_store.errors import NotFound
from tests.app.accounts.authenticator import PRESENT, Device
from tests.app.accounts.conftest import Town
from tests.app.accounts.house import AUDIT, MARIA, SITE, VLAD, Form, House

WRONG = Secret("mmmm-mmmm-mmmm")


@pytest.fixture
def house(town: Town, tmp_path: Path) -> House:
    return House(town, tmp_path / "house")


def last(house: House) -> tuple[str, dict[str, object]]:
    return house.town.events("acme.example")[-1]


def half(house: House, form: Form | None = None) -> Secret:
    """The step that a right password gives to somebody with an app."""
    with pytest.raises(SecondStep) as step:
        house.accounts.login(form or Form())
    return step.value.token


def at_once(deed: Callable[[], Secret]) -> list[Secret]:
    """What two who do it at the same time get."""
    got: list[Secret] = []
    ready = threading.Barrier(2)

    def run() -> None:
        ready.wait(60)
        with suppress(LoginRefused, LoginThrottled, StepOver):
            got.append(deed())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_a_one_time_code_reads_mail_and_changes_nothing(house: House) -> None:
    codes = house.with_codes(MARIA)
    assert len(set(codes)) == 10
    typed = Secret(codes[3].reveal().upper().replace("-", " "))
    visit = house.visit(house.entrance.by_code(MARIA, typed, Form()))
    assert (visit.public_computer, visit.limited) == (True, True)
    assert visit.viewer.user.role is Role.USER  # and not the administrator that she is
    assert house.own.methods(visit.viewer).codes_left == 9
    details = last(house)[1]
    assert (details["method"], details["public_computer"]) == ("code", True)
    for deed in (house.own.make_codes, house.own.remove_app, house.own.ask_new_passkey):
        with pytest.raises(NotConfirmed):
            deed(visit.viewer)
    with pytest.raises(NotConfirmed):
        house.own.confirm(visit.viewer, password=Form().password, code=Secret(""))
    with pytest.raises(BadEntry):
        house.accounts.change_password(visit.viewer, Form().password, Secret("grey herons wade 7"))


def test_a_code_serves_once_also_to_two_at_once(house: House) -> None:
    code = house.with_codes()[0]
    assert len(at_once(lambda: house.entrance.by_code(VLAD, code, Form()))) == 1
    with pytest.raises(LoginRefused):
        house.entrance.by_code(VLAD, code, Form())


def test_a_code_of_somebody_else_or_of_an_old_list_is_none(house: House) -> None:
    [old, *_], [hers, *_] = house.with_codes(), house.with_codes(MARIA)
    house.with_codes()
    for code in (old, hers, Secret(""), Secret("\ud800" * 12)):
        with pytest.raises(LoginRefused):
            house.entrance.by_code(VLAD, code, Form())
    assert last(house)[1] == {"address": VLAD, "reason": "wrong-code"}


def test_no_role_that_reads_no_mail_comes_in_by_code(house: House) -> None:
    code = house.with_codes(AUDIT)[0]
    with pytest.raises(LoginRefused):
        house.entrance.by_code(AUDIT, code, Form())
    assert last(house)[1]["reason"] == "not-by-code"


def test_the_same_work_is_done_for_an_address_that_is_nobodys(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    digests = house.keys.code_digests

    def noted(owner: bytes, codes: Sequence[Secret]) -> list[bytes]:
        asked.append(len(owner))
        return digests(owner, codes)

    monkeypatch.setattr(house.keys, "code_digests", noted)
    house.with_codes()
    asked.clear()
    for address in (VLAD, AUDIT, "nobody@acme.example", "no address"):
        with pytest.raises(LoginRefused):
            house.entrance.by_code(address, WRONG, Form(client_ip="198.51.100.9"))
    assert asked == [16] * 4


def test_guessing_codes_has_to_wait_and_keeps_no_owner_out(house: House) -> None:
    device, codes = house.with_passkey(), house.with_codes()
    house.viewer()  # his browser is known from now on
    elsewhere = Form(client_ip="198.51.100.9", device=Secret("another"))
    for _ in range(30):
        with suppress(LoginRefused, LoginThrottled):
            house.entrance.by_code(VLAD, WRONG, elsewhere)
    with pytest.raises(LoginThrottled):
        house.entrance.by_code(VLAD, codes[0], elsewhere)
    assert house.live(house.by_passkey(device, elsewhere))
    assert house.live(house.entrance.by_code(VLAD, codes[1], Form()))


def test_an_administrators_code_lasts_an_hour_and_replaces_nothing(house: House) -> None:
    admin, vlad = house.viewer(Form(address=MARIA)), house.town.user(VLAD)
    own = house.with_codes()
    app = house.with_app()
    given = [Secret(house.desk.give_code(admin, ids.show(vlad.id)).code) for _ in range(2)]
    with pytest.raises(LoginRefused):  # the second ended the first
        house.entrance.by_code(VLAD, given[0], Form())
    step = half(house)
    with pytest.raises(LoginRefused):  # nor does it stand in for the app
        house.entrance.second_half(step, given[1], Form())
    third = Secret(house.desk.give_code(admin, ids.show(vlad.id)).code)
    visit = house.visit(house.entrance.by_code(VLAD, third, Form()))
    assert visit.limited
    assert last(house)[1]["method"] == "given-code"
    late = Secret(house.desk.give_code(admin, ids.show(vlad.id)).code)
    house.later(hours=1)
    with pytest.raises(LoginRefused):
        house.entrance.by_code(VLAD, late, Form())
    assert house.live(house.entrance.by_code(VLAD, own[0], Form()))
    assert house.live(house.entrance.second_half(half(house), house.shown(app), Form()))


def test_an_app_is_asked_for_after_the_password_and_its_code_serves_once(house: House) -> None:
    app = house.with_app()
    step, code = half(house), house.shown(app)
    assert not house.live(step)  # half a log-in opens nothing
    token = house.entrance.second_half(step, code, Form())
    assert token != step
    assert last(house)[1]["method"] == "password+app"
    with pytest.raises(StepOver):  # the step is used up
        house.entrance.second_half(step, code, Form())
    again = half(house)
    with pytest.raises(LoginRefused):  # and so is the code
        house.entrance.second_half(again, code, Form())
    house.later(seconds=30)
    assert len(at_once(lambda: house.entrance.second_half(again, house.shown(app), Form()))) == 1


def test_a_code_of_the_list_stands_in_for_the_app(house: House) -> None:
    house.with_app()
    codes = house.with_codes()
    step = half(house)
    assert len(at_once(lambda: house.entrance.second_half(step, codes[0], Form()))) == 1
    visit = house.visit(house.entrance.second_half(half(house), codes[1], Form()))
    assert not visit.limited
    house.own.remove_app(visit.viewer)
    assert house.own.methods(house.viewer()).app_since is None


def test_a_step_ends_with_its_fifth_failure_or_after_five_minutes(house: House) -> None:
    app = house.with_app()
    step = half(house)
    for _ in range(5):
        with pytest.raises(LoginRefused):
            house.entrance.second_half(step, Secret("000000"), Form())
        house.later(minutes=1 / 60)
    house.later(minutes=1)
    with pytest.raises(StepOver):
        house.entrance.second_half(step, house.shown(app), Form())
    house.later(hours=25)
    step = half(house)
    house.later(minutes=5)
    with pytest.raises(StepOver):
        house.entrance.second_half(step, house.shown(app), Form())


def test_a_passkey_is_a_whole_log_in(house: House) -> None:
    device = house.with_passkey()
    house.with_app()
    visit = house.visit(house.by_passkey(device))
    assert (visit.viewer.user.address, visit.limited) == (VLAD, False)
    assert last(house)[1]["method"] == "passkey"
    [key] = house.own.methods(visit.viewer).passkeys
    assert (key.name, key.used_at) == ("Laptop", house.now)


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://mail.acme.example.evil.example"},
        {"rp_id": "evil.example"},
        {"flags": PRESENT},  # nobody was verified
        {"flags": 0},
        {"count": 0},  # it was used before: a copy says the same number
        {"credential_id": b"another"},
        {"key": Device("", "").key},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_passkey_of_elsewhere_is_none(house: House, changed: dict[str, object]) -> None:
    device = house.with_passkey()
    house.by_passkey(device)
    for name, value in changed.items():
        setattr(device, name, value)
    with pytest.raises(LoginRefused):
        house.by_passkey(device)


def test_an_answer_serves_for_its_own_challenge_once(house: House) -> None:
    device = house.with_passkey()
    step, options = house.entrance.ask_passkey(Form())
    answer = device.get(options)
    other, _ = house.entrance.ask_passkey(Form())
    with pytest.raises(LoginRefused):
        house.entrance.by_passkey(other, answer, Form())
    assert len(at_once(lambda: house.entrance.by_passkey(step, answer, Form()))) == 1
    with pytest.raises(StepOver):
        house.entrance.by_passkey(step, answer, Form())


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", '{"id": 1}', "[" * 60_000, "x" * 70_000, '{"id":"\ud800"}']
)
def test_what_is_no_answer_is_refused(house: House, answer: str) -> None:
    step, _ = house.entrance.ask_passkey(Form())
    with pytest.raises(LoginRefused):
        house.entrance.by_passkey(step, answer, Form())


def test_anothers_passkey_proves_nothing_in_my_session(house: House) -> None:
    hers, vlad = house.with_passkey(MARIA), house.viewer()
    step, options = house.entrance.ask_passkey(Form())
    with pytest.raises(BadEntry):
        house.own.confirm_by_passkey(vlad, step, hers.get(options))
    [key] = house.own.methods(house.town.viewer(MARIA, house.now)).passkeys
    for wrong in (key.id, "not-an-id"):
        with pytest.raises(NotFound):
            house.own.remove_passkey(vlad, wrong)
    new_step, new_options = house.own.ask_new_passkey(house.town.viewer(MARIA, house.now))
    mine = Device(SITE.origin, SITE.name)
    with pytest.raises(BadEntry):  # begun in her session, answered in mine
        house.own.add_passkey(vlad, new_step, "", mine.create(new_options))


def test_changes_want_a_proof_of_the_last_ten_minutes(house: House) -> None:
    device = house.with_passkey()
    viewer = house.viewer()
    house.later(minutes=10)
    for deed in (house.own.make_codes, house.own.begin_app, house.own.remove_app):
        with pytest.raises(NotConfirmed):
            deed(viewer)
    with pytest.raises(NotFound):  # the keys role looks for itself
        house.keys.begin_app(viewer.token)
    with pytest.raises(BadEntry):
        house.own.confirm(viewer, password=WRONG, code=Secret(""))
    fresh = house.own.confirm(viewer, password=Form().password, code=Secret(""))
    assert not house.live(viewer.token)  # what was got hold of before is worth nothing
    viewer = house.visit(fresh).viewer
    house.own.begin_app(viewer)
    house.later(minutes=11)
    step, options = house.entrance.ask_passkey(Form())
    fresh = house.own.confirm_by_passkey(viewer, step, device.get(options))
    assert house.own.make_codes(house.visit(fresh).viewer)
    assert [
        event[1] for event in house.town.events("acme.example") if event[0] == "login.confirmed"
    ] == [
        {"proof": "password"},
        {"proof": "passkey"},
    ]


def test_a_reset_leaves_the_password_and_is_told(house: House) -> None:
    house.with_app()
    house.with_codes()
    device, vlad = house.with_passkey(), house.town.user(VLAD)
    before = house.town.viewer(VLAD, house.now)
    admin = house.viewer(Form(address=MARIA))
    house.later(minutes=10)
    with pytest.raises(NotConfirmed):
        house.desk.reset(admin, ids.show(vlad.id))
    admin = house.viewer(Form(address=MARIA))
    house.desk.reset(admin, ids.show(vlad.id))
    assert not house.live(before.token)
    with pytest.raises(LoginRefused):
        house.by_passkey(device)
    viewer = house.viewer()  # the password alone
    assert house.own.news(viewer).methods_reset_at == house.now
    house.own.note_told(viewer, Form().device)
    assert not house.own.news(viewer)
    eve = house.viewer(Form(address="eve@other.example"))
    for deed in (house.desk.person, house.desk.give_code, house.desk.reset):
        with pytest.raises(NotFound):
            deed(eve, ids.show(vlad.id))


def test_other_sessions_tell_of_a_log_in_in_a_new_browser(house: House) -> None:
    here = house.viewer()
    house.later(minutes=5)
    house.viewer()  # the same browser
    assert not house.own.news(here)
    house.later(minutes=5)
    thief = house.viewer(Form(client_ip="203.0.113.9", device=Secret("another")))
    [told] = house.own.news(here).log_ins
    assert (told.client_ip, told.created_at) == ("203.0.113.9", house.now)
    assert not house.own.news(thief)
    house.own.note_told(thief, Secret("another"))  # ends no notice elsewhere
    house.later(minutes=5)
    assert house.own.news(here)
    assert house.own.news(house.viewer())  # a new session of the known browser tells it, too
    house.own.note_told(here, Form().device)
    assert not house.own.news(here)


def test_a_site_without_a_name_or_without_https_has_no_passkeys() -> None:
    assert Site.at("https://Mail.Acme.example:8443") == Site(
        "mail.acme.example", "https://mail.acme.example:8443"
    )
    assert Site.at("http://localhost:8025") == Site("localhost", "http://localhost:8025")
    for address in ("http://127.0.0.1:8025", "https://192.0.2.7", "http://mail.acme.example"):
        assert Site.at(address) is None
