"""Passwords: what is taken, and how it is kept (NIST SP 800-63B-4 section 3.1.1, RFC 9106).

Kept as Argon2id with 64 MiB, 3 passes, 4 lanes. Hashing is the costliest thing a stranger
can make us do, so only as many run at once as there are cores; who waits longer than
PATIENCE gets `PasswordsBusy`. An unknown account is checked against a hash that no
password has, so that its answer takes as long.

Taken: 15 to 256 characters of any kind (a password alone logs in: NIST wants 15 for that),
no composition rules, but nothing that is guessed first (`guessed`): common words, rows of keys, a
repeated bit, the person's own name or address.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.accounts.errors import Invalid
from app.accounts.guessed import Kind, guess
from app.phrase import phrase
from app.secret import Secret

SHORTEST, LONGEST = 15, 256
PATIENCE = timedelta(seconds=10)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # no l, o, 0, 1: read aloud and typed
_GROUPS, _GROUP_LENGTH = 5, 4
GUESSED = (
    (Kind.OWN, phrase("this password is your own name or address")),
    (Kind.WORD, phrase("this password is a common word: it is guessed first")),
    (Kind.PATTERN, phrase("this password repeats or counts: it is guessed first")),
    (Kind.PLAIN, phrase("this password repeats or counts: it is guessed first")),
)


class PasswordsBusy(Exception):
    """Too many passwords are being checked; a retry in some seconds can succeed."""


class Passwords:
    """Makes and checks hashes. One object for a process: its queue is the limit."""

    def __init__(
        self,
        hasher: PasswordHasher | None = None,
        *,
        at_once: int | None = None,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
        self._slots = threading.BoundedSemaphore(at_once or os.cpu_count() or 1)
        self._patience = patience.total_seconds()
        self._nobody = _hash_of_nothing(self._hasher)

    def hash(self, password: Secret) -> str:
        """The text to keep. Takes a good part of a second: never inside a transaction."""
        with self._turn():
            return self._hasher.hash(_octets(password))

    def check(self, kept: str | None, password: Secret) -> bool:
        """Whether this is the password of `kept`; None (no such account) takes as long."""
        with self._turn():
            return self._verified(kept or self._nobody, password)

    def is_outdated(self, kept: str) -> bool:
        """Whether a hash was made with other costs than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verified(self, kept: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(kept, _octets(password))
        except (VerificationError, InvalidHashError):
            return False

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._patience):
            raise PasswordsBusy
        try:
            yield
        finally:
            self._slots.release()


def generate() -> Secret:
    """A random password of 100 bits, in groups that can be read out on a telephone."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return Secret("-".join(groups))


def require_good(password: Secret, *, address: str, name: str) -> None:
    """Raise Invalid, with a text for the person, unless the password can be taken."""
    text = unicodedata.normalize("NFKC", password.reveal())
    if len(text) < SHORTEST:
        raise Invalid(
            "password", phrase("a password has at least %(least)s characters", least=SHORTEST)
        )
    if len(text) > LONGEST:
        raise Invalid(
            "password", phrase("a password has at most %(most)s characters", most=LONGEST)
        )
    found = guess(text.casefold(), _own_words(address, name))
    if found.is_soon:
        raise Invalid("password", next(words for kind, words in GUESSED if kind in found.kinds))


def _octets(password: Secret) -> bytes:
    # The same characters can come composed or decomposed from different keyboards.
    text = unicodedata.normalize("NFKC", password.reveal())
    return text.encode("utf-8", "surrogatepass")


def _hash_of_nothing(hasher: PasswordHasher) -> str:
    """A well-formed hash with today's costs that no password has: its digest is random."""

    def unpadded(length: int) -> str:
        return base64.b64encode(secrets.token_bytes(length)).decode("ascii").rstrip("=")

    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${unpadded(hasher.salt_len)}${unpadded(hasher.hash_len)}"


def _own_words(address: str, name: str) -> frozenset[str]:
    words = name.casefold().split() + re.split(r"[@.+_-]", address.casefold())
    whole = [name.casefold().replace(" ", ""), address.casefold()]
    return frozenset(word for word in words + whole if len(word) >= 4)
