"""A command beside the service: it takes the keys role that runs, or is one itself."""

import threading
from contextlib import ExitStack
from types import SimpleNamespace
from typing import cast

import pytest

from app.cli import access
from app.cli.access import keys_for
from app.keys.client import KeysClient
from app.keys.server import KeysServer
from app.wiring import Parts
from archive_store.errors import StoreBusy
from archive_store.keyring import KeyringFile
from tests.app.conftest import World


def parts_of(world: World) -> Parts:
    run_dir = world.folder / "run"
    run_dir.mkdir(exist_ok=True)
    return cast(
        Parts,
        SimpleNamespace(
            db=world.db,
            store=world.config,
            segments=world.segments,
            public=world.public,
            keys=lambda: KeysClient(run_dir, "admin"),
        ),
    )


def test_without_a_service_a_command_is_its_own_keys_role(world: World) -> None:
    with keys_for(parts_of(world)) as keys:
        assert keys.status()["mailboxes_without_key"] == 0


def test_a_command_waits_for_a_keys_role_that_is_just_starting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(world)
    waited = threading.Event()
    with ExitStack() as ending:
        ending.enter_context(KeyringFile(world.config.keyring).held())

        def start(_seconds: float) -> None:
            if not waited.is_set():
                waited.set()
                server = KeysServer(world.agent, world.folder / "run")
                ending.callback(server.close)

        monkeypatch.setattr(access, "sleep", start)
        with keys_for(parts) as keys:
            assert keys.status()["mailboxes_without_key"] == 0
    assert waited.is_set()


def test_a_keyring_that_somebody_keeps_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "PATIENCE_SECONDS", 0.0)
    with (
        KeyringFile(world.config.keyring).held(),
        pytest.raises(StoreBusy, match="in use"),
        keys_for(parts_of(world)),
    ):
        pass
