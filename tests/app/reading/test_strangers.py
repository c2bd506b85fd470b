"""The first mail of somebody unknown is told, and of nobody else."""

from datetime import timedelta
from typing import NoReturn

import pytest

from app.reading import strangers
from archive_store.errors import StoreBusy
from tests.app.conftest import World
from tests.app.reading.mail import mail
from tests.app.sending.outbox import letter

OLD = mail(sender="Old Friend <old@in.example>")
NEW = mail(sender="New <new@out.example>")
WHEN = timedelta(days=4)


def opened_first(world: World, octets: bytes) -> bool:
    [entry_id] = world.receive(octets)
    return world.reading.open_message(world.viewer(), entry_id).first_time


@pytest.fixture
def lived_in(world: World) -> World:
    """A mailbox that has had mail for four days."""
    world.receive(OLD, at=world.clock() - WHEN)
    world.index()
    return world


def test_the_first_mail_of_an_address_is_told_as_long_as_it_is_the_first(lived_in: World) -> None:
    world, viewer = lived_in, lived_in.viewer()
    [first] = world.receive(NEW)
    assert world.reading.open_message(viewer, first).first_time
    world.index()
    [second] = world.receive(NEW.replace(b"new@out", b"NEW@out"))
    world.index()
    assert world.reading.open_message(viewer, first).first_time
    assert not world.reading.open_message(viewer, second).first_time
    assert not opened_first(world, OLD)


def test_who_was_written_to_is_no_stranger(lived_in: World) -> None:
    world, viewer = lived_in, lived_in.viewer()
    [first] = world.receive(NEW)
    assert world.reading.open_message(viewer, first).first_time
    world.sending.send(viewer, letter(world, viewer, to="New <NEW@out.example>"))
    world.index()
    assert not world.reading.open_message(viewer, first).first_time


def test_a_look_that_failed_is_made_again(lived_in: World, monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = lived_in.viewer()
    [first] = lived_in.receive(NEW)
    with monkeypatch.context() as away:
        away.setattr(strangers, "sealed_summaries", busy)
        with pytest.raises(StoreBusy):
            lived_in.reading.open_message(viewer, first)
    assert lived_in.reading.open_message(viewer, first).first_time


def busy(*_: object) -> NoReturn:
    raise StoreBusy("the database is busy")


def test_lists_machines_and_the_own_organisation_are_none(lived_in: World) -> None:
    for octets in (
        mail(sender="News <news@out.example>", List_Id="<news.out.example>"),
        mail(sender="News <news@out.example>", List_Unsubscribe="<https://out.example/u>"),
        mail(sender="Robot <robot@out.example>", Auto_Submitted="auto-generated"),
        mail(sender="Maria <new@acme.example>"),
        mail(sender="Maria <new@mail.acme.example>"),
    ):
        assert not opened_first(lived_in, octets)


def test_a_mailbox_of_yesterday_knows_nobody_and_tells_nothing(world: World) -> None:
    world.receive(OLD, at=world.clock() - timedelta(days=1))
    world.index()
    assert not opened_first(world, NEW)


def test_another_mailbox_makes_nobody_known(lived_in: World) -> None:
    lived_in.receive(NEW, "maria@acme.example")
    lived_in.index()
    assert opened_first(lived_in, NEW)
    lived_in.reading.forget(lived_in.viewer().session_id)
    assert opened_first(lived_in, NEW)
