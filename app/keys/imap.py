"""The passwords of IMAP master users: sealed in the database, and opened for what waits.

Such a password opens every mailbox of a domain's primary. The key that seals it is derived from
the keyring, so that neither the database nor a backup of it can log in. What leaves is the
password of a domain that has copies waiting, to the deliver role alone, which forgets
it with them; and to the operator who tries it out, with an audit event.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import Domain, ImapAccess, QueueItem
from app.secret import Secret
from app.viewer import Actor
from archive_store import seal
from archive_store.errors import KeysMissing, NotFound, SealBroken
from archive_store.ids import new_id
from archive_store.keyring import Keyring

SENT, UNDELIVERED = "sent", ("queued", "leased", "held")
WISHED = ("host", "port", "tls", "master", "login", "names", "sent_folder")
_STEP = 64  # octets: the length of a password says little
_LABEL = "imap"


class OperatorImap:
    """The verbs of the admin socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def set_imap(
        self, operator: str, domain_id: bytes, wish: dict[str, Any], password: Secret
    ) -> None:
        """Set how a domain's mailboxes are reached. The caller has checked the wish."""
        with self._agent.lock, self._agent.db.write() as tx:
            domain = tx.get(Domain, domain_id)
            if domain is None:
                raise NotFound("no such domain")
            access = sealed(self._agent.keyring, domain_id, password)
            for name in WISHED:
                setattr(access, name, wish[name])
            access.set_at = self._agent.now()
            access.refusals, access.rests_until = 0, None
            tx.merge(access)
            event = events.ImapSet(domain=domain.name, host=access.host, master=access.master)
            actor = Actor.command_line(operator)
            audit.record(tx, event, trail=domain_id, actor=actor, at=access.set_at)

    def try_imap(self, operator: str, domain_id: bytes, mailbox: str) -> Secret:
        """The password, to try it out with a mailbox; audited."""
        with self._agent.lock, self._agent.db.write() as tx:
            domain, access = tx.get(Domain, domain_id), tx.get(ImapAccess, domain_id)
            if domain is None or access is None:
                raise NotFound("no IMAP server is set")
            password = opened(self._agent.keyring, access)
            if password is None:
                raise SealBroken("the password does not open with this keyring: set it anew")
            event = events.ImapOpened(domain=domain.name, mailbox=mailbox)
            actor = Actor.command_line(operator)
            audit.record(tx, event, trail=domain_id, actor=actor, at=self._agent.now())
        return password


class DeliverImap:
    """The verbs of the deliver role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def open_imap(self, item_ids: Sequence[bytes]) -> dict[bytes, Secret | None]:
        """The passwords, by domain, of Sent copies that wait; None: it is broken."""
        with self._agent.lock, self._agent.db.read() as tx:
            return passwords(tx, self._agent.keyring, item_ids)


def sealed(keyring: Keyring, domain_id: bytes, password: Secret) -> ImapAccess:
    """A row that has a password and nothing else yet."""
    access = ImapAccess(domain_id=domain_id, id=new_id())
    octets = seal.pad(password.reveal().encode(), _STEP)
    access.sealed = seal.wrap_kek(keyring.secrets_key(_LABEL), octets, _place(access))
    return access


def opened(keyring: Keyring, access: ImapAccess) -> Secret | None:
    """The password; None: it was damaged, or sealed under a keyring that is lost."""
    try:
        octets = seal.unwrap_kek(keyring.secrets_key(_LABEL), access.sealed, _place(access))
    except (KeysMissing, SealBroken):
        return None
    return Secret(seal.unpad(octets).decode())


def passwords(
    tx: Session, keyring: Keyring, item_ids: Sequence[bytes]
) -> dict[bytes, Secret | None]:
    """By domain, of those of the copies that wait still."""
    copies = select(QueueItem.domain_id).where(
        QueueItem.id.in_(item_ids), QueueItem.kind == SENT, QueueItem.state.in_(UNDELIVERED)
    )
    rows = tx.scalars(select(ImapAccess).where(ImapAccess.domain_id.in_(copies)))
    return {access.domain_id: opened(keyring, access) for access in rows}


def _place(access: ImapAccess) -> bytes:
    return seal.context("imap", access.domain_id, access.id)
