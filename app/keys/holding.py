"""Legal holds in the keys role: each has a key of its own, and held entries are sealed under it.

    keyring → hold key → content key of a held entry

A held entry is sealed anew while its day's key lives, and always before that key is
destroyed: a hold never makes a day's key live longer. Its content key is what is sealed
anew; the octets of the message stay as they are. When a hold is released its key is
destroyed, and with it every way to what it held, in each copy of the data.

A hold's key is made here, by the act that places it, and by nothing else: whoever writes
a row of a hold into the database holds nothing with it.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, literal, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import events
from app.models import Domain, Hold
from app.viewer import Actor
from archive_store import seal
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import Owner
from archive_store.errors import KeysMissing, NotFound, SealBroken
from archive_store.held import hold_place
from archive_store.hold_facts import HoldFacts
from archive_store.keyring import Keyring
from archive_store.models import Entry, HeldEntry, Mailbox
from archive_store.opening import KeyOpener
from archive_store.retention import visible_after

ENTRIES_AT_ONCE = 200  # mail that comes in waits for a transaction that seals entries anew
UNREADABLE = b""
"""Instead of a wrap: the entry did not open any more when it was to be held."""


class Opening(Protocol):
    """What is needed of the key agent."""

    db: Database
    config: StoreConfig
    now: Callable[[], datetime]
    lock: threading.RLock
    keyring: Keyring
    opener: KeyOpener

    def change_keyring(self, change: Callable[[Keyring], object]) -> None:
        """Change the keyring: saved first, then used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be held, and why: a whole mailbox, or entries that were found. Who asks has
    made the new hold's id, so that asking twice places one hold.
    """

    hold_id: bytes
    domain_id: bytes
    reason: str
    mailbox_id: bytes | None = None
    entry_ids: Sequence[bytes] = ()
    searched: str = ""  # the address of the one mailbox in which they were found


class Holder:
    """Places and releases holds, seals what they cover, opens what they hold."""

    def __init__(self, agent: Opening) -> None:
        self._agent = agent

    def place(self, wanted: Wanted, actor: Actor) -> None:
        """Place a hold and seal what there is for it. The event is audited with it."""
        hold = Hold(
            id=wanted.hold_id,
            domain_id=wanted.domain_id,
            mailbox_id=wanted.mailbox_id,
            reason=wanted.reason,
            placed_by=actor.address,
            placed_at=self._agent.now(),
        )
        hold_id = wanted.hold_id
        with self._agent.lock:
            with self._agent.db.read() as tx:
                address = _address(tx, wanted)
                facts = _facts(tx, hold)
                if tx.get(Hold, hold_id) is not None:
                    active_hold(tx, hold_id, wanted.domain_id)
                    return
            # The key first: a row without one would hold nothing, a key without a row does no harm.
            self._agent.change_keyring(lambda ring: ring.add_hold(hold_id, facts))
            with self._agent.db.write() as tx:
                tx.add(hold)
                tx.flush()
                found = self._visible(tx, wanted) if wanted.mailbox_id is None else []
                self._seal(tx, hold, found)
                event = events.HoldPlaced(
                    hold_id=hold_id, address=address, count=len(found), reason=wanted.reason
                )
                at = hold.placed_at
                audit.record(tx, event, trail=wanted.domain_id, actor=actor, at=at)
        self.seal_all()

    def release(self, hold_id: bytes, domain_id: bytes | None, reason: str, actor: Actor) -> None:
        """Release a hold and destroy its key. `domain_id`: only when it is of this domain."""
        with self._agent.lock:
            with self._agent.db.write() as tx:
                hold = _hold(tx, hold_id, domain_id)
                if hold.released_at is not None:
                    return  # asked twice
                hold.released_at = self._agent.now()
                event = events.HoldReleased(hold_id=hold_id, reason=reason)
                audit.record(tx, event, trail=hold.domain_id, actor=actor, at=hold.released_at)
            self.destroy_released()

    def open(
        self,
        hold_id: bytes,
        domain_id: bytes | None,
        wanted: tuple[Sequence[bytes], str],
        by: Actor,
    ) -> dict[bytes, bytes]:
        """Content keys of held entries; `wanted`: their ids and the reason. One event an entry."""
        entry_ids, reason = wanted
        with self._agent.lock, self._agent.db.write() as tx:
            hold = active_hold(tx, hold_id, domain_id)
            rows = _held(tx, hold_id, entry_ids)
            for held in rows:
                event = events.HeldMailOpened(
                    hold_id=hold_id,
                    mailbox_id=held.mailbox_id,
                    entry_id=held.entry_id,
                    reason=reason,
                )
                at = self._agent.now()
                audit.record(tx, event, trail=hold.domain_id, actor=by, at=at)
            return self.content_keys(rows)

    def content_keys(self, rows: Sequence[HeldEntry]) -> dict[bytes, bytes]:
        """Content keys of held entries; what does not open is missing."""
        found = {}
        for held in rows:
            try:
                key = self._agent.keyring.hold_key(held.hold_id)
                place = hold_place(self._agent.keyring.installation, held)
                found[held.entry_id] = seal.open_box(key, held.wrap, place)
            except (KeysMissing, SealBroken):
                continue
        return found

    def seal_all(self) -> int:
        """Seal whatever came into held mailboxes since; says how many entries."""
        count = 0
        for hold_id in list(self._agent.keyring.holds):
            while sealed := self._step(hold_id):
                count += sealed
        return count

    def destroy_released(self) -> None:
        """Destroy the keys of holds that were released."""
        known = list(self._agent.keyring.holds)
        if not known:
            return
        with self._agent.lock:
            released = select(Hold.id).where(Hold.id.in_(known), Hold.released_at.is_not(None))
            with self._agent.db.read() as tx:
                gone = list(tx.scalars(released))
            if gone:
                self._agent.change_keyring(lambda ring: ring.drop_holds(gone))
                seal.forget_private_keys()

    def note_facts(self) -> None:
        """Note of holds of an older version what they are of, and why."""
        with self._agent.lock:
            lacking = self._agent.keyring.holds.keys() - self._agent.keyring.hold_facts.keys()
            if not lacking:
                return
            with self._agent.db.read() as tx:
                theirs = tx.scalars(select(Hold).where(Hold.id.in_(lacking)))
                facts = {hold.id: _facts(tx, hold) for hold in theirs}
            if facts:
                self._agent.change_keyring(lambda ring: ring.hold_facts.update(facts))

    def _step(self, hold_id: bytes) -> int:
        """Seal some of what a held mailbox has; 0 when nothing is left to do."""
        with self._agent.db.read() as tx:
            if not self._uncovered(tx, tx.get(Hold, hold_id), 1):
                return 0
        with self._agent.lock, self._agent.db.write() as tx:
            hold = tx.get(Hold, hold_id)
            some = self._uncovered(tx, hold, ENTRIES_AT_ONCE)
            if hold is None or hold_id not in self._agent.keyring.holds:
                return 0
            self._seal(tx, hold, some)
            return len(some)

    def _uncovered(self, tx: Session, hold: Hold | None, limit: int) -> list[Entry]:
        """Entries of a held mailbox that have no row of this hold yet."""
        if hold is None or hold.released_at is not None or hold.mailbox_id is None:
            return []
        theirs = HeldEntry.hold_id == hold.id, HeldEntry.entry_id == Entry.id
        query = (
            select(Entry)
            .join(Mailbox, Mailbox.id == Entry.mailbox_id)
            .where(Mailbox.id == hold.mailbox_id, Mailbox.tenant_id == hold.domain_id)
            # What was past its days when the hold was placed is not brought back by it.
            .where(Entry.received_at > visible_after(hold.placed_at, self._agent.config.keep))
            .where(~select(literal(1)).where(*theirs).exists())
            .limit(limit)
        )
        return list(tx.scalars(query))

    def _visible(self, tx: Session, wanted: Wanted) -> list[Entry]:
        """The entries that were found, if all of them are of the domain and not past their days."""
        after = visible_after(self._agent.now(), self._agent.config.keep)
        found: list[Entry] = []
        for at in range(0, len(wanted.entry_ids), ENTRIES_AT_ONCE):
            some = wanted.entry_ids[at : at + ENTRIES_AT_ONCE]
            query = select(Entry).where(Entry.id.in_(some), Entry.received_at > after)
            found += tx.scalars(query)
        if not found:
            raise NotFound("nothing was found that could be held")
        return found

    def _seal(self, tx: Session, hold: Hold, entries: Sequence[Entry]) -> None:
        rows = [self._row(tx, hold, entry) for entry in entries]
        if rows:
            tx.execute(insert(HeldEntry), rows)

    def _row(self, tx: Session, hold: Hold, entry: Entry) -> dict[str, Any]:
        """The row of an entry that is held from now on."""
        mailbox = tx.get(Mailbox, entry.mailbox_id)
        if mailbox is None or mailbox.tenant_id != hold.domain_id:
            raise NotFound("not a mailbox of that domain")
        held = HeldEntry(
            hold_id=hold.id,
            entry_id=entry.id,
            tenant_id=hold.domain_id,
            mailbox_id=entry.mailbox_id,
            message_id=entry.message_id,
        )
        facts = ("hold_id", "entry_id", "tenant_id", "mailbox_id", "message_id")
        return {
            **{name: getattr(held, name) for name in facts},
            "received_at": entry.received_at,
            "day": entry.day,
            "size": entry.size,
            "wrap": self._wrap(tx, held, entry),
            "envelope": entry.envelope,
            "segment": "",
            "frame_offset": 0,
            "frame_length": 0,
        }

    def _wrap(self, tx: Session, held: HeldEntry, entry: Entry) -> bytes:
        owner = Owner.mailbox(held.tenant_id, held.mailbox_id)
        box, both = (entry.writer_key_id, entry.wrap), (entry.message_id, entry.id)
        try:
            content_key = self._agent.opener.content_key(tx, owner, entry.day, both, box)
        except (KeysMissing, SealBroken):
            return UNREADABLE
        key = AESGCM(self._agent.keyring.hold_key(held.hold_id))
        return seal.seal_box(key, content_key, hold_place(self._agent.keyring.installation, held))


def active_hold(tx: Session, hold_id: bytes, domain_id: bytes | None) -> Hold:
    """A hold that was not released, or NotFound. `domain_id`: of this domain alone."""
    hold = _hold(tx, hold_id, domain_id)
    if hold.released_at is not None:
        raise NotFound("no such hold, or it was released")
    return hold


def _hold(tx: Session, hold_id: bytes, domain_id: bytes | None) -> Hold:
    hold = tx.get(Hold, hold_id)
    if hold is None or domain_id not in (None, hold.domain_id):
        raise NotFound("no such hold, or it was released")
    return hold


def _address(tx: Session, wanted: Wanted) -> str:
    if wanted.mailbox_id is None:
        return wanted.searched
    mailbox = tx.get(Mailbox, wanted.mailbox_id)
    if mailbox is None or mailbox.tenant_id != wanted.domain_id:
        raise NotFound("no such mailbox in that domain")
    return mailbox.address


def _facts(tx: Session, hold: Hold) -> HoldFacts:
    domain = tx.get(Domain, hold.domain_id)
    mailbox = tx.get(Mailbox, hold.mailbox_id) if hold.mailbox_id is not None else None
    if domain is None:
        raise NotFound("no such domain")
    return HoldFacts(
        domain_id=domain.id,
        domain=domain.name,
        mailbox_id=mailbox.id if mailbox is not None else b"",
        address=mailbox.address if mailbox is not None else "",
        reason=hold.reason,
        placed_by=hold.placed_by,
        placed_at=hold.placed_at,
    )


def _held(tx: Session, hold_id: bytes, entry_ids: Sequence[bytes]) -> list[HeldEntry]:
    wanted = HeldEntry.hold_id == hold_id, HeldEntry.entry_id.in_(entry_ids)
    return list(tx.scalars(select(HeldEntry).where(*wanted)))
