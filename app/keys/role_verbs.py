"""What the index, deliver and sweep roles may ask."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from app.keys.agent import KeyAgent
from app.keys.protocol import Place
from app.models import QueueItem
from archive_store.directory import Owner
from archive_store.errors import KeysMissing, SealBroken
from archive_store.models import DayKey, Entry, Mailbox

# Columns, and the mailbox at once: for every mail that comes in, objects and a question for each
# mailbox would cost several times what opening its key does.
_TO_INDEX = select(
    Entry.seq,
    Mailbox.tenant_id,
    Entry.mailbox_id,
    Entry.day,
    Entry.message_id,
    Entry.id,
    Entry.writer_key_id,
    Entry.wrap,
).join(Mailbox, Mailbox.id == Entry.mailbox_id)
_SUMMARY_KEYS = (
    select(Mailbox.tenant_id, Mailbox.id, DayKey.day, DayKey.summary)
    .join(DayKey, DayKey.owner_id == Mailbox.id)
    .where(DayKey.series == "mail")
)
UNDELIVERED = ("queued", "leased", "held")


class IndexVerbs:
    """Content keys of what has no summary yet, and the keys that summaries are sealed under."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def open_for_index(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """Content keys of entries that are not indexed, and of no others."""
        found = {}
        opener = self._agent.opener
        wanted = _TO_INDEX.where(Entry.seq.in_(seqs), Entry.indexed.is_(False))
        with self._agent.lock, self._agent.db.read() as tx:
            for seq, tenant_id, mailbox_id, day, *rest in tx.execute(wanted):
                message_id, entry_id, writer_key_id, wrap = rest
                owner = Owner.mailbox(tenant_id, mailbox_id)
                ids, box = (message_id, entry_id), (writer_key_id, wrap)
                try:
                    found[seq] = opener.content_key(tx, owner, day, ids, box)
                except (KeysMissing, SealBroken):
                    continue
        return found

    def index_summary_keys(self, places: Sequence[Place]) -> dict[Place, bytes]:
        """The summary keys of mailboxes' days; those that are over or damaged are missing."""
        found = {}
        wanted = _SUMMARY_KEYS.where(
            DayKey.owner_id.in_({mailbox_id for mailbox_id, _ in places}),
            DayKey.day.in_({day for _, day in places}),
        )
        with self._agent.lock, self._agent.db.read() as tx:
            for tenant_id, mailbox_id, day, wrapped in tx.execute(wanted):
                owner = Owner.mailbox(tenant_id, mailbox_id)
                try:
                    key = self._agent.opener.summary_key(owner, day, wrapped)
                except SealBroken:
                    continue
                if key is not None and (mailbox_id, day) in places:
                    found[mailbox_id, day] = key
        return found


class DeliverVerbs:
    """Content keys of what is to be handed on."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def open_queue(self, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of queue items that are not delivered yet."""
        with self._agent.lock, self._agent.db.read() as tx:
            wanted = select(QueueItem).where(
                QueueItem.id.in_(item_ids), QueueItem.state.in_(UNDELIVERED)
            )
            return self._agent.queue_keys(tx, list(tx.scalars(wanted)))


class SweepVerbs:
    """The destruction of keys."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def expire(self) -> list[tuple[str, date]]:
        """Destroy the keys of days that are over."""
        return self._agent.expire()
