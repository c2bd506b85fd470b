"""What a search finds in a mailbox, for a legal hold.

The keys role searches by itself: who places a hold may not read the mail that is looked
through. Neither its words nor the summary keys that open them leave this process, and what
was searched for is kept nowhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.keys.holding import Opening
from archive_store.clock import day_of
from archive_store.directory import Owner
from archive_store.errors import NotFound, SealBroken
from archive_store.models import Entry, EntryIndex, Mailbox
from archive_store.retention import visible_after
from archive_store.search import Candidate, Needs, Query, parse_query
from archive_store.summaries import SummarySealer
from archive_store.summary_scan import SummaryScan, WordsScan

ENTRIES_AT_ONCE = 500
Line = Row[*tuple[Any, ...]]
_LINE = select(
    Entry.seq,
    Entry.id,
    Entry.day,
    Entry.folder,
    Entry.received_at,
    Entry.size,
    Entry.seen,
    Entry.answered,
    Entry.forwarded,
    Entry.starred,
    Entry.attachments,
)


class HoldSearch:
    """Searches any mailbox, in all of its folders."""

    def __init__(self, agent: Opening) -> None:
        self._agent = agent

    def find(self, mailbox: Mailbox, words: str) -> dict[bytes, int]:
        """The entries that a search finds now, and their sizes in octets.

        NotFound when the search says nothing, or not all of it makes sense. Days are UTC's.
        """
        query = parse_query(words, today=day_of(self._agent.now()))
        if query.empty or query.problems:
            raise NotFound("that search says nothing, or not all of it makes sense")
        after = visible_after(self._agent.now(), self._agent.config.keep)
        theirs = Entry.mailbox_id == mailbox.id, Entry.received_at > after
        with self._agent.db.read() as tx:
            scan = _Scan(query, self._sealers(tx, mailbox))
            lines = tx.execute(_LINE.where(*theirs)).all()
            # Facts first, and the rest without the agent's lock: it takes a second for a mailbox
            # of 20,000, and meanwhile everybody else opens mail.
            possible = [line for line in lines if query.narrow.holds(Candidate(line))]
            found: dict[bytes, int] = {}
            for at in range(0, len(possible), ENTRIES_AT_ONCE):
                some = possible[at : at + ENTRIES_AT_ONCE]
                found |= {line.id: line.size for line in scan.matching(tx, some)}
            return found

    def _sealers(self, tx: Session, mailbox: Mailbox) -> Mapping[date, SummarySealer]:
        owner = Owner.mailbox(mailbox.tenant_id, mailbox.id)
        with self._agent.lock:
            keys = self._agent.opener.summary_keys(tx, owner)
        installation = self._agent.keyring.installation
        return {day: SummarySealer(installation, owner, day, key) for day, key in keys.items()}


class _Scan:
    """One search in one mailbox. What does not open can still match by its facts."""

    def __init__(self, query: Query, sealers: Mapping[date, SummarySealer]) -> None:
        self._query = query
        self._words = {day: WordsScan(sealer) for day, sealer in sealers.items()}
        self._summaries = {day: SummaryScan(sealer) for day, sealer in sealers.items()}

    def matching(self, tx: Session, lines: Sequence[Line]) -> Iterator[Line]:
        """Those of the entries that match."""
        sealed = self._sealed(tx, [line.seq for line in lines])
        for line in lines:
            words, sent_to = self._open(line, *sealed.get(line.seq, (b"", b"")))
            if self._query.matches(line, words, sent_to):
                yield line

    def _sealed(self, tx: Session, seqs: Sequence[int]) -> dict[int, tuple[bytes, bytes]]:
        if self._query.needs is Needs.FACTS:
            return {}
        columns = EntryIndex.entry_seq, EntryIndex.words, EntryIndex.summary
        wanted = select(*columns).where(EntryIndex.entry_seq.in_(seqs))
        return {seq: (words, summary) for seq, words, summary in tx.execute(wanted)}

    def _open(self, line: Line, words: bytes, summary: bytes) -> tuple[bytes, str]:
        if not words or line.day not in self._words:
            return b"", ""
        try:
            folded = self._words[line.day].folded(line.id, words)
            if self._query.needs is not Needs.SUMMARY:
                return folded, ""
            return folded, self._summaries[line.day].open(line.id, summary).sent_to
        except SealBroken:
            return b"", ""
