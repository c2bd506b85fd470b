"""Keys of the ways to log in: what one-time codes are digested with, and secrets of apps.

The key of the digests never leaves, nor does an app's secret once it is set up: the web role asks
whether a code is right. So neither the database nor a backup of it is worth anything to who
wants to log in. A web process that was taken over can try codes here, slowly.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from app import audit
from app.accounts import demand, sessions, totp
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import Authenticator
from app.secret import Secret
from app.viewer import Method, Viewer
from archive_store import seal
from archive_store.errors import KeysMissing, NotFound, SealBroken, StoreBusy

CHECKS_PER_MINUTE = 30  # of one person; who is told to wait after five does not get there
_CODES, _APPS = "login-codes", "login-apps"


class CodeFactors:
    """The verb of the web role's and the admin socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def code_digests(self, user_id: bytes, codes: Sequence[Secret]) -> list[bytes]:
        """Digests that only this installation can make; of any id, and the same each time."""
        key = self._agent.keyring.secrets_key(_CODES)
        return [
            hmac.digest(key, seal.context("login-code", user_id, _octets(code)), hashlib.sha256)
            for code in codes
        ]


class AppFactors:
    """The verbs of the web role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent
        self._checks: dict[bytes, tuple[datetime, int]] = {}

    def begin_app(self, token: Secret) -> Secret:
        """The secret of a new app, for a session that was confirmed. It counts for nothing yet;
        asked for again before it does, it is the same.
        """
        with self._agent.lock, self._agent.db.write() as tx:
            viewer = self._confirmed(tx, token, "")
            app = tx.get(Authenticator, viewer.user.id)
            if app is not None and app.confirmed_at is not None:
                raise NotFound("there is an app already")
            if app is not None and (kept := self._opened(app)) is not None:
                return kept
            secret = totp.generate()
            key, place = self._agent.keyring.secrets_key(_APPS), _place(viewer.user.id)
            tx.merge(
                Authenticator(
                    user_id=viewer.user.id,
                    sealed=seal.wrap_kek(key, _octets(secret), place),
                    made_at=self._agent.now(),
                    confirmed_at=None,
                    last_step=0,
                )
            )
            return secret

    def confirm_app(self, token: Secret, client_ip: str, code: Secret) -> bool:
        """Whether the app gave this code: from then on it is asked for at each log-in."""
        with self._agent.lock, self._agent.db.write() as tx:
            viewer = self._confirmed(tx, token, client_ip)
            app = tx.get(Authenticator, viewer.user.id)
            if app is None or app.confirmed_at is not None or not self._take(tx, app, code):
                return False
            app.confirmed_at = self._agent.now()
            demand.meet(tx, viewer.session_id, Method.PASSWORD_APP)
            event = events.AppAdded(user_id=viewer.user.id, address=viewer.user.address)
            trail, at = viewer.user.domain_id, self._agent.now()
            audit.record(tx, event, trail=trail, actor=viewer.actor, at=at)
            return True

    def check_app(self, user_id: bytes, code: Secret) -> bool:
        """Whether it is a code of the person's app, of now and not used before."""
        with self._agent.lock, self._agent.db.write() as tx:
            self._limit(user_id)
            app = tx.get(Authenticator, user_id)
            return app is not None and app.confirmed_at is not None and self._take(tx, app, code)

    def _take(self, tx: Session, app: Authenticator, code: Secret) -> bool:
        secret = self._opened(app)
        step = totp.matching_step(secret, code, self._agent.now()) if secret else None
        if step is None:
            return False
        newer = Authenticator.user_id == app.user_id, Authenticator.last_step < step
        taken = tx.execute(update(Authenticator).where(*newer).values(last_step=step))
        return isinstance(taken, CursorResult) and taken.rowcount == 1

    def _opened(self, app: Authenticator) -> Secret | None:
        key = self._agent.keyring.secrets_key(_APPS)
        try:
            return Secret(seal.unwrap_kek(key, app.sealed, _place(app.user_id)).decode())
        except (KeysMissing, SealBroken):
            return None  # damaged, or of a keyring that is lost: one-time codes still let in

    def _confirmed(self, tx: Session, token: Secret, client_ip: str) -> Viewer:
        now = self._agent.now()
        live = sessions.look_up(tx, token, now, client_ip)
        if live is None or live.confirmed_until is None or live.confirmed_until <= now:
            raise NotFound("the session has ended, or was not confirmed")
        return live.viewer

    def _limit(self, user_id: bytes) -> None:
        minute = self._agent.now().replace(second=0, microsecond=0)
        self._checks = {key: one for key, one in self._checks.items() if one[0] == minute}
        _, count = self._checks.get(user_id, (minute, 0))
        self._checks[user_id] = (minute, count + 1)
        if count >= CHECKS_PER_MINUTE:
            raise StoreBusy("too many codes were tried in this minute")


def _octets(secret: Secret) -> bytes:
    return secret.reveal().encode("utf-8", "surrogatepass")


def _place(user_id: bytes) -> bytes:
    return seal.context("login-app", user_id)
