"""What a command works with: the settings, the database, and the keys.

When the service runs, its keys role answers on the admin socket. When it does
not, a command that may read the keyring starts the same server for itself in a
private folder, for as long as it runs.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated

import typer

from app.cli.output import Failed
from app.config import Config
from app.keys.agent import KeyAgent
from app.keys.client import KeysClient
from app.keys.clock_guard import ClockGuard
from app.keys.server import KeysServer
from app.replay import replay_deletions
from app.setup import is_prepared
from app.wiring import Parts
from archive_store.clock import utc_now
from archive_store.errors import KeysUnavailable, MasterKeyAway, StoreBusy
from archive_store.keyring import KeyringFile

PATIENCE_SECONDS = 30.0
AGAIN_SECONDS = 0.2

DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="LIVEARCHIVE_DATA_DIR", help="The data folder.", metavar="DIR"),
]


def load_config(data: Path | None, **options: str | None) -> Config:
    """The settings: options first, then the environment, then the file."""
    given = {name.upper(): value for name, value in options.items() if value is not None}
    if data is not None:
        given["DATA_DIR"] = str(data)
    return Config.load(os.environ, given)


@contextmanager
def opened(data: Path | None) -> Iterator[Parts]:
    """The store of a data folder that was made before."""
    config = load_config(data)
    if not is_prepared(config):
        raise Failed(f"{config.data_dir} is no data folder yet: run `livearchive init`")
    parts = Parts(config, "admin")
    try:
        yield parts
    finally:
        parts.close()


def service_runs(parts: Parts) -> bool:
    """Whether the keys role of a running service answers, be it that it cannot open its keyring."""
    with closing(parts.keys()) as client:
        try:
            client.status()
        except KeysUnavailable:
            return False
        except MasterKeyAway:
            return True
    return True


@contextmanager
def keys_for(parts: Parts) -> Iterator[KeysClient]:
    """The running keys role, or one of our own."""
    with ExitStack() as ending:
        yield _keys(parts, ending)


def _keys(parts: Parts, ending: ExitStack) -> KeysClient:
    until = monotonic() + PATIENCE_SECONDS
    while True:
        client = ending.enter_context(closing(parts.keys()))
        try:
            client.status()
        except KeysUnavailable:
            pass
        else:
            return client
        try:
            return ending.enter_context(_own_keys(parts))
        except StoreBusy:
            # Somebody has the keyring who does not answer: a keys role that is just starting
            # or ending.
            if monotonic() > until:
                raise
        sleep(AGAIN_SECONDS)


@contextmanager
def _own_keys(parts: Parts) -> Iterator[KeysClient]:
    file = KeyringFile.of(parts.store)
    with file.held(), tempfile.TemporaryDirectory(prefix="livearchive-") as folder:
        guard = ClockGuard(parts.store.keyring)
        agent = KeyAgent(parts.db, file, parts.store, parts.public, guard=guard)
        replay_deletions(parts.db, parts.segments, agent.tombstones, utc_now())
        server = KeysServer(agent, Path(folder))
        client = KeysClient(Path(folder), "admin")
        try:
            yield client
        finally:
            client.close()
            server.close()
