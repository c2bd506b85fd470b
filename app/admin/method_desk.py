"""`MethodDesk`: what an administrator may do about another person's ways to log in.

See which there are, make a code for somebody who cannot get in, and take everything but the
password away. Never see one, nor choose one. Whoever does it proved in the last ten minutes to be
there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.accounts import codes, methods, users
from app.accounts.confirming import require_confirmed
from app.accounts.factor_keys import CodeKeys
from app.accounts.permissions import Permission, reachable_domain
from app.admin.gate import Gate, read_id
from app.admin_views import GivenCode, PersonMethods
from app.viewer import Role, Viewer
from archive_store.clock import utc_now
from archive_store.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodDeskParts:
    """What the use cases are made of."""

    db: Database
    keys: CodeKeys
    now: Callable[[], datetime] = field(default=utc_now)


class MethodDesk:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: MethodDeskParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._now = parts.now
        self._gate = Gate(parts.db, parts.now)

    def person(self, viewer: Viewer, user_id: str) -> PersonMethods:
        """What somebody logs in with."""
        wanted = read_id(user_id)
        self._gate.require(viewer, Permission.MANAGE_PEOPLE, reachable_domain(viewer.user))
        with self._gate.guarded(viewer), self._db.read() as tx:
            user = users.find(tx, viewer, wanted)
            found = methods.of(tx, user.id)
        return PersonMethods(
            id=user_id,
            address=user.address,
            name=user.name,
            role=Role(user.role),
            disabled=user.disabled,
            last_login_at=user.last_login_at,
            app=found.app_since is not None,
            passkeys=len(found.passkeys),
            codes_left=found.codes.left,
            by_code=Role(user.role) in methods.BY_CODE and not user.disabled,
        )

    def give_code(self, viewer: Viewer, user_id: str) -> GivenCode:
        """A one-time code for somebody, shown once; valid for an hour."""
        wanted, code, now = read_id(user_id), codes.generate(), self._now()
        self._gate.require(viewer, Permission.MANAGE_PEOPLE, reachable_domain(viewer.user))
        with self._gate.guarded(viewer):
            with self._db.read() as tx:
                require_confirmed(tx, viewer, now)
                methods.require_code_for(viewer, users.find(tx, viewer, wanted))
            [digest] = self._keys.code_digests(wanted, [codes.plain(code)])
            with self._db.write() as tx:
                methods.give_code(tx, viewer, users.find(tx, viewer, wanted), digest, now)
        minutes = codes.GIVEN_FOR // timedelta(minutes=1)
        return GivenCode(code=code.reveal(), minutes=minutes)

    def reset(self, viewer: Viewer, user_id: str) -> None:
        """Take everything but the password away; every session of the person ends."""
        wanted, now = read_id(user_id), self._now()
        self._gate.require(viewer, Permission.MANAGE_PEOPLE, reachable_domain(viewer.user))
        with self._gate.guarded(viewer), self._db.write() as tx:
            require_confirmed(tx, viewer, now)
            methods.reset(tx, viewer, users.find(tx, viewer, wanted), now)
