"""Signing out drops what was opened; health for people and for machines."""

from collections.abc import Callable

from argon2 import PasswordHasher

from app.accounts.passwords import Passwords
from app.accounts.service import Accounts
from app.delivery import primaries
from app.delivery.contact import Contact, Reached
from app.delivery.health import Health, State
from app.keys.client import KeysClient
from app.portal import Portal, Watch, WatchParts
from app.web.health import exposition
from tests.app.conftest import World
from tests.app.reading.mail import PLAIN

PLENTY = (50, 100)


def watch(world: World, disk: tuple[int, int] = PLENTY, keys: KeysClient | None = None) -> Watch:
    parts = WatchParts(db=world.db, keys=keys or world.keys, disk=lambda: disk, now=world.clock)
    return Watch(parts)


def accounts(world: World) -> Accounts:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    return Accounts(world.db, passwords, world.clock)


def test_signing_out_ends_the_session_and_drops_what_it_opened(world: World) -> None:
    forgotten: list[bytes] = []

    class Opened:
        forget: Callable[[bytes], None] = staticmethod(forgotten.append)

    portal = Portal(accounts(world), Opened())
    viewer = world.viewer()
    visit = portal.current(viewer.token, "192.0.2.7")
    assert visit is not None
    assert [session.current for session in portal.sessions(viewer)] == [True]
    portal.logout(visit.viewer)
    assert forgotten == [viewer.session_id]
    assert portal.current(viewer.token, "192.0.2.7") is None
    assert len(world.events("login.ended")) == 1


def test_other_sessions_can_be_ended(world: World) -> None:
    portal = Portal(accounts(world), world.reading)
    first, second, third = (world.viewer() for _ in range(3))
    shown = next(s.id for s in portal.sessions(first) if not s.current)
    portal.revoke(first, shown)
    assert len(portal.sessions(first)) == 2
    portal.revoke_others(first)
    assert [session.current for session in portal.sessions(first)] == [True]
    assert [portal.current(v.token, "") is None for v in (first, second, third)] == [
        False,
        True,
        True,
    ]


def test_an_outage_is_on_top_of_the_pages_of_its_own_domain(any_world: World) -> None:
    world = any_world
    world.receive(PLAIN)
    assert watch(world).banner(world.viewer()) is None
    with world.db.write() as tx:
        now = world.clock()
        down, why = Health(State.DOWN, now), Reached(Contact.REFUSED)
        primaries.apply(tx, world.acme.id, down, why, now)
    banner = watch(world).banner(world.viewer())
    assert banner is not None
    assert (banner.state, banner.since, banner.waiting) == ("down", now, 1)
    assert watch(world).banner(world.viewer("nora")) is None


def test_a_full_disk_is_said_to_whoever_runs_the_machine(world: World) -> None:
    full = watch(world, disk=(9, 100))
    banner = full.banner(world.viewer("provider"))
    assert banner is not None
    assert banner.state == "disk"
    assert banner.text.startswith("9 % of the disk is left.")
    assert full.banner(world.viewer("maria")) is None
    assert watch(world).banner(world.viewer("provider")) is None


def test_ready_means_that_database_and_keys_answer(world: World) -> None:
    assert watch(world).ready() == {"database": True, "keys": True}
    nobody = KeysClient(world.folder / "elsewhere", "web")
    assert watch(world, keys=nobody).ready() == {"database": True, "keys": False}


def test_metrics_count_and_name_nobody(any_world: World) -> None:
    world = any_world
    world.receive(PLAIN, "vlad@acme.example", "maria@acme.example")
    world.receive(PLAIN, "sales@acme.example")
    world.index()
    world.receive(PLAIN)
    world.viewer()
    text = exposition(watch(world).metrics())
    for line in (
        'livearchive_ready{part="database"} 1',
        'livearchive_ready{part="keys"} 1',
        "livearchive_messages 3",
        f"livearchive_message_octets {3 * len(PLAIN)}",
        "livearchive_entries 4",
        "livearchive_entries_unindexed 1",
        'livearchive_queue_items{kind="primary",state="queued"} 4',
        "livearchive_sessions 1",
        "livearchive_domains 2",
        "livearchive_primaries_down 0",
        "livearchive_disk_free_octets 50",
    ):
        assert line in text.splitlines()
    for name in ("acme", "vlad", "@", "hanna"):
        assert name not in text
