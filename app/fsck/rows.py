"""Rows that stand by themselves: messages whose octets are gone, summaries, the mail log."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.fsck.findings import Findings, Mend, Mended, Problem, Wrong
from app.fsck.ports import BATCH, Store, in_batches
from archive_store import ids, maillog
from archive_store.directory import Owner
from archive_store.errors import FrameBroken, NotFound, SealBroken
from archive_store.indexing import IndexedSummary
from archive_store.models import Entry, EntryIndex, Mailbox, MaillogLine, Message
from archive_store.reader import frame_ref
from archive_store.segments.frame import MessageFrame
from archive_store.summaries import SummarySealer


class RowCheck:
    """Checks rows, after all segments were read."""

    def __init__(self, store: Store, seen: set[bytes]) -> None:
        """`seen`: messages whose frame was found."""
        self._store = store
        self._seen = seen

    def messages(self) -> Findings:
        """Messages of which no frame was found."""
        found = Findings()
        with self._store.db.read() as tx:
            known = list(tx.execute(select(Message.id, Message.day)))
        found.messages = len(known)
        for message_id, _ in known:
            if message_id not in self._seen:
                self._message(message_id, found)
        return found

    def _message(self, message_id: bytes, found: Findings) -> None:
        with self._store.db.read() as tx:
            message = tx.get(Message, message_id)
            entries = list(tx.scalars(select(Entry).where(Entry.message_id == message_id)))
        if message is None or self._is_there(message):
            return  # it came, or went, while the segments were read
        found.entries += len(entries)
        live = [entry for entry in entries if entry.day > self._store.over["mail"]]
        found.past += len(entries) - len(live)
        for entry in live:
            text = f"entry {ids.show(entry.id)}: its octets are lost or damaged"
            found.problems.append(Problem(Wrong.ENTRY, text, take_out(entry.seq)))
        if message.day > self._store.over["mail"]:
            text = f"message {ids.show(message_id)}: its octets are lost or damaged"
            found.problems.append(Problem(Wrong.MESSAGE, text, _take_out_message(message_id)))

    def _is_there(self, message: Message) -> bool:
        try:
            frame = MessageFrame.decode(self._store.segments.read(frame_ref(message)))
        except (NotFound, FrameBroken):
            return False
        return frame.message_id == message.id

    def summaries(self) -> Findings:
        """Every summary and its words, mailbox by mailbox."""
        found = Findings()
        with self._store.db.read() as tx:
            boxes = list(tx.scalars(select(Mailbox)))
        for box in boxes:
            keys = self._store.keys.verify_summaries(self._store.operator, box.id)
            after = 0
            while rows := self._indexed(box, after):
                after = rows[-1][0].seq
                for entry, index in rows:
                    found.summaries += 1
                    sealer = self._sealer(box, entry, keys)
                    if not _summary_opens(sealer, entry, index) and self._still(entry, index):
                        found.problems.append(_bad_summary(entry))
        return found

    def _indexed(self, box: Mailbox, after: int) -> list[tuple[Entry, EntryIndex | None]]:
        query = (
            select(Entry, EntryIndex)
            .outerjoin(EntryIndex, EntryIndex.entry_seq == Entry.seq)
            .where(
                Entry.mailbox_id == box.id,
                Entry.indexed,
                Entry.day > self._store.over["mail"],
                Entry.seq > after,
            )
            .order_by(Entry.seq)
            .limit(BATCH)
        )
        with self._store.db.read() as tx:
            return [(entry, index) for entry, index in tx.execute(query)]

    def _sealer(self, box: Mailbox, entry: Entry, keys: dict[date, bytes]) -> SummarySealer | None:
        key = keys.get(entry.day)
        if key is None:
            return None
        owner = Owner.mailbox(box.tenant_id, box.id)
        return SummarySealer(self._store.installation, owner, entry.day, key)

    def _still(self, entry: Entry, index: EntryIndex | None) -> bool:
        with self._store.db.read() as tx:
            there = tx.get(Entry, entry.seq)
            now = tx.get(EntryIndex, entry.seq)
            same = (now is None) == (index is None)
            return there is not None and there.indexed and same

    def log_lines(self) -> Findings:
        """Every line of the mail log that is not over."""
        found = Findings()
        after = 0
        over = self._store.over["log"]
        query = select(MaillogLine).where(MaillogLine.day > over).order_by(MaillogLine.seq)
        while True:
            with self._store.db.read() as tx:
                lines = list(tx.scalars(query.where(MaillogLine.seq > after).limit(BATCH)))
            if not lines:
                return found
            after = lines[-1].seq
            found.log_lines += len(lines)
            found.problems += self._bad_lines(lines)

    def _bad_lines(self, lines: Sequence[MaillogLine]) -> list[Problem]:
        wanted: dict[bytes, set[bytes]] = defaultdict(set)
        for line in lines:
            wanted[line.tenant_id].add(line.writer_key_id)
        keys: dict[tuple[bytes, bytes], bytes] = {}
        for tenant, some in wanted.items():
            for part in in_batches(sorted(some)):
                opened = self._store.keys.verify_log(self._store.operator, tenant, part)
                keys |= {(tenant, key_id): key for key_id, key in opened.items()}
        return [
            _bad_line(line)
            for line in lines
            if not self._line_opens(line, keys.get((line.tenant_id, line.writer_key_id)))
        ]

    def _line_opens(self, line: MaillogLine, key: bytes | None) -> bool:
        if key is None:
            return False
        try:
            maillog.open_line(self._store.installation, line, key)
        except SealBroken:
            return False
        return True


def take_out(seq: int) -> Mend:
    """Take an entry out of the index."""

    def change(tx: Session) -> None:
        tx.execute(delete(EntryIndex).where(EntryIndex.entry_seq == seq))
        tx.execute(delete(Entry).where(Entry.seq == seq))

    return Mend(Mended.TAKEN_OUT, change)


def _take_out_message(message_id: bytes) -> Mend:
    unnamed = ~select(Entry.seq).where(Entry.message_id == message_id).exists()
    gone = delete(Message).where(Message.id == message_id, unnamed)

    def change(tx: Session) -> None:
        tx.execute(gone)

    return Mend(Mended.TAKEN_OUT, change)


def _summary_opens(sealer: SummarySealer | None, entry: Entry, index: EntryIndex | None) -> bool:
    if sealer is None or index is None:
        return False
    try:
        IndexedSummary.from_octets(sealer.open_summary(entry.id, index.summary))
        sealer.open_words(entry.id, index.words)
    except SealBroken:
        return False
    return True


def _bad_summary(entry: Entry) -> Problem:
    def change(tx: Session) -> None:
        tx.execute(delete(EntryIndex).where(EntryIndex.entry_seq == entry.seq))
        tx.execute(update(Entry).where(Entry.seq == entry.seq).values(indexed=False))

    mend = Mend(Mended.INDEXED_ANEW, change)
    return Problem(Wrong.SUMMARY, f"summary of {ids.show(entry.id)}: does not open", mend)


def _bad_line(line: MaillogLine) -> Problem:
    mend = Mend(
        Mended.TAKEN_OUT,
        lambda tx: _run(tx, line.seq),
    )
    return Problem(Wrong.LOG_LINE, f"mail log line {line.seq}: does not open", mend)


def _run(tx: Session, seq: int) -> None:
    tx.execute(delete(MaillogLine).where(MaillogLine.seq == seq))
