"""A person's address outside: mail to it tells of an outage, and nothing else ever goes there.

One for each person, given by the person or an administrator, and used only after somebody has
typed, in a session of that person, the code that was mailed to it. The keys role seals it
(`app.keys.outside`). Use cases take the open transaction.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from app import audit
from app.accounts import codes
from app.accounts.errors import Invalid
from app.audit.events import OutsideConfirmed, OutsideRemoved
from app.models import Domain, OutsideAddress, User
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Actor
from archive_store.address import BadAddress, EmailAddress

FIELD = "outside"
CODE_FIELD = "outside_code"
CODE_FOR = timedelta(hours=24)  # mail can be slow
MISSES = 5
CODES_A_DAY = 3
A_DAY = timedelta(days=1)
UNCONFIRMED_FOR = timedelta(days=7)
NOT_ONE = phrase("expected a mail address such as vlad@home.example")
TOO_MANY = phrase("a code was mailed too often today: try again tomorrow")
WRONG = phrase("that is not the code, or it is too old: compare it with the mail")

State = Literal["none", "asked", "confirmed"]


def of(tx: Session, user_id: bytes) -> State:
    """Whether there is an address, and whether it counts."""
    row = tx.get(OutsideAddress, user_id)
    if row is None or row.sealed is None:
        return "none"
    return "confirmed" if row.confirmed_at else "asked"


def count_confirmed(tx: Session, domain_id: bytes) -> int:
    """How many people of a domain are told outside."""
    theirs = select(func.count()).select_from(OutsideAddress)
    theirs = theirs.join(User, User.id == OutsideAddress.user_id)
    confirmed = OutsideAddress.confirmed_at.is_not(None)
    return tx.scalar(theirs.where(User.domain_id == domain_id, confirmed)) or 0


def checked(tx: Session, user: User, text: str) -> EmailAddress:
    """An address that is up when the person's own mail server is not; Invalid otherwise."""
    try:
        address = EmailAddress.parse(text.strip())
    except BadAddress:
        raise Invalid(FIELD, NOT_ONE) from None
    home = tx.get(Domain, user.domain_id) if user.domain_id else None
    there = tx.scalars(select(Domain).where(Domain.name == address.ascii_domain)).first()
    if there is not None and home is not None:
        together = there.relay_host and there.relay_host == home.relay_host
        if there.id == home.id or together:
            raise Invalid(
                FIELD,
                phrase(
                    "an address of %(domain)s is out when its mail server is: give one elsewhere",
                    domain=there.name,
                ),
            )
    return address


def allow_code(row: OutsideAddress | None, now: datetime) -> tuple[int, datetime]:
    """The count of codes with one more, and since when; Invalid when that is too many."""
    if row is None or row.asked_since <= now - A_DAY:
        return 1, now
    if row.asked >= CODES_A_DAY:
        raise Invalid(FIELD, TOO_MANY)
    return row.asked + 1, row.asked_since


def hash_of(row_id: bytes, code: Secret) -> bytes:
    """How a code is kept: of 60 random bits and for a day, so a plain hash will do."""
    return hashlib.sha256(row_id + codes.plain(code).reveal().encode()).digest()


def confirm(tx: Session, actor: Actor, user_id: bytes, code: Secret, now: datetime) -> bool:
    """Use the address from now on, if that was the code; else a miss is counted."""
    row = tx.scalars(
        select(OutsideAddress).where(OutsideAddress.user_id == user_id).with_for_update()
    ).first()
    fresh = row is not None and row.code_sent_at is not None and row.code_sent_at > now - CODE_FOR
    if row is None or row.sealed is None or row.code_hash is None or not fresh:
        return False
    if hash_of(row.id, code) != row.code_hash:
        row.misses += 1
        if row.misses >= MISSES:
            row.code_hash = None
        return False
    row.code_hash, row.confirmed_at = None, now
    user = tx.get_one(User, user_id)
    event = OutsideConfirmed(user_id=user_id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)
    return True


def remove(tx: Session, actor: Actor, user: User, now: datetime) -> None:
    """Forget the address at once."""
    if of(tx, user.id) == "none":
        return
    theirs = update(OutsideAddress).where(OutsideAddress.user_id == user.id)
    tx.execute(theirs.values(sealed=None, code_hash=None, confirmed_at=None))
    event = OutsideRemoved(user_id=user.id, address=user.address)
    audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)


def purge(tx: Session, now: datetime) -> None:
    """Forget addresses that nobody confirmed, and rows without one that count no code."""
    unused = OutsideAddress.confirmed_at.is_(None), OutsideAddress.set_at < now - UNCONFIRMED_FOR
    bare = OutsideAddress.sealed.is_(None), OutsideAddress.asked_since < now - A_DAY
    tx.execute(delete(OutsideAddress).where(or_(unused[0] & unused[1], bare[0] & bare[1])))
