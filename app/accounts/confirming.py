"""Proving once more who one is, in a live session, before its account may be changed.

By password, by a code of the app or of the own list, or by a passkey. Attempts count as log-ins
do, so a stolen session is no place to guess in. The session goes on under a new token.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from app import audit
from app.accounts import codes, demand, passkeys, sessions, steps, throttle, totp, ways_in
from app.accounts.factor_keys import FactorKeys
from app.accounts.networks import network_of
from app.accounts.passwords import Passwords, PasswordsBusy
from app.audit.events import LoginConfirmed, LoginFailed, LoginFailure
from app.login_views import NotConfirmed
from app.models import User
from app.phrase import Phrase, phrase, phrases
from app.secret import Secret
from app.viewer import Method, Viewer
from app.views import BadEntry
from archive_store.db import Database

Proof = Literal["password", "app", "code", "passkey"]
FIELD = "proof"
BESIDE_THE_PASSWORD: Mapping[Proof, Method] = {
    "app": Method.PASSWORD_APP,
    "code": Method.PASSWORD_CODE,
    "passkey": Method.PASSKEY,
}


def require_confirmed(tx: Session, viewer: Viewer, now: datetime) -> None:
    """Raise NotConfirmed unless the person proved to be there in the last ten minutes."""
    if not sessions.is_confirmed(tx, viewer, now):
        raise NotConfirmed


class Confirming:
    """Each gives the session's new token, or raises BadEntry for "proof"."""

    def __init__(self, db: Database, passwords: Passwords, keys: FactorKeys) -> None:
        self._db = db
        self._passwords = passwords
        self._keys = keys

    def by_password(self, viewer: Viewer, typed: Secret, now: datetime) -> Secret:
        """With the password."""
        kept = self._charge(viewer, now)
        try:
            right = self._passwords.check(kept, typed)
        except PasswordsBusy:
            with self._db.write() as tx:
                throttle.refund(tx, _counts(viewer))
            raise
        return self._finish(viewer, "password" if right else LoginFailure.WRONG_PASSWORD, now)

    def by_code(self, viewer: Viewer, typed: Secret, now: datetime) -> Secret:
        """With a code of the app, or of the own list."""
        self._charge(viewer, now)
        user_id = viewer.user.id
        if totp.looks_like_one(typed):
            right = self._keys.check_app(user_id, typed)
            return self._finish(viewer, "app" if right else LoginFailure.WRONG_CODE, now)
        [digest] = self._keys.code_digests(user_id, [codes.plain(typed)])
        with self._db.write() as tx:
            right = codes.use(tx, user_id, digest, now) is Method.CODE
        return self._finish(viewer, "code" if right else LoginFailure.WRONG_CODE, now)

    def by_passkey(
        self, viewer: Viewer, site: passkeys.Site, challenge: tuple[Secret, str], now: datetime
    ) -> Secret:
        """With the answer to a step's challenge: `challenge` is the step's token and the answer."""
        step_token, answer = challenge
        proof: Proof | LoginFailure = LoginFailure.WRONG_PASSKEY
        with self._db.write() as tx:
            step = steps.find(tx, step_token, steps.Kind.PASSKEY, now)
            if step is not None and steps.end(tx, step.token_hash):
                found = ways_in.proved(tx, site, step.challenge, answer, now)
                if isinstance(found, LoginFailure):
                    proof = found
                elif found.user_id == viewer.user.id:
                    proof = "passkey"
        return self._finish(viewer, proof, now)

    def _charge(self, viewer: Viewer, now: datetime) -> str:
        with self._db.write() as tx:
            if sessions.is_limited(tx, viewer):
                raise NotConfirmed
            kept = tx.get_one(User, viewer.user.id).password_hash
            refusal = throttle.charge(tx, _counts(viewer), now)
        if refusal:
            seconds = -(-refusal.wait // timedelta(seconds=1))
            raise BadEntry(FIELD, wait_words(seconds))
        return kept

    def _finish(self, viewer: Viewer, proof: Proof | LoginFailure, now: datetime) -> Secret:
        trail, actor = viewer.user.domain_id, viewer.actor
        with self._db.write() as tx:
            if isinstance(proof, LoginFailure):
                wrong = LoginFailed(address=viewer.user.address, reason=proof)
                audit.record(tx, wrong, trail=trail, actor=actor, at=now)
                token = None
            elif token := sessions.confirm(tx, viewer, now):
                if method := BESIDE_THE_PASSWORD.get(proof):
                    demand.meet(tx, sessions.hash_of(token), method)
                throttle.forgive(tx, _counts(viewer))
                done = LoginConfirmed(proof=proof)
                audit.record(tx, done, trail=trail, actor=actor, at=now)
        if token is None:
            raise BadEntry(FIELD, phrase("That is not right. Try again."))
        return token


def wait_words(seconds: int) -> Phrase:
    """How long the next attempt has to wait."""
    return phrases(
        "Too many attempts. Try again in %(num)s second.",
        "Too many attempts. Try again in %(num)s seconds.",
        seconds,
    )


def _counts(viewer: Viewer) -> tuple[throttle.Count, ...]:
    return throttle.own_count(viewer.user.id, network_of(viewer.client_ip))
