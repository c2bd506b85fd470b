"""A second factor that a domain demands: what a password alone opens then, and how it is met."""

from pathlib import Path

import pytest

from app.accounts import domains
from app.accounts.errors import Forbidden, Invalid
from app.keys.protocol import Purpose
from app.login_views import NotConfirmed, SecondStep
from app.models import Domain
from app.secret import Secret
from app.viewer import Role, Viewer
from app.views import Visit
from archive_store import ids
from archive_store.errors import NotFound
from tests.app.accounts.authenticator import Device
from tests.app.accounts.conftest import PASSWORD, ROOT, Town
from tests.app.accounts.house import AUDIT, MARIA, SITE, VLAD, Form, House
from tests.app.conftest import World
from tests.app.reading.mail import PLAIN
from tests.app.web.client import Client


@pytest.fixture
def house(town: Town, tmp_path: Path) -> House:
    return House(town, tmp_path / "house")


def demand(house: House, of_whom: str, who: Viewer | None = None) -> None:
    with house.db.write() as tx:
        domain = domains.find(tx, ROOT, "acme.example")
        domains.change(tx, who or ROOT, domain, {"second-factor": of_whom}, house.now)


def signed_in(house: House, address: str = VLAD) -> Visit:
    return house.visit(house.accounts.login(Form(address=address)))


def test_a_password_alone_opens_no_mail_and_no_office(house: House) -> None:
    before = signed_in(house, MARIA)
    demand(house, "everybody")
    for visit in (house.visit(before.viewer.token), signed_in(house, MARIA), signed_in(house)):
        assert visit.confined
        assert visit.viewer.mailbox_id is None
        assert visit.viewer.user.role is Role.USER
    demand(house, "nobody")
    visit = house.visit(before.viewer.token)
    assert (visit.confined, visit.viewer.user.role) == (False, Role.DOMAIN_ADMIN)
    assert visit.viewer.mailbox_id is not None


def test_it_can_be_demanded_of_administrators_and_auditors_alone(house: House) -> None:
    demand(house, "administrators")
    assert [signed_in(house, one).confined for one in (VLAD, MARIA, AUDIT)] == [False, True, True]
    assert not signed_in(house, "eve@other.example").confined
    assert not signed_in(house, "provider@livearchive.example").confined


def test_an_app_that_is_set_up_makes_the_session_whole(house: House) -> None:
    demand(house, "everybody")
    viewer = signed_in(house).viewer
    app = house.app_of(house.own.begin_app(viewer).secret)
    house.own.confirm_app(viewer, house.shown(app))
    visit = house.visit(viewer.token)
    assert not visit.confined
    assert visit.viewer.mailbox_id is not None
    with pytest.raises(SecondStep):
        house.accounts.login(Form())


def test_a_passkey_that_is_set_up_makes_the_session_whole(house: House) -> None:
    demand(house, "everybody")
    viewer, device = signed_in(house).viewer, Device(SITE.origin, SITE.name)
    step, options = house.own.ask_new_passkey(viewer)
    house.own.add_passkey(viewer, step, "", device.create(options))
    assert not house.visit(viewer.token).confined
    assert not house.visit(house.by_passkey(device)).confined


def test_who_found_a_password_out_adds_no_factor_beside_the_owners(house: House) -> None:
    device = house.with_passkey()
    demand(house, "everybody")
    thief = signed_in(house).viewer
    deeds = (house.own.begin_app, house.own.ask_new_passkey, house.own.make_codes)
    for deed in deeds:
        with pytest.raises(NotConfirmed):
            deed(thief)
    new = Secret("grey herons wade 7")
    with pytest.raises(NotConfirmed):
        house.accounts.change_password(thief, PASSWORD, new)
    for end in (house.accounts.revoke_others, house.accounts.revoke_all):
        with pytest.raises(NotConfirmed):
            end(thief)
    token = house.own.confirm(thief, password=PASSWORD, code=Secret(""))
    again = house.visit(token).viewer
    for deed in deeds:
        with pytest.raises(NotConfirmed):
            deed(again)
    step, options = house.entrance.ask_passkey(Form())
    whole = house.own.confirm_by_passkey(again, step, device.get(options))
    visit = house.visit(whole)
    assert not visit.confined
    assert house.own.make_codes(visit.viewer)


def test_a_printed_code_beside_the_password_is_a_second_factor(house: House) -> None:
    codes = house.with_codes()
    demand(house, "everybody")
    token = house.own.confirm(signed_in(house).viewer, password=Secret(""), code=codes[0])
    assert not house.visit(token).confined


def test_on_the_worst_day_a_code_reads_mail_all_the_same(house: House) -> None:
    demand(house, "everybody")
    admin = house.town.viewer(MARIA, house.now)
    assert admin.user.role is Role.USER  # she has to meet it, too
    demand(house, "nobody")
    admin = house.town.viewer(MARIA, house.now)
    code = Secret(house.desk.give_code(admin, ids.show(house.town.user(VLAD).id)).code)
    demand(house, "everybody")
    visit = house.visit(house.entrance.by_code(VLAD, code, Form()))
    assert (visit.confined, visit.limited) == (False, True)
    assert visit.viewer.mailbox_id is not None


def test_who_may_demand_it(house: House) -> None:
    for address in (VLAD, AUDIT, "eve@other.example"):
        with pytest.raises(Forbidden):
            demand(house, "everybody", house.town.viewer(address, house.now))
    for address in ("provider@livearchive.example", MARIA):
        demand(house, "administrators", house.town.viewer(address, house.now))
        kind, details = house.town.events("acme.example")[-1]
        assert (kind, details["setting"]) == ("domain.changed", "second-factor")
        demand(house, "nobody")
    with pytest.raises(Invalid):
        demand(house, "some")


def test_people_are_led_through_it_before_any_mail(house: House) -> None:
    demand(house, "everybody")
    client = Client(house.pages())
    client.raw_post("/login", data={"username": VLAD, "password": PASSWORD.reveal()})
    assert client.get("/").headers["location"] == "/settings/login"
    for path in ("/mail/inbox", "/search", "/compose/new", "/admin/"):
        assert client.get(path).headers["location"] == "/settings/login"
    assert client.post("/mail/inbox", {"do": "star"}).status_code == 401
    page = client.get("/settings/login").text
    assert "asks for more than a password" in page
    assert "/mail/" not in page
    shown = client.post("/settings/login/app", {"do": "begin"}).text
    secret = shown.partition('secret-key">')[2].partition("<")[0]
    code = house.shown(house.app_of(secret)).reveal()
    assert client.post("/settings/login/app", {"do": "confirm", "code": code}).status_code == 303
    assert client.get("/mail/inbox").status_code == 200
    assert "asks for more than a password" not in client.get("/settings/login").text


def test_the_keys_role_opens_nothing_for_a_password_alone(world: World) -> None:
    [entry] = world.receive(PLAIN)
    viewer = world.viewer()
    asked = viewer.token, viewer.client_ip, [ids.read(entry)], Purpose.OPEN
    assert world.keys.open_entries(*asked)
    with world.db.write() as tx:
        tx.get_one(Domain, world.acme.id).second_factor = "everybody"
    with pytest.raises(NotFound):
        world.keys.open_entries(*asked)
    assert world.keys.summary_keys(viewer.token) == {}
