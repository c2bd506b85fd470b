"""The key agent: holds the keyring, opens keys, and is the only one that does either.

It parses no mail, speaks no network and never hands out a day's key. One lock
serialises it. The verbs that other roles may ask for are in `web_verbs`,
`role_verbs` and `operator_verbs`; what they share is here.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app import audit
from app.audit import alarms, events
from app.audit.export import SIGNED_CONTEXT
from app.keys.clock_guard import Guard, Unguarded
from app.keys.holding import Holder
from app.models import Domain, QueueItem
from app.viewer import Actor
from archive_store.clock import day_of, key_expiry, utc_now
from archive_store.config import StoreConfig
from archive_store.db import Database
from archive_store.directory import Owner, PublicKeys, ensure_day_keys, lacking_day_keys
from archive_store.errors import KeyringError, KeysMissing, NotFound, SealBroken
from archive_store.keyring import Keyring, KeyringStore
from archive_store.models import DayKey, Entry, Mailbox
from archive_store.opening import KeyOpener
from archive_store.retention import last_day_over
from archive_store.sealing import queue_key
from archive_store.tombstones import Tombstones

log = logging.getLogger(__name__)
_SAMPLE = 5  # day keys that are tried before the keyring is said to be another one
OWNERS_AT_ONCE = 100  # mail that comes in waits for a transaction that makes keys
_FOREIGN = (
    "this keyring does not open this data: put back the keyring that belongs to it, or set "
    "MASTER_KEY_FILE to where it is"
)


class KeyAgent:
    """The keyring in use. `now` is a parameter of the whole agent."""

    def __init__(
        self,
        db: Database,
        store: KeyringStore,
        config: StoreConfig,
        public: PublicKeys,
        now: Callable[[], datetime] = utc_now,
        guard: Guard = Unguarded(),  # noqa: B008 - it has no state
    ) -> None:
        self.db = db
        self.config = config
        self.now = now
        self.lock = threading.RLock()
        self._store = store
        self._guard = guard
        self.keyring = store.load()
        store.settle()
        self.opener = KeyOpener(self.keyring)
        self.tombstones = Tombstones.beside(config.keyring)
        self.holder = Holder(self)
        self._unrecorded: list[date] = []
        self._check_it_belongs_here(public)
        self._complete()

    def ensure_keys(self) -> int:
        """Make what any mailbox or domain lacks of today's and the next days' keys."""
        with self.lock:
            self._renew({}, self.now())
        today = day_of(self.now())
        with self.db.read() as tx:
            lacking = lacking_day_keys(tx, _owners(tx), today)
        made = 0
        for at in range(0, len(lacking), OWNERS_AT_ONCE):
            with self.lock, self.db.write() as tx:
                some = lacking[at : at + OWNERS_AT_ONCE]
                made += ensure_day_keys(tx, self.keyring, some, today)
        return made

    def expire(self) -> list[tuple[str, date]]:
        """Destroy the keys of days that are over, and make those of the days ahead."""
        # What is under a hold is sealed anew before the keys go that open it.
        self.holder.seal_all()
        self.holder.destroy_released()
        self.holder.note_facts()
        with self.lock:
            gone = self._renew(self._keeps(), self.believed_time())
            self.opener.forget_expired()
            self._unrecorded += sorted(day for series, day in gone if series == "mail")
            self._record_destroyed()
            self.tombstones.drop(last_day_over(self.believed_time(), self.config.keep))
            return gone

    def _keeps(self) -> dict[str, timedelta]:
        return {
            "mail": self.config.keep,
            "mailbag": self.config.mailbag_keep,
            "log": self.config.maillog_keep,
        }

    def believed_time(self) -> datetime:
        """What destruction goes by: less than the clock says, with an alarm, when that jumped."""
        with self.lock:
            now = self.now()
            believed = self._guard.believed(now)
            if believed < now:
                event = events.ClockHeld(clock=_minute(now), believed=_minute(believed))
                alarms.raise_clock_alarm(self.db, event, "keys", now)
            return believed

    def confirm_clock(self, operator: str) -> None:
        """Believe the clock after a jump; audited."""
        actor, at = Actor.command_line(operator), self.now()
        with self.lock:
            with self.db.write() as tx:
                event = events.ClockConfirmed()
                audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=at)
            self._guard.confirm(at)

    def _renew(self, keep: Mapping[str, timedelta], believed: datetime) -> list[tuple[str, date]]:
        """Bring the keyring to today. It is saved before it is used: mail that was sealed
        under a key which only this process knows would be lost with it.
        """
        renewed = self.keyring.copy()
        gone = renewed.expire(believed, keep)
        if renewed.extend(self.now()) or gone:
            self._drop_lost(renewed)
            self._store.save(renewed)
            self.keyring.days = renewed.days
        return gone

    def change_keyring(self, change: Callable[[Keyring], object]) -> None:
        """Change the keys and facts of holds; saved before it is used, like all of the keyring."""
        with self.lock:
            changed = self.keyring.copy()
            change(changed)
            self._store.save(changed)
            self.keyring.holds, self.keyring.hold_facts = changed.holds, changed.hold_facts

    def _complete(self) -> None:
        completed = self.keyring.copy()
        if completed.complete():
            self._store.save(completed)
            self.keyring.secrets_seed = completed.secrets_seed

    def _drop_lost(self, renewed: Keyring) -> None:
        """Drop day keys of days whose key is only now being made: they are wrapped under one
        that is lost (an older keyring was put back, or the clock went far ahead and came
        back), and mail that was sealed to them would be lost, too.
        """
        lost = 0
        for series, keys in renewed.days.items():
            fresh = keys.keys() - self.keyring.days[series].keys()
            theirs = DayKey.series == series, DayKey.day.in_(fresh)
            with self.db.read() as tx:
                count = tx.scalar(select(func.count()).select_from(DayKey).where(*theirs)) or 0
            if count:
                with self.db.write() as tx:
                    tx.execute(delete(DayKey).where(*theirs))
                lost += count
        if lost:
            log.warning("%d day keys cannot be opened with this keyring and are made anew", lost)

    def status(self) -> dict[str, Any]:
        """How many keys there are, of which days, when the next one goes; alarms. No key."""
        keeps = self._keeps()
        with self.lock, self.db.read() as tx:
            today = day_of(self.now())
            lacking = (
                select(func.count())
                .select_from(Mailbox)
                .where(
                    ~select(DayKey.id)
                    .where(
                        DayKey.owner_id == Mailbox.id, DayKey.day == today, DayKey.series == "mail"
                    )
                    .exists()
                )
            )
            return {
                "series": {
                    name: {
                        "days": len(days),
                        "from": min(days).isoformat() if days else None,
                        "to": max(days).isoformat() if days else None,
                        "next_destroyed_at": (
                            key_expiry(min(days), keeps[name]).isoformat() if days else None
                        ),
                    }
                    for name, days in self.keyring.days.items()
                },
                "mailboxes_without_key": tx.scalar(lacking) or 0,
                "alarms": list(alarms.standing(tx, self.now())),
            }

    def provider(self) -> dict[str, str]:
        """What the keyring is sealed under, and what is wrong when that is asked for now (empty:
        the file opens). Without the lock: a provider that is away must not hold up reading.
        """
        trouble = ""
        try:
            self._store.load()
        except KeyringError as error:
            trouble = str(error)
        return {"provider": self.config.master_key.provider, "trouble": trouble}

    def owner(self, tx: Session, mailbox_id: bytes) -> Owner:
        """The owner that a mailbox's mail is sealed to."""
        mailbox = tx.get(Mailbox, mailbox_id)
        if mailbox is None:
            raise NotFound("no such mailbox")
        return Owner.mailbox(mailbox.tenant_id, mailbox.id)

    def content_key(self, tx: Session, entry: Entry) -> bytes:
        """The content key of an entry's message."""
        ids, box = (entry.message_id, entry.id), (entry.writer_key_id, entry.wrap)
        return self.opener.content_key(tx, self.owner(tx, entry.mailbox_id), entry.day, ids, box)

    def content_keys(self, tx: Session, entries: Sequence[Entry]) -> dict[bytes, bytes]:
        """Those of several entries; what does not open is missing."""
        found = {}
        for entry in entries:
            try:
                found[entry.id] = self.content_key(tx, entry)
            except (KeysMissing, SealBroken):
                continue
        return found

    def queue_keys(self, tx: Session, items: Sequence[QueueItem]) -> dict[bytes, bytes]:
        """Content keys of queue items; those whose day is over are missing."""
        found = {}
        for item in items:
            ids, box = (item.message_id, item.id), (item.writer_key_id, item.wrap)
            owner = Owner.mailbag(item.domain_id)
            try:
                found[item.id] = self.opener.content_key(tx, owner, item.day, ids, box)
            except (KeysMissing, SealBroken):
                continue
        return found

    def queue_envelope_keys(self, tx: Session, items: Sequence[QueueItem]) -> dict[bytes, bytes]:
        """What opens the items' envelopes and last replies, and nothing of their mail."""
        return {one: queue_key(key) for one, key in self.queue_keys(tx, items).items()}

    def log_keys(
        self, tx: Session, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log; those whose day is over are missing."""
        found = {}
        for key_id in key_ids:
            try:
                found[key_id] = self.opener.writer_key(tx, Owner.log(domain_id), key_id)
            except KeysMissing:
                continue
        return found

    def sign_export(self, statement: bytes) -> bytes:
        """Sign an audit export, and nothing else that anybody might want signed."""
        if not statement.startswith(SIGNED_CONTEXT):
            raise NotFound("not an audit export")
        return self.keyring.audit_key.sign(statement)

    def _check_it_belongs_here(self, public: PublicKeys) -> None:
        """Refuse another installation's keyring: it would make keys that nobody can use."""
        if self.keyring.installation != public.installation:
            raise KeyringError(_FOREIGN)
        mail, known = DayKey.series == "mail", DayKey.day.in_(self.keyring.days["mail"])
        newest = select(DayKey).where(mail, known).order_by(DayKey.day.desc()).limit(_SAMPLE)
        ahead = select(DayKey.id).where(mail, DayKey.day >= day_of(self.now())).limit(1)
        with self.db.read() as tx:
            rows = list(tx.scalars(newest))
            if not rows and tx.scalars(ahead).first() is None:
                return
            # One damaged row is for `fsck`: it must not keep everybody's mail shut.
            if not any(self.opener.day_key_opens(row) for row in rows):
                raise KeyringError(_FOREIGN)

    def _record_destroyed(self) -> None:
        if not self._unrecorded:
            return
        with self.db.write() as tx:
            for day in self._unrecorded:
                event = events.KeysDestroyed(day=day)
                actor = Actor.system("keys")
                audit.record(tx, event, trail=audit.INSTALLATION, actor=actor, at=self.now())
        self._unrecorded = []


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _owners(tx: Session) -> list[Owner]:
    boxes = tx.execute(select(Mailbox.tenant_id, Mailbox.id))
    owners = [Owner.mailbox(tenant_id, mailbox_id) for tenant_id, mailbox_id in boxes]
    for domain_id in tx.scalars(select(Domain.id)):
        owners += [Owner.mailbag(domain_id), Owner.log(domain_id)]
    return owners
