"""What the sweep removes of accounts: ended sessions, old failures, networks long unseen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts import sessions, throttle


def purge(tx: Session, now: datetime) -> None:
    """Forget what is past its time; safe to repeat at any moment."""
    sessions.purge(tx, now)
    throttle.purge(tx, now)
