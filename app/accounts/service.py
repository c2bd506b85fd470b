"""The account pages' use cases, each with its own transactions: what the web calls.

Maps what the use cases return to the values and exceptions of `app.views`. One object
for a web process: it holds the queue of password checks.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from app import audit
from app.accounts import login, sessions, throttle, users
from app.accounts.caller import Caller, client_of
from app.accounts.entering import Refused
from app.accounts.errors import Forbidden, Invalid, sentence
from app.accounts.networks import network_of
from app.accounts.passwords import Passwords, PasswordsBusy, require_good
from app.accounts.sessions import SessionFacts
from app.audit.events import LoginFailed, LoginFailure, SessionsRevoked
from app.login_views import SecondStep
from app.models import User
from app.phrase import phrase, phrases
from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry, LoginRefused, LoginThrottled, SessionView, Visit
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database

_SHOWN_OCTETS = ids.ID_OCTETS  # of the hash of a token: enough to name a session in a list


class Attempt(Caller, Protocol):
    """A log-in form as it was sent."""

    @property
    def address(self) -> str: ...
    @property
    def password(self) -> Secret: ...


class Accounts:
    """Log-in, log-out, the own sessions and the own password."""

    def __init__(
        self, db: Database, passwords: Passwords, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db = db
        self._passwords = passwords
        self._login = login.Login(db, passwords)
        self._now = now

    def login(self, attempt: Attempt) -> Secret:
        """The token of a new session; raises LoginRefused, LoginThrottled or SecondStep."""
        client = client_of(attempt)
        outcome = self._login.log_in(attempt.address, attempt.password, client, self._now())
        if isinstance(outcome, login.Half):
            raise SecondStep(outcome.token)
        return session_of(outcome)

    def current(self, token: Secret, client_ip: str) -> Visit | None:
        """The live session of a token, noted as used."""
        now = self._now()
        with self._db.read() as tx:
            live = sessions.look_up(tx, token, now, client_ip)
        if live is not None and live.touch_due:
            with self._db.write() as tx:
                sessions.touch(tx, live.viewer.session_id, now)
        return _visit(live)

    def glance(self, token: Secret, client_ip: str) -> Visit | None:
        """As `current`, for what a page asks by itself: it does not count as use."""
        with self._db.read() as tx:
            return _visit(sessions.look_up(tx, token, self._now(), client_ip))

    def logout(self, viewer: Viewer) -> None:
        """End the session of this request."""
        with self._db.write() as tx:
            login.log_out(tx, viewer, self._now())

    def sessions(self, viewer: Viewer) -> tuple[SessionView, ...]:
        """The person's live sessions, the one used last first."""
        with self._db.read() as tx:
            found = sessions.list_live(tx, viewer.user, self._now())
        return tuple(session_view(facts, viewer) for facts in found)

    def revoke(self, viewer: Viewer, session_id: str) -> None:
        """End one of the person's own sessions; what is not one of them is no error."""
        now = self._now()
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            found = sessions.list_live(tx, viewer.user, now)
            chosen = [facts.id for facts in found if _shown_id(facts.id) == session_id]
            count = sessions.revoke(tx, viewer.user.id, chosen, now)
            _record_revoked(tx, viewer, count, now)

    def revoke_all(self, viewer: Viewer) -> None:
        """End all the person's sessions, this one too."""
        now = self._now()
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            count = sessions.revoke_all(tx, viewer.user.id, now)
            _record_revoked(tx, viewer, count, now)

    def revoke_others(self, viewer: Viewer) -> None:
        """End all the person's sessions but this one."""
        now = self._now()
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            count = sessions.revoke_all(tx, viewer.user.id, now, keep=viewer.session_id)
            _record_revoked(tx, viewer, count, now)

    def change_password(self, viewer: Viewer, old: Secret, new: Secret) -> None:
        """Raises BadEntry for "old" or "new". All other sessions end."""
        try:
            require_good(new, address=viewer.user.address, name=viewer.user.name)
        except Invalid as error:
            raise BadEntry("new", sentence(error.message)) from error
        now = self._now()
        with self._db.read() as tx:
            if sessions.is_limited(tx, viewer):
                raise BadEntry(
                    "old", phrase("You signed in with a one-time code, which changes no password.")
                )
            sessions.require_whole(tx, viewer)
        kept = self._charge(viewer, now)
        try:
            if not self._passwords.check(kept, old):
                self._note_wrong_password(viewer, now)
                raise BadEntry("old", phrase("This is not your present password."))
            hashed = self._passwords.hash(new)
            with self._db.write() as tx:
                throttle.forgive(tx, self._counts(viewer))
                users.change_own_password(tx, viewer, kept, hashed, now)
        except PasswordsBusy as error:
            with self._db.write() as tx:
                throttle.refund(tx, self._counts(viewer))
            raise BadEntry("old", phrase("The server is busy. Try again in a moment.")) from error
        except Forbidden as error:
            raise BadEntry("old", phrase("This is not your present password.")) from error

    def _charge(self, viewer: Viewer, now: datetime) -> str:
        """Count the attempt: with a stolen session nobody may guess the password here."""
        with self._db.write() as tx:
            kept = tx.get_one(User, viewer.user.id).password_hash
            refusal = throttle.charge(tx, self._counts(viewer), now)
        if refusal:
            seconds = _seconds(refusal.wait)
            message = phrases(
                "Too many attempts. Try again in %(num)s second.",
                "Too many attempts. Try again in %(num)s seconds.",
                seconds,
            )
            raise BadEntry("old", message)
        return kept

    def _counts(self, viewer: Viewer) -> tuple[throttle.Count, ...]:
        network = network_of(viewer.client_ip)
        return throttle.own_count(viewer.user.id, network)

    def _note_wrong_password(self, viewer: Viewer, now: datetime) -> None:
        event = LoginFailed(address=viewer.user.address, reason=LoginFailure.WRONG_PASSWORD)
        with self._db.write() as tx:
            audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def _record_revoked(tx: Session, viewer: Viewer, count: int, now: datetime) -> None:
    if not count:
        return
    event = SessionsRevoked(user_id=viewer.user.id, address=viewer.user.address, count=count)
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def _visit(live: sessions.LiveSession | None) -> Visit | None:
    if live is None:
        return None
    return Visit(
        viewer=live.viewer,
        public_computer=live.public_computer,
        expires_at=live.ends_at,
        limited=live.limited,
        confined=live.confined,
    )


def session_of(outcome: Secret | Refused) -> Secret:
    """The token of a new session, or the exception for a refusal: one for all but waiting."""
    if isinstance(outcome, Secret):
        return outcome
    if outcome.reason is LoginFailure.THROTTLED:
        raise LoginThrottled(_seconds(outcome.retry_after))
    raise LoginRefused


def session_view(facts: SessionFacts, viewer: Viewer) -> SessionView:
    return SessionView(
        id=_shown_id(facts.id),
        client_ip=facts.client.ip,
        user_agent=facts.client.user_agent,
        created_at=facts.created_at,
        seen_at=facts.seen_at,
        expires_at=facts.ends_at,
        public_computer=facts.client.public_computer,
        current=facts.id == viewer.session_id,
        method=facts.method,
    )


def _shown_id(session_id: bytes) -> str:
    return ids.show(session_id[:_SHOWN_OCTETS])


def _seconds(wait: timedelta) -> int:
    return -(-wait // timedelta(seconds=1))
