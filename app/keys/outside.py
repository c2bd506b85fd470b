"""Addresses outside: sealed in the database, and opened for their owner and to send.

The key that seals them is derived from the keyring, so neither the database nor a backup of it
tells where people are reached. What leaves: the own address to a session of its owner, and to
the deliver role those to which it is about to write.
"""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import outside, sessions
from app.accounts.errors import Invalid
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import OutsideAddress, OutsideNotice, User
from app.secret import Secret
from app.viewer import Actor, Viewer
from archive_store import seal
from archive_store.errors import KeysMissing, NotFound, SealBroken, StoreBusy
from archive_store.ids import new_id
from archive_store.keyring import Keyring

_LABEL = "outside"
_STEP = 64  # octets: the length of an address says little


class OutsideVerbs:
    """The verbs of the web role's, the admin and the deliver role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def set_outside(self, token: Secret, client_ip: str, address: str) -> None:
        """Ask a session's own person to confirm an address. The caller has checked it."""
        with self._agent.lock, self._agent.db.write() as tx:
            viewer = self._viewer(tx, token, client_ip)
            if sessions.is_limited(tx, viewer):
                raise NotFound("a one-time code began this session")
            self._set(tx, viewer.actor, tx.get_one(User, viewer.user.id), address)

    def operator_outside(self, operator: str, user_id: bytes, address: str) -> None:
        """The same for somebody, by command."""
        actor = Actor.command_line(operator)
        with self._agent.lock, self._agent.db.write() as tx:
            user = tx.get(User, user_id)
            if user is None:
                raise NotFound("no such user")
            self._set(tx, actor, user, address)

    def own_outside(self, token: Secret) -> Secret | None:
        """The address of a session's own person, to show it; None: there is none that opens."""
        with self._agent.lock, self._agent.db.read() as tx:
            row = tx.get(OutsideAddress, self._viewer(tx, token, "").user.id)
            return opened(self._agent.keyring, row) if row else None

    def open_outside(self, user_ids: Sequence[bytes]) -> dict[bytes, Secret]:
        """The addresses, by person, of those who are owed a mail there."""
        with self._agent.lock, self._agent.db.read() as tx:
            return owed(tx, self._agent.keyring, user_ids)

    def _set(self, tx: Session, actor: Actor, user: User, address: str) -> None:
        now = self._agent.now()
        try:
            asked, since = outside.allow_code(tx.get(OutsideAddress, user.id), now)
        except Invalid:
            raise StoreBusy("a code was mailed too often today") from None
        row = sealed(self._agent.keyring, user.id, address)
        row.set_at, row.asked, row.asked_since = now, asked, since
        tx.merge(row)
        event = events.OutsideSet(user_id=user.id, address=user.address)
        audit.record(tx, event, trail=user.domain_id, actor=actor, at=now)

    def _viewer(self, tx: Session, token: Secret, client_ip: str) -> Viewer:
        viewer = sessions.current(tx, token, self._agent.now(), client_ip=client_ip)
        if viewer is None:
            raise NotFound("the session has ended")
        return viewer


def sealed(keyring: Keyring, user_id: bytes, address: str) -> OutsideAddress:
    """A row that has an address which nobody has confirmed."""
    row = OutsideAddress(
        user_id=user_id,
        id=new_id(),
        code_hash=None,
        code_sent_at=None,
        misses=0,
        confirmed_at=None,
    )
    octets = seal.pad(address.encode(), _STEP)
    row.sealed = seal.wrap_kek(keyring.secrets_key(_LABEL), octets, _place(row))
    return row


def opened(keyring: Keyring, row: OutsideAddress) -> Secret | None:
    """The address; None: there is none, or it does not open with this keyring."""
    if row.sealed is None:
        return None
    try:
        octets = seal.unwrap_kek(keyring.secrets_key(_LABEL), row.sealed, _place(row))
    except (KeysMissing, SealBroken):
        return None
    return Secret(seal.unpad(octets).decode())


def owed(tx: Session, keyring: Keyring, user_ids: Sequence[bytes]) -> dict[bytes, Secret]:
    """Addresses that wait for their code, or whose owner is to be told of an outage."""
    notice = and_(
        OutsideNotice.user_id == OutsideAddress.user_id,
        or_(OutsideNotice.opening_at.is_(None), OutsideNotice.closing_at.is_(None)),
    )
    told = OutsideAddress.confirmed_at.is_not(None) & select(OutsideNotice).where(notice).exists()
    asked = OutsideAddress.confirmed_at.is_(None) & OutsideAddress.code_sent_at.is_(None)
    rows = tx.scalars(
        select(OutsideAddress).where(OutsideAddress.user_id.in_(user_ids), or_(told, asked))
    )
    found = {row.user_id: opened(keyring, row) for row in rows}
    return {user_id: address for user_id, address in found.items() if address is not None}


def _place(row: OutsideAddress) -> bytes:
    return seal.context("outside", row.user_id, row.id)
