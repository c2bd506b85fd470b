"""What a sender poses as: told where it matters, and nothing told of ordinary mail."""

import pytest
from sqlalchemy import update

from app.models import User
from app.reading import posing
from archive_store.mime.values import Address
from tests.app.conftest import World
from tests.app.reading.mail import mail

COLLEAGUE = (
    "This is not the address of Maria Weiß in your organisation, which is maria@acme.example."
)


def told(world: World, name: str, address: str) -> str:
    with world.db.read() as tx:
        return posing.told_of(tx, world.viewer(), Address(name, address)) or ""


@pytest.mark.parametrize(
    "name",
    [
        "Maria Weiß",
        "MARIA  WEIß",
        "Weiß, Maria",
        "'Maria Weiß'",
        "Maria Weiß (CEO)",
        "Maria Weiß | Acme",
        "Maria Weiß - Acme Ltd",
        "Maria\u200b Weiß\u202e",
        "\u041c\u0430ria W\u0435iß",  # three letters of it are Cyrillic
        "\uff2daria Weiß",  # a wide M
    ],
)
def test_a_colleagues_name_over_an_address_elsewhere_is_told(world: World, name: str) -> None:
    assert told(world, name, "maria.weiss@freemail.example") == COLLEAGUE
    assert told(world, name, "maria@acme.example.evil.example") == COLLEAGUE


@pytest.mark.parametrize("name", ["Özlem Ünal", "Иван Петров"])
def test_a_colleague_whose_name_begins_beyond_ascii_is_known(any_world: World, name: str) -> None:
    with any_world.db.write() as tx:
        tx.execute(update(User).where(User.address == "maria@acme.example").values(name=name))
    said = COLLEAGUE.replace("Maria Weiß", name)
    for spelling in (name, name.upper(), f"{name} (CEO)"):
        assert told(any_world, spelling, "x@evil.example") == said


def test_a_name_that_is_another_address_is_told(world: World) -> None:
    assert told(world, "boss@acme.example", "x@evil.example") == (
        "The sender's name says boss@acme.example, but the mail is from x@evil.example."
    )
    assert "pay@bank.example" in told(world, "Bank (pay\uff20bank.example)", "x@evil.example")


@pytest.mark.parametrize(
    ("domain", "shown"),
    [
        ("p\u0430ypal.example", "xn--pypal-4ve.example"),
        ("xn--pypal-4ve.example", "xn--pypal-4ve.example"),
        ("\u0440\u0430\u0443\u0440\u0430\u04cf.example", "xn--80aa0cbo65f.example"),
        ("g\u03bfogle.example", "xn--gogle-rce.example"),
    ],
)
def test_a_domain_with_letters_that_look_like_others_is_told(
    world: World, domain: str, shown: str
) -> None:
    assert told(world, "Shop", f"a@{domain}").endswith(f"Its name is {shown}.")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Hanna Berg", "hanna.berg@brightwater.example"),
        ("", "hanna@brightwater.example"),
        ("Hanna Berg", ""),
        ("Maria Weiß", "maria@acme.example"),
        ("Maria Weiß", "m.weiss@mail.acme.example"),  # the organisation's, below its domain
        ("Vlad Mazek", "vlad@ownwebnow.example"),  # an identity of his
        ("Maria", "maria@florist.example"),  # anybody's
        ("Maria Weiß via Board", "board@lists.example"),  # a mailing list
        ("hanna@news.shop.example", "bounce@mail.shop.example"),  # of one shop
        ("Hanna Berg (hanna@in.example)", "hanna@in.example"),
        ("Ticket @ Acme", "support@tickets.example"),
        (
            "Иван Петров",
            "ivan@\u043f\u043e\u0447\u0442\u0430.example",
        ),  # a name and a domain in Russian
        ("Bücher", "post@xn--bcher-kva.example"),
        ("田中 太郎", "tanaka@\u65e5\u672c\u3054.example"),
        ("Nicola", "a@xn--nothing-that-decodes-\u00e4.example"),
    ],
)
def test_nothing_is_told_of_ordinary_mail(world: World, name: str, address: str) -> None:
    assert told(world, name, address) == ""


def test_it_comes_with_the_message_and_not_with_ones_own(world: World) -> None:
    [entry_id] = world.receive(mail(sender="Maria Weiß <x@evil.example>"), "vlad@acme.example")
    viewer = world.viewer()
    assert world.reading.open_message(viewer, entry_id).told == COLLEAGUE
    [entry_id] = world.receive(mail(), "vlad@acme.example")
    assert world.reading.open_message(viewer, entry_id).told is None


def test_a_hostile_name_is_soon_read(world: World) -> None:
    for piece in ("a@", "a.", "(", "\u0430", " - ", '"'):
        assert told(world, piece * 500_000, "x@evil.example") is not None
