"""What the operator's commands may ask: everything, with a reason, on the record.

Whoever can reach this socket (or read the keyring file) runs the machine. The
trail of the domain concerned names the operator, the reason and what was opened.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from app import audit
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import QueueItem
from app.viewer import Actor
from archive_store.errors import NotFound
from archive_store.keyring_backup import without_days
from archive_store.models import Entry, Mailbox


class OperatorVerbs:
    """The verbs of the admin socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def operator_entries(
        self, operator: str, reason: str, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of anybody's entries; one event an entry."""
        with self._agent.lock, self._agent.db.write() as tx:
            entries = list(tx.scalars(select(Entry).where(Entry.id.in_(entry_ids))))
            for entry in entries:
                event = events.MessageDownloaded(
                    mailbox_id=entry.mailbox_id, entry_id=entry.id, reason=reason
                )
                trail = self._agent.owner(tx, entry.mailbox_id).tenant_id
                actor = Actor.command_line(operator)
                audit.record(tx, event, trail=trail, actor=actor, at=self._agent.now())
            return self._agent.content_keys(tx, entries)

    def operator_summary_keys(
        self, operator: str, reason: str, mailbox_id: bytes
    ) -> dict[date, bytes]:
        """Summary keys of anybody's mailbox."""
        with self._agent.lock, self._agent.db.write() as tx:
            mailbox = tx.get(Mailbox, mailbox_id)
            if mailbox is None:
                raise NotFound("no such mailbox")
            count = len(list(tx.scalars(select(Entry.seq).where(Entry.mailbox_id == mailbox_id))))
            event = events.MailboxListed(
                mailbox_id=mailbox_id, address=mailbox.address, count=count, reason=reason
            )
            actor = Actor.command_line(operator)
            audit.record(tx, event, trail=mailbox.tenant_id, actor=actor, at=self._agent.now())
            return self._agent.opener.summary_keys(tx, self._agent.owner(tx, mailbox_id))

    def operator_queue(self, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Keys of queue items' envelopes alone, which `queue list` shows."""
        with self._agent.lock, self._agent.db.read() as tx:
            wanted = select(QueueItem).where(QueueItem.id.in_(item_ids))
            return self._agent.queue_envelope_keys(tx, list(tx.scalars(wanted)))

    def operator_maillog(
        self, operator: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log."""
        with self._agent.lock, self._agent.db.write() as tx:
            event = events.MaillogSearched(found=len(key_ids), reason="command line")
            actor = Actor.command_line(operator)
            audit.record(tx, event, trail=domain_id, actor=actor, at=self._agent.now())
            return self._agent.log_keys(tx, domain_id, key_ids)

    def operator_sign(self, statement: bytes) -> bytes:
        """Sign an audit export."""
        return self._agent.sign_export(statement)

    def keyring_copy(self, operator: str, *, days: bool) -> bytes:
        """The keyring's octets, for `keys backup`; without `days` what opens no mail."""
        with self._agent.lock, self._agent.db.write() as tx:
            actor, at = Actor.command_line(operator), self._agent.now()
            audit.record(tx, events.KeysBackedUp(), trail=audit.INSTALLATION, actor=actor, at=at)
            keyring = self._agent.keyring
            return (keyring if days else without_days(keyring)).to_json()

    def provider(self) -> dict[str, str]:
        """The provider of the master key, and whether it answers."""
        return self._agent.provider()

    def believed_time(self) -> datetime:
        """What retention goes by."""
        return self._agent.believed_time()

    def confirm_clock(self, operator: str) -> None:
        """Believe the clock after a jump (`livearchive keys confirm-clock`)."""
        self._agent.confirm_clock(operator)

    def expire(self) -> list[tuple[str, date]]:
        """Retention now (`livearchive sweep`)."""
        return self._agent.expire()
