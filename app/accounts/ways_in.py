"""The ways in beside the password: a code for the second half, a one-time code, a passkey.

Like `login.Login`, each counts its attempt in one short transaction, asks the keys role outside
of any, and records in another what came of it. Failures are returned, so that they commit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import codes, methods, passkeys, steps, throttle, totp
from app.accounts.entering import (
    Attempt,
    Refused,
    already_refused,
    attempt_at,
    attempt_of,
    charge,
    enter,
    failed,
)
from app.accounts.factor_keys import FactorKeys
from app.accounts.networks import network_of
from app.accounts.sessions import Client
from app.audit.events import LoginFailed, LoginFailure
from app.models import Passkey, User
from app.secret import Secret
from app.viewer import Actor, Method, Role
from archive_store import ids
from archive_store.db import Database


@dataclass(frozen=True, slots=True)
class Over:
    """The first half is too long ago, or was used: begin again."""


class WaysIn:
    """Begins sessions without a password, or after one. `site` None: there are no passkeys."""

    def __init__(self, db: Database, keys: FactorKeys, site: passkeys.Site | None) -> None:
        self._db = db
        self._keys = keys
        self._site = site

    def by_code(
        self, address: str, code: Secret, client: Client, now: datetime
    ) -> Secret | Refused:
        """A limited session, always as on a public computer."""
        client = replace(client, public_computer=True)
        with self._db.read() as tx:
            attempt = attempt_at(tx, address, client, now)
            if refused := already_refused(tx, attempt, now):
                return refused
        # The same work for an address that is nobody's: an id that names nobody has no codes.
        owner = attempt.user.id if attempt.user else ids.new_id()
        [digest] = self._keys.code_digests(owner, [codes.plain(code)])
        with self._db.write() as tx:
            if refused := charge(tx, attempt, now):
                return refused
            return _by_code(tx, attempt, (owner, digest), now)

    def second_half(
        self, step_token: Secret, code: Secret, client: Client, now: datetime
    ) -> Secret | Refused | Over:
        """A session, when the code that follows the password is right."""
        with self._db.write() as tx:
            step = steps.find(tx, step_token, steps.Kind.CODE, now)
            if step is None or step.user_id is None:
                return Over()
            client = replace(client, public_computer=step.public_computer)
            token_hash, user = step.token_hash, tx.get_one(User, step.user_id)
            attempt = attempt_of(tx, user, client, now)
            if refused := charge(tx, attempt, now):
                return refused
        by_app = totp.looks_like_one(code) and self._keys.check_app(user.id, code)
        [digest] = self._keys.code_digests(user.id, [codes.plain(code)])
        with self._db.write() as tx:
            return _second(tx, attempt, token_hash, None if by_app else digest, now)

    def ask_passkey(self, client: Client, now: datetime) -> tuple[Secret, str] | None:
        """The token of a step, and what the browser is to be asked; None: no passkeys here."""
        if self._site is None:
            return None
        asked = passkeys.ask(self._site)
        with self._db.write() as tx:
            wanted = steps.Wanted(kind=steps.Kind.PASSKEY, challenge=asked.challenge)
            return steps.begin(tx, wanted, client, now), asked.options

    def by_passkey(
        self, step_token: Secret, text: str, client: Client, now: datetime
    ) -> Secret | Refused | Over:
        """A session for whoever the passkey belongs to."""
        with self._db.write() as tx:
            step = steps.find(tx, step_token, steps.Kind.PASSKEY, now)
            # Ended by any answer: a challenge serves once.
            if self._site is None or step is None or not steps.end(tx, step.token_hash):
                return Over()
            found = proved(tx, self._site, step.challenge, text, now)
            if isinstance(found, LoginFailure):
                return _unknown_failed(tx, client, found, now)
            user = tx.get_one(User, found.user_id)
            attempt = attempt_of(tx, user, client, now)
            if user.disabled:
                return failed(tx, attempt, LoginFailure.DISABLED, now)
            # Not counted: nobody guesses a signature, and nobody may keep its owner out.
            return enter(tx, replace(attempt, counts=()), user, Method.PASSKEY, now)


def proved(
    tx: Session, site: passkeys.Site, challenge: bytes, text: str, now: datetime
) -> Passkey | LoginFailure:
    """The passkey whose signature this is, noted as used; or what is wrong with it."""
    answer = passkeys.read(text)
    if answer is None:
        return LoginFailure.WRONG_PASSKEY
    wanted = select(Passkey).where(Passkey.credential_id == answer.credential_id)
    key = tx.scalars(wanted.with_for_update()).first()
    count = passkeys.signed(site, challenge, answer, key) if key else None
    if key is None or count is None:
        return LoginFailure.WRONG_PASSKEY
    if passkeys.is_copied(key.sign_count, count):
        return LoginFailure.PASSKEY_COPIED
    key.sign_count, key.used_at = count, now
    return key


def _by_code(
    tx: Session, attempt: Attempt, proof: tuple[bytes, bytes], now: datetime
) -> Secret | Refused:
    method = codes.use(tx, *proof, now)
    user = tx.get(User, attempt.user.id) if attempt.user else None
    if user is None:
        return failed(tx, attempt, LoginFailure.UNKNOWN_ACCOUNT, now)
    if method is None:
        return failed(tx, attempt, LoginFailure.WRONG_CODE, now)
    if user.disabled:
        return failed(tx, attempt, LoginFailure.DISABLED, now)
    if Role(user.role) not in methods.BY_CODE:
        return failed(tx, attempt, LoginFailure.NOT_BY_CODE, now)
    return enter(tx, attempt, user, method, now)


def _second(
    tx: Session, attempt: Attempt, step: bytes, digest: bytes | None, now: datetime
) -> Secret | Refused | Over:
    """`digest` is of a one-time code; None: the code of the app was right."""
    user = tx.get_one(User, attempt.user.id) if attempt.user else None
    if user is None or user.disabled:
        return Over()
    # A code that an administrator gave reads and answers; it does not stand in for the app.
    right = digest is None or codes.use(tx, user.id, digest, now) is Method.CODE
    if not right:
        steps.fail(tx, step)
        return failed(tx, attempt, LoginFailure.WRONG_CODE, now)
    if not steps.end(tx, step):
        return Over()
    method = Method.PASSWORD_APP if digest is None else Method.PASSWORD_CODE
    return enter(tx, attempt, user, method, now)


def _unknown_failed(tx: Session, client: Client, reason: LoginFailure, now: datetime) -> Refused:
    # Whoever sends nonsense is never kept from signing in, but does not fill the trail with it.
    if throttle.charge(tx, throttle.nonsense_count(network_of(client.ip)), now) is None:
        event = LoginFailed(address="", reason=reason)
        actor = Actor(client_ip=client.ip)
        audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=now)
    return Refused(reason=reason)
