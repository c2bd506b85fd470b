"""Logging in with a password, and out.

`Login.log_in` is the one use case that opens transactions itself: hashing takes a good
part of a second, and a database that is locked meanwhile would stop the mail. So: one
short transaction counts the attempt, the password is checked outside, another one
records what came of it. Failures are returned, not raised: their transaction commits.

A right password of somebody with an authenticator app gives no session, but a step that
waits for a code (`steps`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import audit
from app.accounts import methods, sessions, steps, throttle
from app.accounts.entering import (
    Attempt,
    Refused,
    already_refused,
    attempt_at,
    charge,
    enter,
    failed,
)
from app.accounts.passwords import Passwords, PasswordsBusy
from app.accounts.sessions import Client
from app.audit.events import LoggedOut, LoginFailure
from app.models import User
from app.secret import Secret
from app.viewer import Method, Viewer
from archive_store.db import Database

BUSY_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Half:
    """The password was right, and a code has to follow; `token` is the step's."""

    token: Secret


class Login:
    """Checks passwords and begins sessions."""

    def __init__(self, db: Database, passwords: Passwords) -> None:
        self._db = db
        self._passwords = passwords

    def log_in(
        self, address: str, password: Secret, client: Client, now: datetime
    ) -> Secret | Half | Refused:
        """The token of a new session, or of a step, or why there is neither."""
        with self._db.read() as tx:
            attempt = attempt_at(tx, address, client, now)
            if refused := already_refused(tx, attempt, now):
                return refused
        with self._db.write() as tx:
            if refused := charge(tx, attempt, now):
                return refused
        kept = attempt.user.password_hash if attempt.user else None
        try:
            right = self._passwords.check(kept, password)
            fresh = self._rehashed(kept, password) if right else None
        except PasswordsBusy:
            with self._db.write() as tx:
                throttle.refund(tx, attempt.counts)
            return Refused(reason=LoginFailure.THROTTLED, retry_after=BUSY_WAIT)
        with self._db.write() as tx:
            return _finish(tx, attempt, right, fresh, now)

    def _rehashed(self, kept: str | None, password: Secret) -> str | None:
        """The hash at today's costs, when the kept one was made with others."""
        if kept is None or not self._passwords.is_outdated(kept):
            return None
        return self._passwords.hash(password)


def log_out(tx: Session, viewer: Viewer, now: datetime) -> None:
    """End the session of this request."""
    if sessions.revoke(tx, viewer.user.id, [viewer.session_id], now):
        trail = viewer.user.domain_id
        audit.record(tx, LoggedOut(), trail=trail, actor=viewer.actor, at=now)


def _finish(
    tx: Session, attempt: Attempt, right: bool, fresh: str | None, now: datetime
) -> Secret | Half | Refused:
    checked = attempt.user
    user = tx.get(User, checked.id) if checked else None
    if user is None or checked is None:
        return failed(tx, attempt, LoginFailure.UNKNOWN_ACCOUNT, now)
    # A password that was changed while this one was being checked wins.
    if not right or user.password_hash != checked.password_hash:
        return failed(tx, attempt, LoginFailure.WRONG_PASSWORD, now)
    if user.disabled:
        return failed(tx, attempt, LoginFailure.DISABLED, now)
    user.password_hash = fresh or user.password_hash
    if methods.has_app(tx, user.id):
        # Not forgiven: that is for who has the code as well.
        throttle.refund(tx, attempt.counts)
        wanted = steps.Wanted(kind=steps.Kind.CODE, user_id=user.id)
        return Half(steps.begin(tx, wanted, attempt.client, now))
    return enter(tx, attempt, user, Method.PASSWORD, now)
