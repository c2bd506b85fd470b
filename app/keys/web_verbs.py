"""What the web role may ask: for a live session, about what is that person's own.

The keys role looks the session up itself, and its audit event is durable before
a key leaves, so that a web process which lies can read what its users may read,
slowly and on the record, and nothing else.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app import audit
from app.accounts import sessions
from app.accounts.permissions import Permission, allows
from app.audit import events
from app.keys.agent import KeyAgent
from app.keys.protocol import Purpose
from app.models import QueueItem
from app.secret import Secret
from app.viewer import Viewer
from archive_store.clock import DAY
from archive_store.errors import NotFound, StoreBusy
from archive_store.models import Entry
from archive_store.tombstones import Tombstone

RENDER_FOR = timedelta(minutes=15)
OPENS_PER_MINUTE = 600
_REMEMBERED = 20_000


@dataclass(slots=True)
class _Pace:
    """How many entries one session opened in the current minute."""

    minute: datetime
    count: int = 0


class WebVerbs:
    """The verbs of the web role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent
        self._shown: OrderedDict[tuple[bytes, bytes], datetime] = OrderedDict()
        self._paces: dict[bytes, _Pace] = {}

    def open_entries(
        self,
        token: Secret,
        client_ip: str,
        entry_ids: Sequence[bytes],
        purpose: Purpose,
        attachment: int | None,
    ) -> dict[bytes, bytes]:
        """Open a session's own entries; with another's among them nothing is opened.

        What is opened to be read is marked as read with its audit event.
        """
        with self._agent.lock:
            with self._agent.db.write() as tx:
                viewer = self._viewer(tx, token, client_ip)
                self._limit(viewer, len(entry_ids))
                entries = self._own(tx, viewer, entry_ids)
                keys = {entry.id: self._agent.content_key(tx, entry) for entry in entries}
                for entry in entries:
                    self._record(tx, viewer, entry, purpose, attachment)
                if purpose is Purpose.OPEN:
                    # Here, since the event waits for the disk anyway.
                    shown = [entry.seq for entry in entries if not entry.seen]
                    tx.execute(update(Entry).where(Entry.seq.in_(shown)).values(seen=True))
            # The events are durable now: only now may the keys leave.
            return keys

    def bury_entries(self, token: Secret, entry_ids: Sequence[bytes]) -> None:
        """Note durably that a session's own entries are deleted for good, before they are. What
        is under a legal hold is sealed for it first: the hold keeps its copy.
        """
        self._agent.holder.seal_all()
        with self._agent.lock:
            with self._agent.db.read() as tx:
                entries = self._own(tx, self._viewer(tx, token), entry_ids)
            self._agent.tombstones.add(Tombstone(entry.day, entry.id) for entry in entries)

    def summary_keys(self, token: Secret) -> dict[date, bytes]:
        """Summary keys of the session's own mailbox."""
        with self._agent.lock, self._agent.db.read() as tx:
            viewer = self._viewer(tx, token)
            if viewer.mailbox_id is None:
                return {}
            return self._agent.opener.summary_keys(tx, self._agent.owner(tx, viewer.mailbox_id))

    def maillog_keys(
        self, token: Secret, client_ip: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log, for whoever may search it."""
        with self._agent.lock, self._agent.db.write() as tx:
            viewer = self._viewer(tx, token, client_ip)
            if not allows(viewer.user, Permission.SEARCH_MAILLOG, domain_id):
                raise NotFound("no such domain")
            event = events.MaillogSearched(found=len(key_ids))
            at = self._agent.now()
            audit.record(tx, event, trail=domain_id, actor=viewer.actor, at=at)
            return self._agent.log_keys(tx, domain_id, key_ids)

    def queue_keys(self, token: Secret, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Keys of queue items' envelopes alone, for an administrator's queue page."""
        with self._agent.lock, self._agent.db.read() as tx:
            viewer = self._viewer(tx, token)
            items = [
                item
                for item in tx.scalars(select(QueueItem).where(QueueItem.id.in_(item_ids)))
                if allows(viewer.user, Permission.MANAGE_QUEUE, item.domain_id)
            ]
            return self._agent.queue_envelope_keys(tx, items)

    def sign_export(self, token: Secret, trail: bytes, statement: bytes) -> bytes:
        """Sign an audit export for whoever may see the trail."""
        with self._agent.lock, self._agent.db.read() as tx:
            viewer = self._viewer(tx, token)
            if not allows(viewer.user, Permission.READ_AUDIT, trail):
                raise NotFound("no such trail")
            return self._agent.sign_export(statement)

    def _viewer(self, tx: Session, token: Secret, client_ip: str = "") -> Viewer:
        viewer = sessions.current(tx, token, self._agent.now(), client_ip=client_ip)
        if viewer is None:
            raise NotFound("the session has ended")
        return viewer

    def _own(self, tx: Session, viewer: Viewer, entry_ids: Sequence[bytes]) -> list[Entry]:
        oldest = self._agent.now() - self._agent.config.keep
        mine = select(Entry).where(
            Entry.id.in_(entry_ids),
            Entry.mailbox_id == viewer.mailbox_id,
            Entry.received_at > oldest,
        )
        entries = list(tx.scalars(mine))
        if viewer.mailbox_id is None or len(entries) != len(set(entry_ids)):
            raise NotFound("no such message")
        return entries

    def _limit(self, viewer: Viewer, count: int) -> None:
        minute = self._agent.now().replace(second=0, microsecond=0)
        pace = self._paces.get(viewer.session_id)
        if pace is None or pace.minute != minute:
            self._paces = {key: one for key, one in self._paces.items() if one.minute == minute}
            pace = self._paces[viewer.session_id] = _Pace(minute)
        pace.count += count
        if pace.count > OPENS_PER_MINUTE:
            raise StoreBusy("too many messages were opened in this minute")

    def _record(
        self, tx: Session, viewer: Viewer, entry: Entry, purpose: Purpose, attachment: int | None
    ) -> None:
        now = self._agent.now()
        shown = (viewer.session_id, entry.id)
        box, one = entry.mailbox_id, entry.id
        event: events.Event
        if purpose is Purpose.RENDER and now - self._shown.get(shown, now - DAY) < RENDER_FOR:
            return
        if purpose is Purpose.DOWNLOAD:
            event = events.MessageDownloaded(mailbox_id=box, entry_id=one)
        elif purpose is Purpose.ATTACHMENT:
            event = events.AttachmentDownloaded(mailbox_id=box, entry_id=one, index=attachment or 0)
        else:
            event = events.MessageOpened(mailbox_id=box, entry_id=one)
            self._remember(shown, now)
        trail = viewer.user.domain_id or audit.INSTALLATION
        audit.record(tx, event, trail=trail, actor=viewer.actor, at=now)

    def _remember(self, shown: tuple[bytes, bytes], now: datetime) -> None:
        self._shown[shown] = now
        self._shown.move_to_end(shown)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
