"""How a person writes: a signature for each identity, plain or rich text, where the quote stands.

A signature is the person's own text, as the name is, and goes out with every mail: it stands in
the database in clear, beside the identity.
"""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from app import audit
from app.accounts import identities, sessions
from app.accounts.errors import Unknown
from app.audit.events import SignatureChanged
from app.models import Identity, User
from app.phrase import phrase
from app.viewer import Viewer
from app.views import BadEntry, Habits, Quoting
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound
from archive_store.mime import clean

LONGEST_SIGNATURE = 4_000  # characters
TOO_LONG = phrase("A signature has at most 4,000 characters.")
DELIMITER = "--"  # RFC 3676 section 4.3: put there by us, whoever typed it as well


def of(tx: Session, user_id: bytes) -> Habits:
    """A person's own habits."""
    user = tx.get_one(User, user_id)
    return Habits(
        rich=user.rich_text,
        quoting=cast(Quoting, user.quoting),
        signatures={ids.show(one.id): one.signature for one in identities.list_of(tx, user_id)},
    )


def cleaned(signature: str) -> str:
    """A signature as it is kept: no delimiter in front, nothing blank around it."""
    lines = [line.rstrip() for line in clean.block(signature).strip().split("\n")]
    if lines[0] == DELIMITER:
        lines = lines[1:]
    return "\n".join(lines).strip("\n")


class HabitDesk:
    """The use cases of the settings of writing."""

    def __init__(self, db: Database, now: Callable[[], datetime] = utc_now) -> None:
        self._db = db
        self._now = now

    def habits(self, viewer: Viewer) -> Habits:
        with self._db.read() as tx:
            return of(tx, viewer.user.id)

    def set_habits(self, viewer: Viewer, habits: Habits) -> None:
        """Keep all of it, or nothing: BadEntry names the signature that is too long."""
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            user = tx.get_one(User, viewer.user.id)
            user.rich_text, user.quoting = habits.rich, habits.quoting
            for shown, written in habits.signatures.items():
                self._sign(tx, viewer, _own(tx, viewer, shown), cleaned(written))

    def _sign(self, tx: Session, viewer: Viewer, identity: Identity, signature: str) -> None:
        if len(signature) > LONGEST_SIGNATURE:
            raise BadEntry(f"signature-{ids.show(identity.id)}", TOO_LONG)
        if signature == identity.signature:
            return
        identity.signature = signature
        event = SignatureChanged(identity=identity.address)
        audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=self._now())


def _own(tx: Session, viewer: Viewer, shown: str) -> Identity:
    try:
        return identities.own(tx, viewer, ids.read(shown))
    except (Unknown, ids.BadId):
        raise NotFound("no such identity") from None
