"""How a person writes: kept, cleaned, and nobody else's."""

import pytest

from app.accounts.habits import LONGEST_SIGNATURE, HabitDesk, cleaned
from app.views import BadEntry, Habits
from archive_store.errors import NotFound
from tests.app.conftest import World
from tests.app.sending.outbox import identity


def test_what_was_chosen_is_kept_and_the_trail_has_no_word_of_it(any_world: World) -> None:
    world, viewer = any_world, any_world.viewer()
    desk = HabitDesk(world.db, world.clock)
    assert (desk.habits(viewer).rich, desk.habits(viewer).quoting) == (False, "below")
    sales = identity(world, viewer, "sales@acme.example")
    for _ in range(2):  # the same again is no change
        signed = Habits(rich=True, quoting="above", signatures={sales: "-- \nVlad\n+1 555 0100\n"})
        desk.set_habits(viewer, signed)
    kept = desk.habits(viewer)
    assert (kept.rich, kept.quoting, kept.signatures[sales]) == (
        True,
        "above",
        "Vlad\n+1 555 0100",
    )
    [event] = world.events("signature.changed")
    assert b"sales@acme.example" in event
    assert b"555" not in event


def test_another_persons_identity_is_not_there_and_nothing_is_kept(world: World) -> None:
    desk = HabitDesk(world.db, world.clock)
    hers = identity(world, world.viewer("maria"), "maria@acme.example")
    for name in (hers, "x", "a" * 26):
        with pytest.raises(NotFound):
            desk.set_habits(world.viewer(), Habits(rich=True, signatures={name: "Boss"}))
    assert not desk.habits(world.viewer()).rich
    assert set(desk.habits(world.viewer("maria")).signatures.values()) == {""}


def test_a_signature_has_an_end(world: World) -> None:
    viewer = world.viewer()
    mine = identity(world, viewer, "sales@acme.example")
    with pytest.raises(BadEntry) as error:
        HabitDesk(world.db).set_habits(
            viewer, Habits(signatures={mine: "x" * (LONGEST_SIGNATURE + 1)})
        )
    assert error.value.field == f"signature-{mine}"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        (" \n ", ""),
        ("--", ""),
        ("-- \nVlad  \n\n", "Vlad"),
        ("Vlad\r\n-- \r\nAcme", "Vlad\n--\nAcme"),
        ("V\x00lad\x1b[31m", "Vlad[31m"),
    ],
)
def test_a_signature_is_kept_without_delimiter_and_without_what_controls(
    typed: str, kept: str
) -> None:
    assert cleaned(typed) == kept
