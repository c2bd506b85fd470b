"""Searching the mail log: sealed lines, opened with keys that the keys role gives for it.

A message's life is all lines of its id. What is looked for is compared with the line with
which it began, case folded, as a part of the text. The newest LINES of what the viewer may
see are looked through, newest first; the keys role writes the audit event.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.admin_views import (
    MaillogDetail,
    MaillogHit,
    MaillogQuery,
    MaillogStep,
    Outcome,
    StepState,
)
from app.delivery.queue import DELIVERED, FAILED, WAITING
from app.models import QueueItem
from app.phrase import phrase, together
from archive_store import ids
from archive_store.db import Database
from archive_store.errors import NotFound, SealBroken
from archive_store.maillog import LogEntry, open_line
from archive_store.mime import clean
from archive_store.mime.encoded import decode_words
from archive_store.models import MaillogLine

LINES = 20_000
HITS = 100
BEGINNINGS = frozenset({"received", "sent", "refused", "stored"})
_OVER = frozenset({"failed", "expired"})


AskKeys = Callable[[bytes, Sequence[bytes]], dict[bytes, bytes]]
"""The keys role: writer keys of a domain's log by their ids. It writes the audit event."""


@dataclass(frozen=True, slots=True)
class Line:
    """An opened line."""

    message_id: bytes
    at: datetime
    entry: LogEntry


def newest(tx: Session, domain_ids: Collection[bytes] | None) -> list[MaillogLine]:
    """The newest lines of some domains (None: of all), newest first."""
    query = select(MaillogLine).order_by(MaillogLine.at.desc(), MaillogLine.seq.desc())
    if domain_ids is not None:
        query = query.where(MaillogLine.tenant_id.in_(domain_ids))
    return list(tx.scalars(query.limit(LINES)))


def of_message(tx: Session, message_id: bytes) -> list[MaillogLine]:
    """The life of one message, oldest first."""
    query = select(MaillogLine).where(MaillogLine.message_id == message_id)
    return list(tx.scalars(query.order_by(MaillogLine.at, MaillogLine.seq)))


def opened(ask: AskKeys, installation: bytes, sealed: Sequence[MaillogLine]) -> list[Line]:
    """Those of the lines that open, in their order. One question to the keys role a domain."""
    wanted: dict[bytes, set[bytes]] = {}
    for line in sealed:
        wanted.setdefault(line.tenant_id, set()).add(line.writer_key_id)
    keys: dict[bytes, bytes] = {}
    for domain_id, key_ids in wanted.items():
        keys |= ask(domain_id, sorted(key_ids))
    found = []
    for line in sealed:
        key = keys.get(line.writer_key_id)
        if key is not None:
            with suppress(SealBroken):
                entry = open_line(installation, line, key)
                found.append(Line(line.message_id, line.at, entry))
    return found


def states(tx: Session, message_ids: Collection[bytes]) -> dict[bytes, set[str]]:
    """The states of the messages' queue items, while those are there."""
    query = select(QueueItem.message_id, QueueItem.state)
    found: dict[bytes, set[str]] = {}
    for message_id, state in tx.execute(query.where(QueueItem.message_id.in_(message_ids))):
        found.setdefault(message_id, set()).add(state)
    return found


def matching(lines: Sequence[Line], query: MaillogQuery) -> list[Line]:
    """The first lines of the messages that are looked for, newest first."""
    found = [line for line in lines if line.entry.event in BEGINNINGS and _fits(line, query)]
    return found[:HITS]


def search(
    db: Database, ask: AskKeys, installation: bytes, reach: bytes | None, query: MaillogQuery
) -> tuple[MaillogHit, ...]:
    """The messages that are looked for, newest first, of one domain or (None) of all."""
    with db.read() as tx:
        sealed = newest(tx, None if reach is None else [reach])
    found = opened(ask, installation, sealed)
    begun = matching(found, query)
    events: dict[bytes, set[str]] = {}
    for line in found:
        events.setdefault(line.message_id, set()).add(line.entry.event)
    with db.read() as tx:
        queued = states(tx, [line.message_id for line in begun])
    return tuple(
        hit(line, events[line.message_id], queued.get(line.message_id, ())) for line in begun
    )


def life(
    db: Database, ask: AskKeys, installation: bytes, sealed: Sequence[MaillogLine], keep: timedelta
) -> MaillogDetail:
    """All that happened to the message of these lines, or NotFound."""
    found = opened(ask, installation, sealed)
    if not found:
        raise NotFound("no such message")
    begun = next((line for line in found if line.entry.event in BEGINNINGS), found[0])
    with db.read() as tx:
        queued = states(tx, [begun.message_id]).get(begun.message_id, set())
    return MaillogDetail(
        hit=hit(begun, {line.entry.event for line in found}, queued),
        steps=tuple(map(step, found)),
        message_id=begun.entry.message_id,
        leaves_on=begun.at + keep,
    )


def hit(line: Line, events: Collection[str], states: Collection[str]) -> MaillogHit:
    """A message of the log; `events` are those of all its lines."""
    entry = line.entry
    return MaillogHit(
        id=ids.show(line.message_id),
        at=line.at,
        mail_from=entry.mail_from,
        recipients=entry.recipients,
        subject=subject_of(entry),
        size=entry.size,
        outcome=outcome(events, states),
    )


def outcome(events: Collection[str], states: Collection[str]) -> Outcome:
    """What became of it. The queue knows best; its rows leave earlier than the log's lines."""
    if "refused" in events:
        return "refused"
    if FAILED in states or _OVER & set(events):
        return "failed"
    if any(state in WAITING for state in states):
        return "waiting"
    if DELIVERED in states or "handed-on" in events:
        return "delivered"
    return "waiting" if "deferred" in events else "stored"


def subject_of(entry: LogEntry) -> str:
    """The subject, decoded from what stood in the header."""
    return clean.line(decode_words(entry.subject))


def step(line: Line) -> MaillogStep:
    """One thing that happened, in plain words."""
    title, state = _TITLES.get(line.entry.event, (line.entry.event.capitalize(), "plain"))
    return MaillogStep(at=line.at, title=title, text=_told(line.entry), state=state)


_TITLES: Mapping[str, tuple[str, StepState]] = {
    "received": (phrase("Received and kept"), "ok"),
    "sent": (phrase("Sent from here"), "ok"),
    "stored": (phrase("Kept"), "ok"),
    "handed-on": (phrase("Handed on"), "ok"),
    "deferred": (phrase("Not taken yet"), "warn"),
    "failed": (phrase("Not taken"), "bad"),
    "expired": (phrase("Given up"), "bad"),
    "refused": (phrase("Refused at the door"), "bad"),
}


def _told(entry: LogEntry) -> str:
    if entry.event in BEGINNINGS:
        where = " ".join(filter(None, (entry.more.get("helo", ""), _bracketed(entry.client))))
        parts = [
            phrase("From %(where)s.", where=where) if where else "",
            phrase("Out of a journal report.") if "journal" in entry.more else "",
            *_before(entry),
            entry.detail,
        ]
        return together([part for part in parts if part])
    server, whom = entry.more.get("server", ""), ", ".join(entry.recipients)
    said = entry.detail
    if server and said:
        said = phrase("%(server)s said: %(reply)s", server=server, reply=said)
    parts = [phrase("For %(recipients)s.", recipients=whom) if whom else "", said]
    return together([part for part in parts if part])


def _before(entry: LogEntry) -> tuple[str, ...]:
    """What the server that sent it told by XFORWARD."""
    client = _bracketed(entry.more.get("origin", ""))
    where = " ".join(filter(None, (entry.more.get("origin_helo", ""), client)))
    name = entry.more.get("origin_queue_id", "")
    return (
        phrase("Before that from %(where)s.", where=where) if where else "",
        phrase("Queued there as %(name)s.", name=name) if name else "",
    )


def _bracketed(client: str) -> str:
    return f"[{client}]" if client else ""


def _fits(line: Line, query: MaillogQuery) -> bool:
    entry = line.entry
    senders = f"{entry.mail_from}\n{decode_words(entry.header_from)}"
    return (
        _contains("\n".join(entry.recipients), query.recipient)
        and _contains(senders, query.sender)
        and _contains(subject_of(entry), query.subject)
    )


def _contains(text: str, part: str) -> bool:
    return part.strip().casefold() in text.casefold()
