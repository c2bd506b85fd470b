"""Suggested addresses: from the own mail and the own domain, and of nobody else's."""

from app.views import Correspondent
from tests.app.conftest import World
from tests.app.reading.mail import PLAIN
from tests.app.sending.outbox import letter


def names(found: tuple[Correspondent, ...]) -> list[str]:
    return [one.address for one in found]


def test_people_are_found_by_the_beginnings_of_their_names(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    world.receive(PLAIN)
    world.receive(
        PLAIN.replace(b"Hanna Berg <hanna@in.example>", b"=?utf-8?q?J=C3=B6rg?= <j@k.example>")
    )
    world.sending.send(viewer, letter(world, viewer, to='"Lee, Bruce" <lee@kung.example>'))
    world.index()
    suggest = world.reading.suggest
    assert names(suggest(viewer, "han")) == ["hanna@in.example"]
    assert suggest(viewer, "han")[0].name == "Hanna Berg"
    assert names(suggest(viewer, "BERG ha")) == ["hanna@in.example"]
    assert names(suggest(viewer, "hanna@in")) == ["hanna@in.example"]
    assert names(suggest(viewer, "jorg")) == names(suggest(viewer, "J\u00f6")) == ["j@k.example"]
    assert names(suggest(viewer, "bruce")) == ["lee@kung.example"]
    assert suggest(viewer, "anna") == suggest(viewer, " ") == suggest(viewer, "x" * 10_000) == ()


def test_colleagues_are_suggested_and_strangers_and_oneself_are_not(world: World) -> None:
    viewer = world.viewer()
    assert names(world.reading.suggest(viewer, "maria")) == ["maria@acme.example"]
    assert world.reading.suggest(viewer, "nora") == ()  # of another customer
    assert world.reading.suggest(viewer, "vlad") == ()
    world.receive(PLAIN)
    world.index()
    assert world.reading.suggest(world.viewer("maria"), "hanna") == ()  # of another's mailbox


def test_who_was_written_to_comes_first(world: World) -> None:
    viewer = world.viewer()
    for _ in range(2):
        world.receive(PLAIN)
    world.sending.send(viewer, letter(world, viewer, to="hans@z.example"))
    world.index()
    assert names(world.reading.suggest(viewer, "han")) == ["hans@z.example", "hanna@in.example"]
