"""Legal holds from their own segments, after the database was lost.

A copy that a hold made when its day left names its entry, and is wrapped under the key of
the hold: with the keyring it comes back. Beside that key stands what the hold is of, and why. So a
hold of a mailbox comes back whole: what of it is still within its days comes back as mail, and the
keys role seals that anew. A search is not kept: what it found comes back as held as far as it had
left its days. Nothing here is removed but rows that do not open.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from app.fsck.ports import Store, in_batches
from app.models import Hold
from archive_store.address import EmailAddress
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.held import HeldReader, held_in
from archive_store.hold_facts import HoldFacts
from archive_store.models import HeldEntry
from archive_store.segments import FrameRef
from archive_store.segments.frame import MessageFrame

REASON = "brought back from its segments; why it was placed is in exports of the audit trail"
"""Of a hold that an older version has placed."""


@dataclass(frozen=True, slots=True)
class FoundHold:
    """A hold that can come back. Without `facts` its domain is as most of its mail names it."""

    id: bytes
    domain_id: bytes
    domain: str
    held: int
    facts: HoldFacts | None


class HeldRebuild:
    """Brings back the rows of held mail. `lost`: copies that name no entry, or do not open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reader = HeldReader(store.db, store.reader, store.holds)
        self.lost = 0

    def holds(self) -> Iterator[FoundHold]:
        """The holds that have no row; those of their mail that opens has its rows now."""
        for hold_id, facts in self._unknown().items():
            domains: Counter[tuple[bytes, str]] = Counter()
            for some in in_batches(list(self._copies(hold_id))):
                domains.update(self._add(hold_id, some))
            if facts is not None:
                yield FoundHold(hold_id, facts.domain_id, facts.domain, domains.total(), facts)
            elif domains:
                [((domain_id, name), _)] = domains.most_common(1)
                yield FoundHold(hold_id, domain_id, name, domains.total(), None)

    def without_row(self) -> int:
        """How many holds have a key and nothing else that is known of them."""
        return len(self._unknown())

    def _unknown(self) -> dict[bytes, HoldFacts | None]:
        with self._store.db.read() as tx:
            there = set(tx.scalars(select(Hold.id)))
        known = self._store.keys.known_holds()
        return {one: facts for one, facts in known.items() if one not in there}

    def _copies(self, hold_id: bytes) -> Iterator[HeldEntry]:
        seen: set[bytes] = set()
        with closing(self._store.holds(hold_id)) as segments:
            for day in segments.days():
                for ref, octets in segments.scan(day):
                    rows = list(_rows(octets, ref))
                    self.lost += not rows
                    for held in rows:
                        if held.hold_id == hold_id and held.entry_id not in seen:
                            seen.add(held.entry_id)  # a crash leaves a second copy
                            yield held

    def _add(self, hold_id: bytes, some: Sequence[HeldEntry]) -> list[tuple[bytes, str]]:
        """Add rows, and keep those that open; the domain of each."""
        with self._store.db.write() as tx:
            for held in some:
                tx.merge(held)
        wanted = [held.entry_id for held in some]
        keys = self._store.keys.verify_held(self._store.operator, hold_id, wanted)
        found, bad = [], []
        for held in some:
            address = self._recipient(held, keys.get(held.entry_id))
            if address is None:
                bad.append(held.entry_id)
            else:
                found.append((held.tenant_id, EmailAddress.parse(address).ascii_domain))
        with self._store.db.write() as tx:
            of_hold = HeldEntry.hold_id == hold_id
            tx.execute(delete(HeldEntry).where(of_hold, HeldEntry.entry_id.in_(bad)))
        self.lost += len(bad)
        return found

    def _recipient(self, held: HeldEntry, key: bytes | None) -> str | None:
        """Whom it was sent to; None when it does not open."""
        if key is None:
            return None
        try:
            self._reader.open(held, key)
            return self._reader.envelope(held, key).rcpt_to
        except (SealBroken, FrameBroken, NotFound):
            return None


def hold_row(found: FoundHold, operator: str, now: datetime) -> Hold:
    """The hold as it was; without facts one of the messages that came back."""
    facts = found.facts
    return Hold(
        id=found.id,
        domain_id=found.domain_id,
        mailbox_id=(facts.mailbox_id or None) if facts else None,
        reason=facts.reason if facts else REASON,
        placed_by=facts.placed_by if facts else operator,
        placed_at=facts.placed_at if facts else now,
    )


def _rows(octets: bytes, ref: FrameRef) -> Iterator[HeldEntry]:
    try:
        yield from held_in(MessageFrame.decode(octets), ref)
    except FrameBroken:
        return
