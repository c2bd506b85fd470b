"""What the operator's commands do with legal holds; the keys role audits each of them.

The keys role searches, and what was searched for is forgotten: a hold keeps the entries that
were found.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from app.admin import holds
from app.admin_views import HeldLine, HoldLine
from app.keys.client import KeysClient
from app.operations import domain_id_of, mailbox_of
from app.reading import finding
from app.wiring import Parts
from archive_store import ids
from archive_store.envelope import Envelope
from archive_store.errors import NotFound
from archive_store.models import HeldEntry, Mailbox

BATCH = 50


@dataclass(frozen=True, slots=True)
class Held:
    """One message under a hold, opened. `genuine`: this service stored it."""

    line: HeldLine
    octets: bytes
    envelope: Envelope
    genuine: bool

    @property
    def digest(self) -> str:
        """SHA-256 of the octets, in hexadecimal."""
        return hashlib.sha256(self.octets).hexdigest()


class HoldDesk:
    """Legal holds, for an operator who gives a reason for each act."""

    def __init__(self, parts: Parts, keys: KeysClient, operator: str, reason: str) -> None:
        self._parts = parts
        self._keys = keys
        self._operator = operator
        self._reason = reason

    def hold_mailbox(self, address: str) -> HoldLine:
        """Hold all of a mailbox, and what comes into it."""
        with self._parts.db.read() as tx:
            mailbox = mailbox_of(tx, address)
        placed = self._keys.operator_hold(self._operator, self._reason, mailbox.id)
        return self.hold(ids.show(placed))

    def hold_found(self, domain: str, words: str) -> HoldLine:
        """Hold what a search finds now in the mailboxes of a domain."""
        with self._parts.db.read() as tx:
            domain_id = domain_id_of(tx, domain)
            boxes = list(tx.scalars(select(Mailbox).where(Mailbox.tenant_id == domain_id)))
        found = [
            entry_id
            for box in boxes
            for entry_id in self._keys.operator_find(self._operator, self._reason, box.id, words)
        ]
        if not found:
            raise NotFound("the search found nothing")
        placed = self._keys.operator_hold(self._operator, self._reason, domain_id, found)
        return self.hold(ids.show(placed))

    def hold(self, shown: str) -> HoldLine:
        """One hold that was not released."""
        with self._parts.db.read() as tx:
            found = holds.active(tx, None, finding.read_id(shown))
        if not found:
            raise NotFound("no such hold, or it was released")
        return found[0]

    def release(self, shown: str) -> None:
        """Release a hold: its key is destroyed at once."""
        line = self.hold(shown)
        self._keys.operator_release(self._operator, self._reason, ids.read(line.id))

    def export(self, shown: str) -> Iterator[Held]:
        """All that a hold holds, oldest first."""
        hold_id = ids.read(self.hold(shown).id)
        with self._parts.db.read() as tx:
            lines = holds.messages(tx, hold_id)[::-1]
        for at in range(0, len(lines), BATCH):
            yield from self._opened(hold_id, lines[at : at + BATCH])

    def _opened(self, hold_id: bytes, lines: Sequence[HeldLine]) -> Iterator[Held]:
        wanted = [ids.read(line.id) for line in lines]
        keys = self._keys.operator_held(self._operator, self._reason, hold_id, wanted)
        reader = self._parts.held_reader
        for entry_id, line in zip(wanted, lines, strict=True):
            with self._parts.db.read() as tx:
                held = tx.get(HeldEntry, (hold_id, entry_id))
            if held is None or entry_id not in keys:
                raise NotFound(f"message {line.id} does not open: run fsck")
            opened = reader.open(held, keys[entry_id])
            yield Held(line, opened.octets, reader.envelope(held, keys[entry_id]), opened.genuine)
