"""Opening keys: what the keys role does with the keyring, and nobody else can.

    keyring → day key → writer key → content key or log line's key
    keyring → summary key of an owner's day

Writer keys are cached while their day's key lives, since one opens hundreds of
messages. Asking for a day that is over raises KeysMissing.
"""

from collections import OrderedDict
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from archive_store import seal
from archive_store.directory import Owner
from archive_store.errors import KeysMissing, SealBroken
from archive_store.keyring import Keyring
from archive_store.models import DayKey, WriterKey
from archive_store.sealing import slot_place

CACHE_KEYS = 4096


class KeyOpener:
    """Opens keys with the keyring. For one thread."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self._writer_keys: OrderedDict[bytes, tuple[Owner, date, bytes]] = OrderedDict()

    def writer_key(self, tx: Session, owner: Owner, key_id: bytes) -> bytes:
        """The owner's writer key with this id; KeysMissing when it is not the owner's."""
        cached = self._writer_keys.get(key_id)
        if cached is None:
            cached = self._open_writer_key(tx, key_id)
            self._writer_keys[key_id] = cached
            if len(self._writer_keys) > CACHE_KEYS:
                self._writer_keys.popitem(last=False)
        found, day, key = cached
        if found != owner:
            raise KeysMissing("no such key")
        self.keyring.kek(owner.series, day)  # raises once that day is over
        return key

    def content_key(  # the parts of a slot's place
        self,
        tx: Session,
        owner: Owner,
        day: date,
        ids: tuple[bytes, bytes],
        box: tuple[bytes, bytes],
    ) -> bytes:
        """A message's content key: `ids` are message and slot, `box` writer key id and wrap."""
        writer_key_id, wrap = box
        place = slot_place(owner, self.keyring.installation, "wrap", day, *ids)
        return seal.open_box(self.writer_key(tx, owner, writer_key_id), wrap, place)

    def summary_keys(
        self, tx: Session, owner: Owner, days: set[date] | None = None
    ) -> dict[date, bytes]:
        """The owner's summary keys of the days whose keys still live."""
        query = select(DayKey).where(
            DayKey.series == owner.series, DayKey.owner_id == owner.owner_id
        )
        rows = tx.scalars(query if days is None else query.where(DayKey.day.in_(days)))
        keys = {row.day: self.summary_key(owner, row.day, row.summary) for row in rows}
        return {day: key for day, key in keys.items() if key is not None}

    def summary_key(self, owner: Owner, day: date, wrapped: bytes) -> bytes | None:
        """What the row of an owner's day key has wrapped; None when the day's keys are gone."""
        kek = self.keyring.days[owner.series].get(day)
        if kek is None:
            return None
        place = owner.place(self.keyring.installation, "summary-key", day)
        return seal.unwrap_kek(kek, wrapped, place)

    def day_key_opens(self, row: DayKey) -> bool:
        """Whether a day key's row is whole: both boxes open, and its halves are one pair.

        Raises KeysMissing once its day is over.
        """
        owner = Owner(row.series, row.tenant_id, row.owner_id)
        kek = self.keyring.kek(row.series, row.day)
        place = owner.place(self.keyring.installation, "summary-key", row.day)
        try:
            seal.unwrap_kek(kek, row.summary, place)
            return seal.public_half(self._private(owner, row)) == row.public
        except SealBroken:
            return False

    def writer_key_opens(self, tx: Session, key_id: bytes) -> bool:
        """Whether a writer key opens as its row is now. Raises KeysMissing once its day is over."""
        try:
            self._open_writer_key(tx, key_id)
        except SealBroken:
            return False
        return True

    def forget_expired(self) -> None:
        """Drop cached keys of days that are over."""
        self._writer_keys = OrderedDict(
            (key_id, found)
            for key_id, found in self._writer_keys.items()
            if found[1] in self.keyring.days[found[0].series]
        )

    def _open_writer_key(self, tx: Session, key_id: bytes) -> tuple[Owner, date, bytes]:
        row = tx.execute(
            select(WriterKey, DayKey)
            .join(DayKey, WriterKey.day_key_id == DayKey.id)
            .where(WriterKey.id == key_id)
        ).first()
        if row is None:
            raise KeysMissing("the key of this mail is not there: its day is over")
        writer, day_key = row
        owner = Owner(day_key.series, day_key.tenant_id, day_key.owner_id)
        place = owner.place(self.keyring.installation, "writer-key", day_key.day, key_id)
        key = seal.open_with(self._private(owner, day_key), writer.sealed, place)
        return owner, day_key.day, key

    def _private(self, owner: Owner, row: DayKey) -> bytes:
        kek = self.keyring.kek(owner.series, row.day)
        place = owner.place(self.keyring.installation, "day-key", row.day)
        return seal.unwrap_kek(kek, row.private, place)
