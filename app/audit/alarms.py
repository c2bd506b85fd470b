"""Alarms (keys, clock, bucket, disk, journal, clamd, certificate): an event a UTC day, a log line.

An alarm is an entry of the installation's trail, so that it outlives the process that saw it.
`standing` says in sentences what stands now, for somebody to look at: pages, `keys status`
and `check` show the same. No sentence names a person or holds a key.
"""

import logging
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit.canonical import AuditEntry, decode, details_of
from app.audit.events import ClockHeld, Event, KeysLocked, KeysOverdue
from app.audit.kinds import Kind
from app.audit.trail import INSTALLATION, record
from app.audit.wording import sentence
from app.models import AuditEvent
from app.phrase import phrase, phrases
from app.viewer import Actor
from archive_store.clock import DAY, day_of, day_start
from archive_store.db import Database
from archive_store.keyring import AHEAD_DAYS
from archive_store.models import DayKey

log = logging.getLogger(__name__)
PATIENCE = timedelta(hours=1)  # keys are made just after midnight; a restart may be under way
SHOWN_FOR = DAY


def raise_alarm(db: Database, event: Event, role: str, now: datetime) -> bool:
    """Record an alarm and log it, unless the same one was recorded today already."""
    with db.write() as tx:
        if any(one.details == details_of(event) for one in _since(tx, event.name, _midnight(now))):
            return False
        record(tx, event, trail=INSTALLATION, actor=Actor.system(role), at=now)
        [newest] = _since(tx, event.name, now, limit=1)
    log.error("%s", sentence(newest))
    return True


def raise_clock_alarm(db: Database, event: ClockHeld, role: str, now: datetime) -> bool:
    """The same for a held clock; what it says changes with each look, so the kind alone counts."""
    with db.read() as tx:
        if _since(tx, event.name, _midnight(now), limit=1):
            return False
    return raise_alarm(db, event, role, now)


def raise_lock_alarm(db: Database, event: KeysLocked, now: datetime) -> bool:
    """The same for a locked keyring; anew on the same day once it had been opened again."""
    return raise_until(db, event, Kind.KEYS_UNLOCKED, "keys", now)


def raise_until(db: Database, event: Event, end: Kind, role: str, now: datetime) -> bool:
    """The same for what an event of the kind `end` ends."""
    with db.write() as tx:
        stands = _stands(tx, event.name, end, now)
        if stands is not None and stands.at >= _midnight(now):
            return False
        record(tx, event, trail=INSTALLATION, actor=Actor.system(role), at=now)
        [newest] = _since(tx, event.name, now, limit=1)
    log.error("%s", sentence(newest))
    return True


def end_alarm(db: Database, began: Kind, event: Event, role: str, now: datetime) -> None:
    """Record the end of an alarm of the kind `began`, if one stands."""
    with db.write() as tx:
        if _stands(tx, began, event.name, now) is not None:
            record(tx, event, trail=INSTALLATION, actor=Actor.system(role), at=now)


def last_day_with_keys(tx: Session) -> date | None:
    """Until which day mail can be sealed; None before any key was made."""
    return tx.scalar(select(func.max(DayKey.day)).where(DayKey.series == "mail"))


def overdue(tx: Session, now: datetime) -> date | None:
    """The last day with keys if new ones should have been made by now, else None."""
    last = last_day_with_keys(tx)
    if last is None or now < day_start(last - DAY * (AHEAD_DAYS - 1)) + PATIENCE:
        return None
    return last


def look_for_overdue(db: Database, role: str, now: datetime) -> None:
    """Raise the alarm when the keys role has been away."""
    with db.read() as tx:
        last = overdue(tx, now)
    if last is not None:
        raise_alarm(db, KeysOverdue(last_day=last), role, now)


def standing(tx: Session, now: datetime) -> tuple[str, ...]:
    """What needs somebody's eyes now, most urgent first."""
    found = [*_of_keys(tx, now), *_unopened(tx, now)]
    held = _stands(tx, Kind.CLOCK_HELD, Kind.CLOCK_CONFIRMED, now)
    if held:
        found.append(
            phrase(
                "The clock jumped to %(clock)s. If that is right, say so with "
                "`livearchive keys confirm-clock`; until then no keys are destroyed ahead of time.",
                clock=held.details["clock"],
            )
        )
    unfit = [*_since(tx, Kind.BUCKET_UNFIT, now - SHOWN_FOR, limit=1)]
    if unfit:
        found.append(
            phrase(
                "The bucket %(bucket)s keeps old versions or overwrites, so that "
                "deleted mail would stay or come back. `livearchive check` says which.",
                bucket=unfit[0].details["bucket"],
            )
        )
    if _stands(tx, Kind.CERTIFICATE_FAILED, Kind.CERTIFICATE_ISSUED, now):
        found.append(
            phrase(
                "No new TLS certificate comes; the one in use stays. "
                "`livearchive certificate show` says why, and when it is tried again."
            )
        )
    if _stands(tx, Kind.SCANNER_SILENT, Kind.SCANNER_ANSWERS, now):
        found.append(
            phrase(
                "The virus scanner does not answer: mail is not checked when it comes, and whoever "
                "opens a file is warned. `livearchive check` says why."
            )
        )
    return (*found, *_unread(tx, now))


def _of_keys(tx: Session, now: datetime) -> list[str]:
    """The keys role away, the keyring shut, a public key that was changed."""
    found: list[str] = []
    last = overdue(tx, now)
    if last is not None:
        found.append(
            phrase(
                "The keys role is away: mail can be taken until %(last)s only. "
                "Start it, or see its log.",
                last=last,
            )
            if day_of(now) <= last
            else phrase(
                "The keys role is away and there are no keys for today: all mail is refused (451)."
            )
        )
    if _stands(tx, Kind.KEYS_LOCKED, Kind.KEYS_UNLOCKED, now):
        found.append(
            phrase(
                "The keyring cannot be opened: mail comes in, nobody can read. The keys role's log "
                "says why."
            )
        )
    forged = {str(one.details["owner_id"]) for one in _since(tx, Kind.KEYS_FORGED, now - SHOWN_FOR)}
    if forged:
        found.append(
            phrases(
                "%(num)s public key was changed in the database: mail for its owner is "
                "refused (451). Find out who can write to it.",
                "%(num)s public keys were changed in the database: mail for their owners is "
                "refused (451). Find out who can write to it.",
                len(forged),
            )
        )
    return found


def _unopened(tx: Session, now: datetime) -> list[str]:
    """Sealed secrets of domains that do not open."""
    unsigned: list[str] = [
        phrase(
            "Mail of %(name)s leaves without a DKIM signature: the keyring does not open its keys. "
            "Make new ones with `livearchive domain dkim %(name)s --rotate`.",
            name=name,
        )
        for name in _domains(tx, Kind.MAIL_UNSIGNED, now)
    ]
    refused = [
        phrase(
            "The IMAP server of %(name)s refuses to open mailboxes: what people send waits on its "
            "way to their Sent folders. `livearchive imap test %(name)s MAILBOX` tries it.",
            name=name,
        )
        for name in _domains(tx, Kind.IMAP_REFUSED, now)
    ]
    return (
        unsigned
        + refused
        + [
            phrase(
                "The webhook of %(name)s is off: the keyring does not open its secret. Set it anew "
                "with `livearchive webhook set %(name)s URL`.",
                name=name,
            )
            for name in _domains(tx, Kind.WEBHOOK_OFF, now)
        ]
    )


def _unread(tx: Session, now: datetime) -> list[str]:
    """Mail that is kept and could not be read."""
    found: list[str] = []
    if _since(tx, Kind.MAIL_UNREADABLE, now - SHOWN_FOR, limit=1):
        found.append(
            phrase(
                "Stored mail could not be read. See to the disk; the index role's log names the "
                "messages, and so does `livearchive fsck`."
            )
        )
    found += [
        phrase(
            "Journal reports of %(domain)s could not be read and are in quarantine: "
            "`livearchive domain journal %(domain)s` says how many, and where.",
            domain=domain,
        )
        for domain in _domains(tx, Kind.JOURNAL_UNREAD, now)
    ]
    return found


def _domains(tx: Session, kind: Kind, now: datetime) -> list[str]:
    """Those that an alarm of a kind names."""
    return sorted({str(one.details["domain"]) for one in _since(tx, kind, now - SHOWN_FOR)})


def _stands(tx: Session, kind: Kind, end: Kind, now: datetime) -> AuditEntry | None:
    """The newest alarm of a kind that nothing has ended since."""
    began = _since(tx, kind, now - SHOWN_FOR, limit=1)
    ended = _since(tx, end, now - SHOWN_FOR, limit=1)
    return began[0] if began and (not ended or ended[0].seq < began[0].seq) else None


def _since(tx: Session, kind: Kind, moment: datetime, limit: int = 1000) -> list[AuditEntry]:
    """Entries of a kind, newest first."""
    wanted = AuditEvent.trail == INSTALLATION, AuditEvent.kind == kind, AuditEvent.at >= moment
    query = select(AuditEvent.octets).where(*wanted).order_by(AuditEvent.seq.desc()).limit(limit)
    return [decode(octets) for octets in tx.scalars(query)]


def _midnight(now: datetime) -> datetime:
    return day_start(day_of(now))
