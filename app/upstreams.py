"""The servers that log in to hand us mail (`SMTP_LOGINS`), and how guessing is slowed down.

A password is checked against its Argon2id hash, which takes a good part of a second on purpose. A
server opens many sessions: what was right is remembered for some minutes, as a keyed digest under
a key of this process. What was wrong counts against the client's address: after FAILURES of them
nothing more is checked for it until PAUSE is over. The counts live in this process.

The installation's trail has the first success of a server and address in a day, and of failures the
first and the one after which the address has to wait: guessing cannot fill it.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any

from app import audit
from app.accounts.passwords import Passwords, PasswordsBusy
from app.audit.events import Event, SmtpLoggedIn, SmtpLoginFailed
from app.secret import Secret
from app.viewer import Actor, Via
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError
from smtp_ingest.auth import Credentials

FAILURES = 5
PAUSE = 600.0  # seconds since the first of them
REMEMBER = 300.0  # seconds
TOLD_AGAIN = 24 * 3600.0  # seconds after which a server's success is told again
MOST_FAILURES_TOLD = 100  # in an hour, from wherever they come
_HOUR = 3600.0
_MOST = 10_000  # addresses counted, logins remembered

log = logging.getLogger(__name__)


class LoginTrail:
    """The installation's trail, for log-ins by SMTP. Without it log-ins go on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def record(self, event: Event, client_ip: str) -> None:
        """Add an event; trouble is logged."""
        actor = Actor(address="ingest", client_ip=client_ip, via=Via.SYSTEM)
        try:
            with self._db.write() as tx:
                audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=utc_now())
        except StoreError as error:
            log.warning("a log-in by SMTP could not be recorded: %s", error)


class UpstreamLogins:
    """LoginCheck over the settings. For one event loop."""

    def __init__(
        self,
        hashes: Mapping[str, str],
        trail: LoginTrail,
        passwords: Passwords | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hashes = hashes
        self._trail = trail
        self._passwords = passwords or Passwords()
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, float] = {}  # until when
        self._wrong: dict[str, tuple[int, float]] = {}  # how many since when
        self._told: dict[str, float] = {}  # of whose success, until when
        self._failures_told = (0, 0.0)  # how many in the hour that began when

    async def check(self, credentials: Credentials, client_ip: str) -> bool | None:
        """None: this client has tried too often, or too many passwords are being checked."""
        digest = self._digest(credentials)
        if self._right.get(digest, 0.0) > self._clock():
            await self._tell_success(credentials.name, client_ip)
            return True
        peer = _peer(client_ip)
        if self._failures(peer) >= FAILURES:
            return None
        # Counted before the answer is known, or many guesses at once would be one.
        self._count(peer, 1)
        try:
            verdict = await asyncio.to_thread(
                self._passwords.check,
                self._hashes.get(credentials.name),
                Secret(credentials.password),
            )
        except PasswordsBusy:
            self._count(peer, -1)
            return None
        if verdict:
            self._count(peer, -1)
            _make_room(self._right)
            self._right[digest] = self._clock() + REMEMBER
            await self._tell_success(credentials.name, client_ip)
        else:
            await self._tell_failure(credentials.name, client_ip, self._failures(peer))
        return verdict

    async def _tell_success(self, name: str, client_ip: str) -> None:
        whose = f"{name} {client_ip}"
        if self._told.get(whose, 0.0) > self._clock():
            return
        _make_room(self._told)
        self._told[whose] = self._clock() + TOLD_AGAIN
        await asyncio.to_thread(self._trail.record, SmtpLoggedIn(login=name), client_ip)

    async def _tell_failure(self, name: str, client_ip: str, failures: int) -> None:
        if failures not in (1, FAILURES):
            return
        count, since = self._failures_told
        if self._clock() - since >= _HOUR:
            count, since = 0, self._clock()
        if count >= MOST_FAILURES_TOLD:
            return
        self._failures_told = count + 1, since
        known = name if name in self._hashes else ""  # else somebody's password, perhaps
        event = SmtpLoginFailed(login=known, must_wait=failures == FAILURES)
        await asyncio.to_thread(self._trail.record, event, client_ip)

    def _digest(self, credentials: Credentials) -> bytes:
        said = f"{credentials.name}\0{credentials.password}".encode()
        return hmac.digest(self._key, said, hashlib.sha256)

    def _failures(self, peer: str) -> int:
        count, since = self._wrong.get(peer, (0, 0.0))
        return count if self._clock() - since < PAUSE else 0

    def _count(self, peer: str, step: int) -> None:
        count = self._failures(peer)
        since = self._wrong[peer][1] if count else self._clock()
        _make_room(self._wrong)
        self._wrong[peer] = (max(count + step, 0), since)


def _make_room(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= _MOST:
        remembered.clear()


def _peer(client_ip: str) -> str:
    """An IPv6 client has a /64 to come from."""
    if ":" not in client_ip:
        return client_ip
    return str(ip_network((client_ip.partition("%")[0], 64), strict=False))
