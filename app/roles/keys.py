"""The keys role: the only process that reads the keyring."""

import logging
import sys
from contextlib import ExitStack, closing

from app import audit
from app.audit import alarms, events
from app.keys.agent import KeyAgent
from app.keys.clock_guard import ClockGuard
from app.keys.server import KeysServer, LockedServer
from app.replay import replay_deletions
from app.roles.process import Role, run_role
from app.setup import run_dir
from app.viewer import Actor
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.errors import MasterKeyAway, StoreError, StoreFull
from archive_store.keyring import KeyringFile
from archive_store.segments.choice import open_segments

log = logging.getLogger(__name__)
ROUND_SECONDS = 5
EXPIRE_EVERY_ROUNDS = 120


def main(role: Role) -> None:
    """Serve the sockets; make missing day keys; destroy those of days that are over."""
    file = KeyringFile.of(role.config.store)
    with file.held():
        db = Database(role.config.store.database)
        try:
            agent = _agent(role, file, db)
            if agent is not None:
                _serve(role, agent)
        finally:
            db.close()


def _agent(role: Role, file: KeyringFile, db: Database) -> KeyAgent | None:
    """The agent, as soon as its keyring can be opened; None when the role is to end before.

    Until then this role is away for all others, and no reason for the service not to start:
    mail comes in without it. Operators are told what is wrong.
    """
    store, provider = role.config.store, role.config.master_key_provider
    with ExitStack() as ending:
        locked: LockedServer | None = None
        while not role.stop.is_set():
            try:
                guard = ClockGuard(store.keyring)
                agent = KeyAgent(db, file, store, PublicKeys.load(store.keys_dir), guard=guard)
                _look_after(agent)
            except MasterKeyAway as error:
                if locked is None:
                    log.error("%s", error)  # noqa: TRY400 - for an operator; nothing to trace
                    locked = ending.enter_context(closing(LockedServer(run_dir(role.config))))
                    role.ready()
                locked.reason = error
                alarms.raise_lock_alarm(db, events.KeysLocked(provider=provider), utc_now())
                role.stop.wait(ROUND_SECONDS)
                continue
            if locked is not None:
                with db.write() as tx:
                    event, actor = events.KeysUnlocked(provider=provider), Actor.system("keys")
                    audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=utc_now())
            return agent
    return None


def _look_after(agent: KeyAgent) -> bool:
    """Destroy the keys of days that are over and make those that are missing. False when there
    is no room to do so: that is no reason not to read, and it is tried again.
    """
    try:
        agent.expire()
        agent.ensure_keys()
    except StoreFull as error:
        log.warning("the day keys wait for room on the disk: %s", error)
        return False
    return True


def _serve(role: Role, agent: KeyAgent) -> None:
    with closing(open_segments(role.config.store)) as segments:
        replay_deletions(agent.db, segments, agent.tombstones, utc_now())
    server = KeysServer(agent, run_dir(role.config), role.config.held_opens)
    role.ready()
    try:
        _rounds(role, agent)
    finally:
        server.close()


def _rounds(role: Role, agent: KeyAgent) -> None:
    rounds = 0
    while not role.stop.wait(ROUND_SECONDS):
        try:
            if rounds % EXPIRE_EVERY_ROUNDS == 0 and not _look_after(agent):
                continue
            rounds += 1
            agent.ensure_keys()
            agent.holder.seal_all()
        except StoreError as error:
            # Keys are made two weeks ahead: a database that is away can wait.
            log.warning("the day keys could not be looked after: %s", error)


if __name__ == "__main__":
    sys.exit(run_role("keys", main))
