"""One attempt after the other: what the certificate role does all day.

A failure changes nothing but the state: the certificate in use stays. A new one is put in place of
the old by a rename, and the listeners take it while they serve.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.certificates.authority import NotIssued, Trouble
from app.certificates.config import AcmeConfig
from app.certificates.kept import Held, Kept, State
from app.certificates.port80 import Answers
from app.certificates.schedule import AT_ONCE, due_at, next_attempt
from app.certificates.stand_in import key_pem, new_key
from archive_store.durable import NO_ROOM

ASK_AGAIN = timedelta(hours=6)  # where the authority has no word for it
SOONEST = timedelta(minutes=10)
LONGEST = timedelta(days=1)
SKEW = timedelta(hours=1)  # of clocks, and how long an authority takes

log = logging.getLogger(__name__)


class Issuer(Protocol):
    """Who issues certificates."""

    def obtain(self, key_pem: bytes) -> bytes:
        """A chain (PEM) for a key. Raises NotIssued, OSError."""

    def suggestion(self, chain_pem: bytes) -> tuple[datetime | None, datetime]:
        """When to replace one, and when to ask again. Raises NotIssued."""


class Trail(Protocol):
    """Who is told."""

    def issued(self, names: tuple[str, ...], ends: datetime) -> None:
        """There is a new certificate."""

    def failed(self, names: tuple[str, ...], trouble: str) -> None:
        """There is none."""


@dataclass(slots=True)
class Renewal:
    """The certificate of one installation."""

    config: AcmeConfig
    kept: Kept
    answers: Answers
    issuer: Callable[[], Issuer]
    trail: Trail
    _last: State | None = None  # also when a full disk keeps it from being kept
    _suggested: datetime | None = None
    _of: int = 0  # the serial number that the suggestion is about
    _ask_at: datetime = AT_ONCE

    def look(self, now: datetime) -> None:
        """Make an attempt if one is due or wanted; also when the clock was moved meanwhile."""
        wanted = self.kept.take_wish()
        state = self._last or self.kept.state()
        if not wanted and _rests(state, now):
            return
        held = self.kept.held()
        if wanted or due_at(held, self.config.names, self._suggestion(held, now)) <= now:
            self._attempt(state, now)

    def _suggestion(self, held: Held | None, now: datetime) -> datetime | None:
        """The authority's word on the certificate in use, asked for now and then."""
        if held is None or held.stand_in:
            return None
        if held.serial != self._of:
            self._suggested, self._of, self._ask_at = None, held.serial, AT_ONCE
        if now >= self._ask_at:
            self._ask_at = now + ASK_AGAIN
            try:
                when, again = self.issuer().suggestion(self.kept.current.read_bytes())
                self._suggested = when
                self._ask_at = min(max(again, now + SOONEST), now + LONGEST)
            except (NotIssued, OSError) as error:
                log.info("when to renew could not be asked: %s", error)
        return self._suggested

    def _attempt(self, before: State, now: datetime) -> None:
        state = State(attempts=before.attempts + 1, at=now)
        try:
            held = self._renew(now)
        except NotIssued as error:
            state = self._failed(replace(state, failures=before.failures + 1), error, now)
        except OSError as error:
            reason = NotIssued(Trouble.DISK, f"{self.kept.folder}: {error.strerror}")
            if error.errno in NO_ROOM:
                reason = NotIssued(Trouble.DISK, f"{self.kept.folder}: make room on the disk")
            state = self._failed(replace(state, failures=before.failures + 1), reason, now)
        else:
            log.info("a new certificate for %s, until %s", ", ".join(self.config.names), held.ends)
            self.trail.issued(self.config.names, held.ends)
        self._remember(state)

    def _renew(self, now: datetime) -> Held:
        if self.answers.not_listening:
            raise NotIssued(Trouble.PORT, self.answers.not_listening)
        made = new_key()
        key = key_pem(made)
        # Room comes first: an authority counts what it issued, whether it could be kept or not.
        with self.kept.room() as room:
            chain = self.issuer().obtain(key)
            held = self._fitting(chain, made.public_key())
            room.fill(key + chain)
        if due_at(held, self.config.names, None) <= now or held.begins > now + SKEW:
            # Asking again would not help, and uses up what the authority allows.
            text = f"the new certificate is valid from {held.begins} to {held.ends}: set the clock"
            raise NotIssued(Trouble.CLOCK, text, timedelta(days=1))
        return held

    def _fitting(self, chain: bytes, key: ec.EllipticCurvePublicKey) -> Held:
        """What was issued, if it can be served: anything else would stop the next start."""
        try:
            held = Held.of(chain)
            fits = x509.load_pem_x509_certificate(chain).public_key() == key
        except ValueError:
            raise NotIssued(Trouble.REFUSED, "what was issued is no certificate") from None
        if not fits or held.names != frozenset(self.config.names):
            raise NotIssued(Trouble.REFUSED, "what was issued is for another key or other names")
        return held

    def _failed(self, state: State, error: NotIssued, now: datetime) -> State:
        share = random.random()  # noqa: S311 - spreads attempts, keeps no secret
        at = next_attempt(state.failures, error.wait, share, now)
        log.warning("no new certificate (%s): %s; again at %s", error.trouble, error, at)
        self.trail.failed(self.config.names, error.trouble)
        return replace(state, trouble=error.trouble, text=str(error), next_at=at)

    def _remember(self, state: State) -> None:
        self._last = state
        try:
            self.kept.remember(state)
        except OSError as error:
            log.warning("how the attempt went cannot be kept: %s", error.strerror)


def _rests(state: State, now: datetime) -> bool:
    """Whether the next attempt has to wait, after one that failed."""
    if not state.failures or state.at is None or state.next_at is None:
        return False
    # A clock that was set back must not leave us waiting for its old time.
    return state.at <= now < state.next_at
