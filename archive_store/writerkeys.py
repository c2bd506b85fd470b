"""Writer keys: what a writing process seals with, for at most a quarter of an hour.

HPKE once per message would halve the rate and cost a kilobyte a row. So a
writing process makes a random key per owner, seals that once by HPKE to the
owner's day key (one row) and wraps each content key under it (60 octets). The
price, said in the threat model: a writing process holds the writer keys of its
last fifteen minutes, each only while its owner keeps getting mail: a key that
rested for most of a minute is forgotten.

Not thread-safe: each `WriterKeys` belongs to one thread. Sealing happens outside
of any write transaction; `add_rows` then puts the rows of new keys into the
transaction that needs them, and `settle` says how that ended: after a failure
every key is forgotten, or mail would be sealed to a key that no row remembers.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy.orm import Session

from archive_store import seal
from archive_store.clock import day_of
from archive_store.directory import Owner, PublicKeys, current_day_key
from archive_store.ids import new_id
from archive_store.models import Mailbox, WriterKey
from archive_store.segments.frame import KeyFrame

LIFE = timedelta(minutes=15)
REST = timedelta(seconds=45)  # and `writer.OLD_KEYS_SECONDS` until somebody looks: a minute
NAME_KIND = "owner-name"
NAME_STEP = 64


@dataclass(slots=True)
class LiveKey:
    """A writer key in use: wraps content keys and seals log lines of one owner and day."""

    id: bytes
    owner: Owner
    day: date
    born: datetime
    cipher: AESGCM
    used: datetime

    def usable(self, now: datetime) -> bool:
        """Young enough, and still of today."""
        return self.born <= now < self.born + LIFE and day_of(now) == day_of(self.born)

    def rests(self, now: datetime) -> bool:
        """Whether its owner got nothing for a while."""
        return now - self.used >= REST


class WriterKeys:
    """This process's writer keys by owner."""

    def __init__(self, keys: PublicKeys) -> None:
        self.public = keys
        self._live: dict[Owner, LiveKey] = {}
        self._fresh: list[KeyFrame] = []
        self._rows: list[WriterKey] = []

    def get(self, tx: Session, owner: Owner, now: datetime) -> LiveKey:
        """The owner's key of this quarter of an hour; `tx` is only read from.

        Raises KeysMissing or KeyForged when there is no key to seal to.
        """
        live = self._live.get(owner)
        if live is None or not live.usable(now):
            live = self._make(tx, owner, now)
            self._live[owner] = live
        live.used = now
        return live

    def take_fresh(self) -> list[KeyFrame]:
        """Key frames of keys made since the last call, for the segments."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def add_rows(self, tx: Session) -> None:
        """Add the rows of the keys that are not yet in the database."""
        if self._rows:
            tx.add_all(self._rows)
            tx.flush()

    def settle(self, *, committed: bool) -> None:
        """Say how the transaction ended; after a failure every key is forgotten."""
        self._fresh, self._rows = [], []
        if not committed:
            self._live = {}

    def drop_old(self, now: datetime) -> None:
        """Forget keys past their life and those that rest, so that an idle process holds none."""
        self._live = {
            owner: key
            for owner, key in self._live.items()
            if key.usable(now) and not key.rests(now)
        }

    def _make(self, tx: Session, owner: Owner, now: datetime) -> LiveKey:
        row, public = current_day_key(tx, self.public, owner, day_of(now))
        key, key_id = seal.new_key(), new_id()
        cipher = AESGCM(key)
        place = owner.place(self.public.installation, "writer-key", row.day, key_id)
        sealed = seal.seal_to(public, key, place)
        self._rows.append(WriterKey(id=key_id, day_key_id=row.id, created_at=now, sealed=sealed))
        self._fresh.append(
            KeyFrame(
                row.id,
                row.series,
                row.tenant_id,
                row.owner_id,
                row.day,
                row.public,
                row.signature,
                row.private,
                row.summary,
                key_id,
                sealed,
                self._name(tx, owner, row.day, key_id, cipher),
            )
        )
        return LiveKey(key_id, owner, row.day, now, cipher, now)

    def _name(self, tx: Session, owner: Owner, day: date, key_id: bytes, cipher: AESGCM) -> bytes:
        """The mailbox's address for the key frame: ids alone would not say whose mail it was."""
        mailbox = tx.get(Mailbox, owner.owner_id) if owner.series == "mail" else None
        if mailbox is None:
            return b""
        place = owner.place(self.public.installation, NAME_KIND, day, key_id)
        return seal.seal_box(cipher, seal.pad(mailbox.address.encode(), NAME_STEP), place)


def open_name(installation: bytes, frame: KeyFrame, writer_key: bytes) -> str:
    """The mailbox's address that a key frame carries; "" when it has none. Raises SealBroken."""
    if not frame.name:
        return ""
    owner = Owner(frame.series, frame.tenant_id, frame.owner_id)
    place = owner.place(installation, NAME_KIND, frame.day, frame.writer_key_id)
    return seal.unpad(seal.open_box(writer_key, frame.name, place)).decode()
