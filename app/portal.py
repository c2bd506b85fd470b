"""Signing in and out, and how the service is: what every page asks before anything else.

`Portal` is the accounts' service that also lets go of what a session has opened;
`Watch` reads the health of mail servers, database and keys. Numbers name nobody.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select, text

from app.accounts.service import Accounts, Attempt
from app.accounts.sessions import PERSON
from app.audit import alarms
from app.delivery import primaries
from app.delivery.queue import WAITING
from app.file_views import FileState
from app.models import Domain, LoginSession, PrimaryHealth, QueueItem
from app.phrase import phrase, together
from app.scanning.clamd import ScannerAway
from app.secret import Secret
from app.viewer import Role, Viewer
from app.views import Banner, SessionView, Visit
from app.web.deps import Metric
from archive_store.clock import day_of, utc_now
from archive_store.db import Database
from archive_store.errors import StoreError
from archive_store.models import Entry, Message

LOW_DISK = 0.10  # of all octets: time to act
_PERCENT = 100


class OpenedMail(Protocol):
    """What keeps opened summaries for live sessions."""

    def forget(self, session_id: bytes) -> None:
        """Drop those of a session."""


class Portal:
    """The account pages' use cases. Safe to share between threads."""

    def __init__(self, accounts: Accounts, opened: OpenedMail) -> None:
        self._accounts = accounts
        self._opened = opened

    def login(self, attempt: Attempt) -> Secret:
        """The token of a new session; raises LoginRefused, LoginThrottled or SecondStep."""
        return self._accounts.login(attempt)

    def current(self, token: Secret, client_ip: str) -> Visit | None:
        """The live session of a token."""
        return self._accounts.current(token, client_ip)

    def glance(self, token: Secret, client_ip: str) -> Visit | None:
        """The live session of a token, not noted as used."""
        return self._accounts.glance(token, client_ip)

    def logout(self, viewer: Viewer) -> None:
        """End the session, and drop what it has opened."""
        self._opened.forget(viewer.session_id)
        self._accounts.logout(viewer)

    def sessions(self, viewer: Viewer) -> tuple[SessionView, ...]:
        """The person's live sessions."""
        return self._accounts.sessions(viewer)

    def revoke(self, viewer: Viewer, session_id: str) -> None:
        """End one of them."""
        self._accounts.revoke(viewer, session_id)

    def revoke_others(self, viewer: Viewer) -> None:
        """End all but this one."""
        self._accounts.revoke_others(viewer)

    def revoke_all(self, viewer: Viewer) -> None:
        """End all, this one too, and drop what it has opened."""
        self._opened.forget(viewer.session_id)
        self._accounts.revoke_all(viewer)

    def change_password(self, viewer: Viewer, old: Secret, new: Secret) -> None:
        """Raises BadEntry for "old" or "new"."""
        self._accounts.change_password(viewer, old, new)


class KeysStatus(Protocol):
    """What tells that the keys role answers."""

    def status(self) -> Mapping[str, object]: ...


class VirusScanner(Protocol):
    """What tells that clamd answers."""

    def version(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchParts:
    """What the health of the service is read from."""

    db: Database
    keys: KeysStatus
    disk: Callable[[], tuple[int, int]]  # free octets, and all of them
    certificate: Callable[[], float | None] = lambda: None  # days left; None: there is no TLS
    scanner: VirusScanner | None = None
    now: Callable[[], datetime] = field(default=utc_now)


class Watch:
    """Health for people (`banner`) and for machines. Safe to share between threads."""

    def __init__(self, parts: WatchParts) -> None:
        self._parts = parts

    def banner(self, viewer: Viewer) -> Banner | None:
        """What stands on top of the viewer's pages; None when all is well."""
        now = self._parts.now()
        if viewer.user.domain_id is not None:
            with self._parts.db.read() as tx:
                return primaries.banner_for(tx, viewer.user.domain_id, now)
        # Somebody without a domain runs the machine.
        if viewer.user.role is not Role.PROVIDER:
            return None
        return self._disk_banner(now) or self._keys_banner(now)

    def ready(self) -> Mapping[str, bool]:
        """What the pages need to serve, and whether it is there."""
        return {
            "database": _answers(self._ask_database),
            "keys": _answers(self._parts.keys.status),
        }

    def metrics(self) -> Sequence[Metric]:
        """Counts and sizes."""
        now = self._parts.now()
        free, total = self._parts.disk()
        ready = tuple(({"part": name}, float(up)) for name, up in self.ready().items())
        return (
            _gauge("livearchive_ready", "Whether a part that the web needs is there.", *ready),
            *self._counted(now),
            *self._of_keys(now),
            *self._of_scanner(),
            _gauge("livearchive_disk_free_octets", "Room on the disk of the data.", ({}, free)),
            _gauge("livearchive_disk_octets", "Size of the disk of the data.", ({}, total)),
            _gauge(
                "livearchive_certificate_days",
                "Days until the TLS certificate ends; 0: no authority's is served.",
                *(() if (days := self._parts.certificate()) is None else (({}, days),)),
            ),
        )

    def _counted(self, now: datetime) -> tuple[Metric, ...]:
        live = (
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now,
            LoginSession.seen_at > now - PERSON.idle,
        )
        by_state = select(QueueItem.kind, QueueItem.state, func.count())
        with self._parts.db.read() as tx:
            kept, octets = tx.execute(select(func.count(), func.sum(Message.size))).one()
            entries = tx.scalar(select(func.count()).select_from(Entry)) or 0
            unread = select(func.count()).select_from(Entry).where(Entry.indexed.is_(False))
            unindexed = tx.scalar(unread) or 0
            queued = list(tx.execute(by_state.group_by(QueueItem.kind, QueueItem.state)))
            waiting = QueueItem.state.in_(WAITING)
            oldest = tx.scalar(select(func.min(QueueItem.queued_at)).where(waiting))
            sessions = tx.scalar(select(func.count()).select_from(LoginSession).where(*live)) or 0
            domains = tx.scalar(select(func.count()).select_from(Domain)) or 0
            down = PrimaryHealth.state.in_(("down", "refusing"))
            outages = tx.scalar(select(func.count()).select_from(PrimaryHealth).where(down)) or 0
        age = (now - oldest).total_seconds() if oldest else 0.0
        return (
            _gauge("livearchive_messages", "Messages whose octets are kept.", ({}, kept)),
            _gauge("livearchive_message_octets", "Their size as received.", ({}, int(octets or 0))),
            _gauge("livearchive_entries", "Messages in mailboxes.", ({}, entries)),
            _gauge("livearchive_entries_unindexed", "Of them without a summary.", ({}, unindexed)),
            _gauge(
                "livearchive_queue_items",
                "Messages on their way to a server, by recipient.",
                *(({"kind": kind, "state": state}, n) for kind, state, n in queued),
            ),
            _gauge("livearchive_queue_oldest_seconds", "Age of what waits longest.", ({}, age)),
            _gauge("livearchive_sessions", "Sessions in use.", ({}, sessions)),
            _gauge("livearchive_domains", "Protected domains.", ({}, domains)),
            _gauge("livearchive_primaries_down", "Mail servers that are down.", ({}, outages)),
        )

    def _of_keys(self, now: datetime) -> tuple[Metric, ...]:
        with self._parts.db.read() as tx:
            last, found = alarms.last_day_with_keys(tx), alarms.standing(tx, now)
        ahead = (last - day_of(now)).days if last else 0
        return (
            _gauge("livearchive_keys_days_ahead", "Days ahead that have keys.", ({}, ahead)),
            _gauge("livearchive_keys_alarms", "Alarms about keys or clock.", ({}, len(found))),
        )

    def _of_scanner(self) -> tuple[Metric, ...]:
        scanner = self._parts.scanner
        if scanner is None:
            return ()
        with self._parts.db.read() as tx:
            query = select(func.count()).select_from(Entry).where(Entry.scan == FileState.INFECTED)
            infected = tx.scalar(query) or 0
        try:
            answers = bool(scanner.version())
        except ScannerAway:
            answers = False
        return (
            _gauge("livearchive_scanner_answers", "Whether clamd answers.", ({}, float(answers))),
            _gauge("livearchive_entries_infected", "Messages with a virus.", ({}, infected)),
        )

    def _disk_banner(self, now: datetime) -> Banner | None:
        free, total = self._parts.disk()
        if not total or free >= LOW_DISK * total:
            return None
        percent = _PERCENT * free // total
        said = phrase(
            "%(percent)s %% of the disk is left. When it is full, new mail waits at its senders.",
            percent=percent,
        )
        return Banner(state="disk", since=now, text=said)

    def _keys_banner(self, now: datetime) -> Banner | None:
        with self._parts.db.read() as tx:
            found = alarms.standing(tx, now)
        return Banner(state="keys", since=now, text=together(found)) if found else None

    def _ask_database(self) -> None:
        with self._parts.db.read() as tx:
            tx.execute(text("SELECT 1"))


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except StoreError:
        return False
    return True


def _gauge(name: str, help: str, *samples: tuple[Mapping[str, str], float]) -> Metric:
    return Metric(name=name, help=help, kind="gauge", samples=samples)
