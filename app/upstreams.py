"""The servers that log in to hand us mail (`SMTP_LOGINS`), and how guessing is slowed down.

A password is checked against its Argon2id hash, which takes a good part of a second on purpose. A
server opens many sessions: what was right is remembered for some minutes, as a keyed digest under
a key of this process. What was wrong counts against the client's address: after FAILURES of them
nothing more is checked for it until PAUSE is over. The counts live in this process.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_network

from app.accounts.passwords import Passwords, PasswordsBusy
from app.secret import Secret
from smtp_ingest.auth import Credentials

FAILURES = 5
PAUSE = 600.0  # seconds since the first of them
REMEMBER = 300.0  # seconds
_MOST = 10_000  # addresses counted, logins remembered


class UpstreamLogins:
    """LoginCheck over the settings. For one event loop."""

    def __init__(
        self,
        hashes: Mapping[str, str],
        passwords: Passwords | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hashes = hashes
        self._passwords = passwords or Passwords()
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, float] = {}  # until when
        self._wrong: dict[str, tuple[int, float]] = {}  # how many since when

    async def check(self, credentials: Credentials, client_ip: str) -> bool | None:
        """None: this client has tried too often, or too many passwords are being checked."""
        digest = self._digest(credentials)
        if self._right.get(digest, 0.0) > self._clock():
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
        return verdict

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


def _make_room(remembered: dict[bytes, float] | dict[str, tuple[int, float]]) -> None:
    if len(remembered) >= _MOST:
        remembered.clear()


def _peer(client_ip: str) -> str:
    """An IPv6 client has a /64 to come from."""
    if ":" not in client_ip:
        return client_ip
    return str(ip_network((client_ip.partition("%")[0], 64), strict=False))
