"""What a check needs: the store, and the keys role as an operator's command may ask it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeVar

from app.fsck.quarantine import Quarantine
from app.wiring import Parts, keeps
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.held import HoldSegments
from archive_store.hold_facts import HoldFacts
from archive_store.reader import ArchiveReader
from archive_store.retention import last_day_over
from archive_store.segments import SegmentStore
from archive_store.segments.frame import KeyFrame, MessageFrame, Slot
from archive_store.tombstones import Tombstones

BATCH = 200
_T = TypeVar("_T")


class CheckKeys(Protocol):
    """The keys role. It says of each verb in the audit trail that it was asked."""

    def verify_entries(self, operator: str, entry_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of entries; what does not open is missing."""

    def verify_queue(self, operator: str, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of queue items; what does not open is missing."""

    def verify_summaries(self, operator: str, mailbox_id: bytes) -> dict[date, bytes]:
        """Summary keys of a mailbox."""

    def verify_log(
        self, operator: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log."""

    def verify_held(
        self, operator: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of entries under a legal hold; what does not open is missing."""

    def known_holds(self) -> dict[bytes, HoldFacts | None]:
        """The holds whose keys there are, and what is known of them."""

    def broken_day_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those that do not open."""

    def broken_writer_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those that do not open."""

    def recover_slots(
        self, operator: str, slots: Sequence[tuple[MessageFrame, Slot]]
    ) -> dict[bytes, tuple[date, bytes]]:
        """By slot, its key's day and its content key; what does not open is missing."""

    def recover_names(self, operator: str, frames: Sequence[KeyFrame]) -> dict[bytes, str]:
        """By owner, the address of the mailbox that key frames carry."""


@dataclass(frozen=True, slots=True)
class Store:
    """The parts of one installation's store. `over`: by series, the newest day that is over.
    `buried`: entries that were deleted for good.
    """

    db: Database
    segments: SegmentStore
    reader: ArchiveReader
    public: PublicKeys
    keys: CheckKeys
    quarantine: Quarantine
    holds: HoldSegments
    operator: str
    over: dict[str, date]
    buried: frozenset[bytes] = frozenset()

    @property
    def installation(self) -> bytes:
        return self.public.installation


def store_of(parts: Parts, keys: CheckKeys, operator: str, now: datetime) -> Store:
    """The store of an installation."""
    return Store(
        db=parts.db,
        segments=parts.segments,
        reader=parts.reader,
        public=parts.public,
        keys=keys,
        holds=parts.hold_segments,
        quarantine=Quarantine(parts.store.quarantine_dir),
        operator=operator,
        over=days_over(parts.store, now),
        buried=frozenset(one.entry_id for one in Tombstones.beside(parts.store.keyring).read()),
    )


def days_over(config: StoreConfig, now: datetime) -> dict[str, date]:
    """By series, the newest day of which everything is over."""
    return {series: last_day_over(now, keep) for series, keep in keeps(config).items()}


def in_batches(many: Sequence[_T], size: int = BATCH) -> Iterator[Sequence[_T]]:
    """A few at a time."""
    for at in range(0, len(many), size):
        yield many[at : at + size]
