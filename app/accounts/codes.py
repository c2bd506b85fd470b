"""One-time codes: a list that a person makes before the day, and one an administrator gives.

A code is 60 random bits in three groups, so that it can be read out and typed anywhere. Kept is
its digest under a key that only the keys role has (`FactorKeys.code_digests`): whoever copies the
database cannot try codes, and one comparison finds a code among ten, where a slow hash would
take ten. A code logs in once: the update that marks it as used counts, not a look before it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.models import OneTimeCode
from app.secret import Secret
from app.viewer import Method

ON_A_LIST = 10
GIVEN_FOR = timedelta(hours=1)
KEPT_AFTER_END = timedelta(days=1)
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 signs; no l, o, 0, 1: read aloud and typed
_GROUPS, _GROUP_LENGTH = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is left of a person's own list; None: there is no list."""

    left: int
    made_at: datetime | None


def generate() -> Secret:
    """A new code."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return Secret("-".join(groups))


def plain(typed: Secret) -> Secret:
    """A code as its digest is made of: however it was grouped, and in which case."""
    letters = (c for c in typed.reveal()[:100].casefold() if c.isalnum())
    return Secret("".join(letters))


def replace_list(tx: Session, user_id: bytes, digests: Sequence[bytes], now: datetime) -> None:
    """Put a new list in the place of the old one."""
    remove_list(tx, user_id)
    tx.add_all(
        OneTimeCode(
            user_id=user_id, digest=digest, given=False, made_at=now, ends_at=None, used_at=None
        )
        for digest in digests
    )
    tx.flush()


def remove_list(tx: Session, user_id: bytes) -> None:
    """End a person's own list."""
    tx.execute(
        delete(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.given.is_(False))
    )


def give(tx: Session, user_id: bytes, digest: bytes, now: datetime) -> None:
    """Note a code that an administrator made; another that was given before ends."""
    remove_given(tx, user_id)
    ends_at = now + GIVEN_FOR
    tx.add(
        OneTimeCode(
            user_id=user_id, digest=digest, given=True, made_at=now, ends_at=ends_at, used_at=None
        )
    )
    tx.flush()


def remove_given(tx: Session, user_id: bytes) -> None:
    """End what administrators have given."""
    tx.execute(delete(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.given))


def use(tx: Session, user_id: bytes, digest: bytes, now: datetime) -> Method | None:
    """Use up a code: by which kind of code that is a log-in, or None. Of two at once, one wins."""
    this = OneTimeCode.user_id == user_id, OneTimeCode.digest == digest
    valid = (
        OneTimeCode.used_at.is_(None),
        or_(OneTimeCode.ends_at.is_(None), OneTimeCode.ends_at > now),
    )
    used = tx.execute(update(OneTimeCode).where(*this, *valid).values(used_at=now))
    if not isinstance(used, CursorResult) or used.rowcount != 1:
        return None
    given = tx.scalar(select(OneTimeCode.given).where(*this))
    return Method.GIVEN_CODE if given else Method.CODE


def listed(tx: Session, user_id: bytes) -> Listed:
    """What is left of a person's own list."""
    own = OneTimeCode.user_id == user_id, OneTimeCode.given.is_(False)
    left = select(func.count()).select_from(OneTimeCode).where(*own, OneTimeCode.used_at.is_(None))
    return Listed(
        left=tx.scalar(left) or 0,
        made_at=tx.scalar(select(func.max(OneTimeCode.made_at)).where(*own)),
    )


def purge(tx: Session, now: datetime) -> None:
    """Forget given codes that ended a day ago."""
    tx.execute(delete(OneTimeCode).where(OneTimeCode.ends_at < now - KEPT_AFTER_END))
