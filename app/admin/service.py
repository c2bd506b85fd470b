"""`Administration`: the use cases of the administration's pages, each with its transactions.

A service provider looks after every domain and belongs to none: the trail that a provider
sees is the installation's, not that of any customer.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol

from sqlalchemy.orm import Session

from app import audit
from app.accounts import domains, users
from app.accounts.confirming import require_confirmed
from app.accounts.domains import Mode
from app.accounts.errors import Forbidden, Unknown
from app.accounts.passwords import Passwords, generate
from app.accounts.permissions import Permission, allows, reachable_domain
from app.admin import figures, lines, maillog, trail
from app.admin.gate import Gate, read_id
from app.admin.maillog import AskKeys
from app.admin_views import (
    AuditFilter,
    AuditPage,
    DomainForm,
    DomainLine,
    MaillogDetail,
    MaillogHit,
    MaillogQuery,
    NewPassword,
    Overview,
    PeoplePage,
    PersonForm,
    QueuePage,
)
from app.audit.export import Signer
from app.delivery import desk, queue
from app.models import Domain
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Role, Viewer
from app.views import BadEntry
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.directory import PublicKeys
from archive_store.errors import StoreError
from archive_store.retention import visible_after
from archive_store.segments import SegmentStore

log = logging.getLogger(__name__)
QUEUE_ROWS = 50
NO_SERVER = phrase("Say where its mail server is: a host and a port, such as mail.example.com:25.")
NOT_YOURS = phrase("This address is of no domain that you look after.")


class AdminKeys(Protocol):
    """What the administration needs of the keys role."""

    def maillog_keys(
        self, token: Secret, client_ip: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]: ...
    def queue_keys(self, token: Secret, item_ids: Sequence[bytes]) -> dict[bytes, bytes]: ...
    def sign_export(self, token: Secret, trail: bytes, statement: bytes) -> bytes: ...
    def ensure_keys(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminParts:
    """What the administration is made of."""

    db: Database
    keys: AdminKeys
    passwords: Passwords
    public: PublicKeys
    segments: SegmentStore
    data_dir: Path
    keep: timedelta
    now: Callable[[], datetime] = field(default=utc_now)


class Administration:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: AdminParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._passwords = parts.passwords
        self._public = parts.public
        self._segments = parts.segments
        self._data_dir = parts.data_dir
        self._keep = parts.keep
        self._now = parts.now
        self._gate = Gate(parts.db, parts.now)

    def overview(self, viewer: Viewer) -> Overview:
        """The state of everything that the viewer looks after."""
        reach = self._reach(viewer, Permission.SEE_QUEUE)
        now = self._now()
        # How full the disk is concerns whoever runs the machine.
        free, total = figures.disk(self._data_dir) if reach is None else (None, None)
        with self._db.read() as tx:
            waiting = desk.waiting(tx, reach)
            return Overview(
                domains=self._domain_lines(tx, viewer),
                people=figures.people(tx, reach),
                signed_in=figures.signed_in(tx, reach, now),
                waiting=waiting.messages,
                waiting_octets=waiting.octets,
                oldest_waiting=waiting.oldest,
                days=figures.days(tx, reach, now, self._keep),
                hours=figures.hours(tx, reach, now),
                disk_free_octets=free,
                disk_octets=total,
            )

    def domains(self, viewer: Viewer) -> tuple[DomainLine, ...]:
        """The domains that the viewer looks after."""
        self._reach(viewer, Permission.CHANGE_DOMAIN)
        with self._db.read() as tx:
            return self._domain_lines(tx, viewer)

    def domain(self, viewer: Viewer, domain_id: str) -> DomainLine:
        """One of them."""
        wanted = read_id(domain_id)
        self._gate.require(viewer, Permission.CHANGE_DOMAIN, wanted)
        with self._gate.guarded(viewer), self._db.read() as tx:
            return lines.domain_line(tx, domains.find(tx, viewer, wanted), self._since)

    def add_domain(self, viewer: Viewer, form: DomainForm) -> str:
        """Add a domain; its id."""
        now, relay = self._now(), _relay(form)
        with self._gate.guarded(viewer), self._db.write() as tx:
            domain = domains.add(tx, viewer, form.name, domains.parse_relay(relay), now)
            self._set(tx, viewer, domain, form)
        self._ensure_keys()
        return ids.show(domain.id)

    def set_domain(self, viewer: Viewer, domain_id: str, form: DomainForm) -> None:
        """Change a domain's settings, all or none."""
        wanted = read_id(domain_id)
        self._gate.require(viewer, Permission.CHANGE_DOMAIN, wanted)
        with self._gate.guarded(viewer), self._db.write() as tx:
            self._set(tx, viewer, domains.find(tx, viewer, wanted), form)

    def people(self, viewer: Viewer, *, domain_id: str, page: int) -> PeoplePage:
        """Who may sign in, of one domain or of all that the viewer looks after."""
        wanted = read_id(domain_id) if domain_id else reachable_domain(viewer.user)
        self._gate.require(viewer, Permission.MANAGE_PEOPLE, wanted)
        with self._gate.guarded(viewer), self._db.read() as tx:
            found = users.list_page(tx, viewer, domain_id=wanted, page=page)
            names: dict[bytes | None, str] = {
                domain.id: domain.name for domain in domains.list_all(tx, viewer)
            }
        return PeoplePage(
            rows=tuple(lines.person_line(user, names) for user in found.users),
            total=found.total,
            page=found.page,
            pages=found.pages,
        )

    def add_person(self, viewer: Viewer, form: PersonForm) -> NewPassword:
        """Add a person with a password that is made here and shown once."""
        self._reach(viewer, Permission.MANAGE_PEOPLE)
        password = generate()
        address = self._whole_address(viewer, form)
        with self._gate.guarded(viewer, taken="address"):
            new = users.prepare(self._passwords, address, form.name, form.role, password)
            try:
                with self._db.write() as tx:
                    users.add(tx, viewer, new, self._now())
            except Unknown:
                raise BadEntry("address", NOT_YOURS) from None
            except Forbidden as error:
                if error.permission == Permission.MANAGE_PEOPLE:
                    raise BadEntry("address", NOT_YOURS) from None
                raise
        self._ensure_keys()
        return NewPassword(address=new.address.text, password=password.reveal())

    def set_disabled(self, viewer: Viewer, user_id: str, disabled: bool) -> None:
        """Stop a person's log-ins, or allow them again."""
        with self._gate.guarded(viewer), self._db.write() as tx:
            user = users.find(tx, viewer, read_id(user_id))
            users.set_disabled(tx, viewer, user, disabled, self._now())

    def reset_password(self, viewer: Viewer, user_id: str) -> NewPassword:
        """Give a person a new password, made here and shown once."""
        wanted = read_id(user_id)
        self._reach(viewer, Permission.MANAGE_PEOPLE)
        with self._db.read() as tx:
            require_confirmed(tx, viewer, self._now())
        password = generate()
        with self._gate.guarded(viewer):
            hashed = self._passwords.hash(password)
            with self._db.write() as tx:
                user = users.find(tx, viewer, wanted)
                users.reset_password(tx, viewer, user, hashed, self._now())
        return NewPassword(address=user.address, password=password.reveal())

    def audit(self, viewer: Viewer, wanted: AuditFilter) -> AuditPage:
        """A page of the viewer's trail."""
        reach = self._reach(viewer, Permission.READ_AUDIT)
        with self._db.read() as tx:
            return trail.page(tx, reach, wanted)

    def audit_export(self, viewer: Viewer, wanted: AuditFilter) -> tuple[str, bytes]:
        """The viewer's trail as a file."""
        of = self._reach(viewer, Permission.READ_AUDIT) or audit.INSTALLATION
        signer = Signer(
            installation=self._public.installation,
            public_key=self._public.audit,
            sign=lambda statement: self._keys.sign_export(viewer.token, of, statement),
        )
        return trail.export_file(self._db, viewer, of, wanted, signer, self._now())

    def maillog(self, viewer: Viewer, query: MaillogQuery) -> tuple[MaillogHit, ...]:
        """Messages of the log, newest first; none without a recipient."""
        reach = self._reach(viewer, Permission.SEARCH_MAILLOG)
        if not query.recipient.strip():
            return ()
        ask, installation = self._asking(viewer), self._public.installation
        return maillog.search(self._db, ask, installation, reach, query)

    def maillog_detail(self, viewer: Viewer, line_id: str) -> MaillogDetail:
        """The life of one message."""
        message_id = read_id(line_id)
        self._reach(viewer, Permission.SEARCH_MAILLOG)
        with self._db.read() as tx:
            sealed = [
                line
                for line in maillog.of_message(tx, message_id)
                if allows(viewer.user, Permission.SEARCH_MAILLOG, line.tenant_id)
            ]
        ask, installation = self._asking(viewer), self._public.installation
        return maillog.life(self._db, ask, installation, sealed, self._keep)

    def queue(self, viewer: Viewer, page: int) -> QueuePage:
        """What still has to reach a mail server, the oldest first."""
        reach = self._reach(viewer, Permission.SEE_QUEUE)
        page = max(page, 1)
        with self._db.read() as tx:
            found, total = desk.list_items(
                tx,
                reach,
                states=queue.WAITING,
                limit=QUEUE_ROWS,
                offset=(page - 1) * QUEUE_ROWS,
            )
        keys = self._keys.queue_keys(viewer.token, [row.item.id for row in found]) if found else {}
        return QueuePage(
            rows=tuple(
                lines.queue_line(row, self._public.installation, keys.get(row.item.id))
                for row in found
            ),
            total=total,
            page=page,
            pages=max(1, -(-total // QUEUE_ROWS)),
        )

    def flush(self, viewer: Viewer) -> int:
        """Try everything that waits now; how many items that is."""
        reach = self._reach(viewer, Permission.MANAGE_QUEUE)
        with self._db.write() as tx:
            return desk.flush(tx, viewer.actor, reach, self._now())

    def hold(self, viewer: Viewer, item_id: str) -> None:
        """Keep an item back."""
        self._on_item(viewer, item_id, desk.hold)

    def release(self, viewer: Viewer, item_id: str) -> None:
        """Let a held item go."""
        self._on_item(viewer, item_id, desk.release)

    def drop(self, viewer: Viewer, item_id: str) -> None:
        """Never deliver an item."""
        reach, item = self._reach(viewer, Permission.MANAGE_QUEUE), read_id(item_id)
        desk.drop(self._db, self._segments, viewer.actor, item, self._now(), domain_id=reach)

    def _on_item(self, viewer: Viewer, item_id: str, act: Callable[..., None]) -> None:
        reach = self._reach(viewer, Permission.MANAGE_QUEUE)
        with self._db.write() as tx:
            act(tx, viewer.actor, read_id(item_id), self._now(), domain_id=reach)

    def _reach(self, viewer: Viewer, permission: Permission) -> bytes | None:
        """The one domain that the viewer looks after, None for all; NotFound for anybody else."""
        reach = None if viewer.user.role is Role.PROVIDER else viewer.user.domain_id
        self._gate.require(viewer, permission, reach)
        return reach

    @property
    def _since(self) -> datetime:
        return visible_after(self._now(), self._keep)

    def _domain_lines(self, tx: Session, viewer: Viewer) -> tuple[DomainLine, ...]:
        found = domains.list_all(tx, viewer)
        return tuple(lines.domain_line(tx, domain, self._since) for domain in found)

    def _set(self, tx: Session, viewer: Viewer, domain: Domain, form: DomainForm) -> None:
        relay, now = _relay(form), self._now()
        changes = {
            "relay": relay,
            "smarthost": form.smarthost or "none",
            "checked-by": form.checked_by or "none",
            "second-factor": form.second_factor,
            "unknown-recipients": "reject" if relay == "none" else form.unknown_recipients,
        }
        domains.change(tx, viewer, domain, changes, now)
        if form.enabled and (form.all_users or not domain.enabled):
            domains.enable(tx, viewer, domain, now, all_users=form.all_users)
        elif domain.enabled and not form.enabled:
            domains.disable(tx, viewer, domain, now)

    def _whole_address(self, viewer: Viewer, form: PersonForm) -> str:
        """The address as typed; of a local part alone, in the domain that was chosen."""
        if "@" in form.address or not form.address:
            return form.address
        wanted = read_id(form.domain_id) if form.domain_id else reachable_domain(viewer.user)
        if wanted is None:
            return form.address
        with self._gate.guarded(viewer), self._db.read() as tx:
            return f"{form.address}@{domains.find(tx, viewer, wanted).name}"

    def _ensure_keys(self) -> None:
        try:
            self._keys.ensure_keys()
        except StoreError as error:
            # What was added is added. The keys role makes missing keys by itself, too; until
            # then senders are asked to wait.
            log.warning("no keys yet for what was just added: %s", error)

    def _asking(self, viewer: Viewer) -> AskKeys:
        return partial(self._keys.maillog_keys, viewer.token, viewer.client_ip)


def _relay(form: DomainForm) -> str:
    if form.mode == Mode.COPY:
        return "none"
    if not form.relay:
        raise BadEntry("relay", NO_SERVER)
    return form.relay
