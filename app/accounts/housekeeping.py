"""What the sweep removes of accounts: sessions, failures, codes and steps that are over,
networks and browsers long unseen, and addresses outside that nobody confirmed.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts import codes, devices, outside, sessions, steps, throttle


def purge(tx: Session, now: datetime) -> None:
    """Forget what is past its time; safe to repeat at any moment."""
    sessions.purge(tx, now)
    throttle.purge(tx, now)
    codes.purge(tx, now)
    steps.purge(tx, now)
    devices.purge(tx, now)
    outside.purge(tx, now)
