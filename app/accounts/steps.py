"""What waits for its second half: a log-in for its code, a passkey for its signature.

A step is no session: it lies in a table of its own, its token in a cookie of its own, and no page
but the one that ends it knows it. So a page that forgets to ask cannot let one through. It lasts
five minutes, ends with its fifth failure, and only once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.accounts.networks import network_of
from app.accounts.sessions import Client
from app.models import LoginStep
from app.secret import Secret

LASTS = timedelta(minutes=5)
MOST_FAILURES = 5
OPEN_OF_A_NETWORK = 50  # challenges; a stranger's flood takes the place of its own oldest


class Kind(StrEnum):
    """What a step waits for."""

    CODE = "code"  # the password was right
    PASSKEY = "passkey"
    NEW_KEY = "new-key"  # of somebody who is signed in


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the second half must fit."""

    kind: Kind
    user_id: bytes | None = None
    challenge: bytes = b""


def begin(tx: Session, wanted: Wanted, client: Client, now: datetime) -> Secret:
    """Keep a step; its token is returned here and never again."""
    token, network = sessions.new_token(), network_of(client.ip)
    if wanted.user_id is None:
        _make_room(tx, network)
    tx.add(
        LoginStep(
            token_hash=sessions.hash_of(token),
            kind=wanted.kind.value,
            user_id=wanted.user_id,
            challenge=wanted.challenge,
            network=network,
            public_computer=client.public_computer,
            begun_at=now,
            failures=0,
        )
    )
    tx.flush()
    return token


def find(tx: Session, token: Secret, kind: Kind, now: datetime) -> LoginStep | None:
    """The step of a token, while it lasts."""
    if not token or len(token.reveal()) > sessions.LONGEST_TOKEN:
        return None
    step = tx.get(LoginStep, sessions.hash_of(token))
    if step is None or step.kind != kind or now - step.begun_at >= LASTS:
        return None
    return step


def fail(tx: Session, token_hash: bytes) -> None:
    """Count a failure; the fifth ends the step."""
    step = tx.get(LoginStep, token_hash, with_for_update=True)
    if step is None:
        return
    step.failures += 1
    if step.failures >= MOST_FAILURES:
        tx.delete(step)


def end(tx: Session, token_hash: bytes) -> bool:
    """End a step that was met. Of two that end it at once, one gets True."""
    ended = tx.execute(delete(LoginStep).where(LoginStep.token_hash == token_hash))
    return isinstance(ended, CursorResult) and ended.rowcount == 1


def purge(tx: Session, now: datetime) -> None:
    """Forget steps that were never ended."""
    tx.execute(delete(LoginStep).where(LoginStep.begun_at < now - LASTS))


def _make_room(tx: Session, network: str) -> None:
    of_network = LoginStep.network == network, LoginStep.user_id.is_(None)
    newest_first = select(LoginStep.token_hash).where(*of_network)
    newest_first = newest_first.order_by(LoginStep.begun_at.desc())
    surplus = list(tx.scalars(newest_first.offset(OPEN_OF_A_NETWORK - 1)))
    tx.execute(delete(LoginStep).where(LoginStep.token_hash.in_(surplus)))
