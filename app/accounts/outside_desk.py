"""`OutsideDesk`: what people may do with their own address outside, on their settings page."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from app.accounts import outside, sessions
from app.accounts.errors import Invalid, sentence
from app.login_views import OutsideView
from app.models import Domain, OutsideAddress, User
from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreError


class OutsideKeys(Protocol):
    """The keys role, as far as this page needs it. Raises StoreError."""

    def set_outside(self, token: Secret, client_ip: str, address: str) -> None:
        """Ask the session's own person to confirm an address."""

    def own_outside(self, token: Secret) -> Secret | None:
        """The own address, if there is one that opens."""


class OutsideDesk:
    """The use cases. Safe to share between threads."""

    def __init__(
        self, db: Database, keys: OutsideKeys, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._db = db
        self._keys = keys
        self._now = now

    def outside(self, viewer: Viewer) -> OutsideView:
        """The own address, and whether it counts; without it while the keys role is away."""
        with self._db.read() as tx:
            state = outside.of(tx, viewer.user.id)
            domain_id = viewer.user.domain_id
            domain = tx.get(Domain, domain_id) if domain_id else None
            told = domain is not None and domain.outside_notices
        address = ""
        if state != "none":
            try:
                found = self._keys.own_outside(viewer.token)
            except StoreError:
                found = None
            address = found.reveal() if found else ""
        return OutsideView(state=state, address=address, told=told)

    def set_outside(self, viewer: Viewer, text: str) -> None:
        """Have a code mailed to an address; BadEntry for "outside"."""
        with self._db.read() as tx:
            sessions.require_whole(tx, viewer)
            user = tx.get_one(User, viewer.user.id)
            try:
                address = outside.checked(tx, user, text)
                outside.allow_code(tx.get(OutsideAddress, user.id), self._now())
            except Invalid as error:
                raise BadEntry(outside.FIELD, sentence(error.message)) from error
        self._keys.set_outside(viewer.token, viewer.client_ip, address.text)

    def confirm_outside(self, viewer: Viewer, code: Secret) -> None:
        """Use the address from now on; BadEntry for "outside_code"."""
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            right = outside.confirm(tx, viewer.actor, viewer.user.id, code, self._now())
        if not right:  # after the commit, which counts the miss
            raise BadEntry(outside.CODE_FIELD, sentence(outside.WRONG))

    def remove_outside(self, viewer: Viewer) -> None:
        """Forget it."""
        with self._db.write() as tx:
            sessions.require_whole(tx, viewer)
            outside.remove(tx, viewer.actor, tx.get_one(User, viewer.user.id), self._now())
