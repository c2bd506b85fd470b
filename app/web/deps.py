"""The use cases as the pages call them, and how a route reaches them.

Each protocol is a port: the wiring passes objects that fit. All calls are
synchronous and may block, so routes are plain functions in the thread pool.
What an id does not name, or names for somebody else, raises `NotFound`; what a
form holds that cannot be taken raises `BadDraft` or `BadEntry`; a store that
cannot serve raises another `StoreError`, which becomes a 503.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol, cast

from fastapi import Request

from app.admin_views import (
    AuditFilter,
    AuditPage,
    DomainForm,
    DomainLine,
    FoundToHold,
    HoldLine,
    HoldPage,
    MaillogDetail,
    MaillogHit,
    MaillogQuery,
    NewPassword,
    OutagesPage,
    Overview,
    PeoplePage,
    PersonForm,
    QueuePage,
)
from app.conversation_views import OpenConversation
from app.pictures.picture import Picture
from app.search_views import SearchPage
from app.secret import Secret
from app.viewer import Viewer
from app.views import (
    Banner,
    Correspondent,
    Draft,
    DraftKind,
    FolderPage,
    Habits,
    IdentityView,
    News,
    OpenMessage,
    Outgoing,
    RowFilter,
    SafeDocument,
    SavedDraft,
    Scheduled,
    SentReceipt,
    SessionView,
    Sidebar,
    Visit,
)
from app.web.connection_ports import DnsService, OutsideService, WebhookService
from app.web.file_ports import FileService
from app.web.login_ports import EntranceService, MethodDeskService, MethodService
from app.web.mail_ports import InvitationService, ListService
from archive_store.clock import utc_now


class ReadingService(FileService, Protocol):
    """A person's own mail. `folder` may be "starred": what has a star, wherever it lies."""

    def list_folder(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage: ...
    def list_conversations(
        self, viewer: Viewer, folder: str, *, page: int, filter: RowFilter, to: str = ""
    ) -> FolderPage:
        """As `list_folder`, with a row for each conversation."""

    def counts(self, viewer: Viewer) -> Sidebar: ...
    def open_message(
        self, viewer: Viewer, entry_id: str, folder: str, *, filter: RowFilter, to: str
    ) -> OpenMessage:
        """Its place is that in the list that these words name."""

    def open_alone(self, viewer: Viewer, entry_id: str) -> OpenMessage:
        """The same without its place in a list."""

    def open_conversation(
        self, viewer: Viewer, folder: str, entry_id: str, *, filter: RowFilter, to: str
    ) -> OpenConversation:
        """That message, the newest and the unread ones are opened, the others not."""

    def whole(self, viewer: Viewer, folder: str, shown: Sequence[str]) -> tuple[str, ...]:
        """All messages in a folder of the conversations that these messages name there."""

    def body_html(
        self,
        viewer: Viewer,
        entry_id: str,
        sought: str,
        remote: Callable[[str], str | None] | None = None,
    ) -> SafeDocument: ...
    def check(self, viewer: Viewer, entry_id: str) -> None:
        """That it is there and the viewer's own. Opens nothing."""

    def leaves_at(self, viewer: Viewer, entry_id: str) -> datetime:
        """When it is over. Opens nothing."""

    def still_there(self, viewer: Viewer, shown: Sequence[str]) -> frozenset[str]:
        """Those that are there, and not in the trash. Opens nothing."""

    def search(self, viewer: Viewer, text: str, page: int, zone: tzinfo) -> SearchPage: ...
    def suggest(self, viewer: Viewer, typed: str) -> tuple[Correspondent, ...]:
        """Whom somebody may mean who has begun to type a name or an address."""

    def move(self, viewer: Viewer, ids: Sequence[str], folder: str) -> None: ...
    def delete(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """To the trash; what lies in the trash, for good."""

    def restore(self, viewer: Viewer, ids: Sequence[str]) -> None:
        """From the trash back to where it came from."""

    def mark(
        self,
        viewer: Viewer,
        ids: Sequence[str],
        *,
        seen: bool | None = None,
        starred: bool | None = None,
    ) -> None: ...


class LiveService(Protocol):
    """What tells open pages of changes. Its methods are called on the event loop."""

    def has_room(self, viewer: Viewer) -> bool: ...
    def listen(self, viewer: Viewer) -> AsyncGenerator[News]:
        """QUIET at once and now and then, CHANGED, and ENDED when the session did."""


class SendingService(Protocol):
    """Writing and answering as one of the person's identities."""

    def identities(self, viewer: Viewer) -> tuple[IdentityView, ...]: ...
    def draft_for(self, viewer: Viewer, kind: DraftKind, entry_id: str | None) -> Draft: ...
    def send(
        self, viewer: Viewer, outgoing: Outgoing, leaves_at: datetime | None = None
    ) -> SentReceipt:
        """At a chosen time, or now: then it can be taken back for a while, see the receipt."""


class OutboxService(Protocol):
    """What is still to be sent. False: it is not there any more."""

    def scheduled(self, viewer: Viewer) -> Sequence[Scheduled]: ...
    def take_back(self, viewer: Viewer, entry_id: str) -> bool:
        """Make it a draft again, of the same id."""

    def send_now(self, viewer: Viewer, entry_id: str) -> bool: ...


class DraftService(Protocol):
    """What a person has begun to write."""

    def save(self, viewer: Viewer, written: Outgoing, over: str | None) -> SavedDraft:
        """Keep it, in the place of the draft `over`."""

    def open(self, viewer: Viewer, entry_id: str) -> Outgoing: ...
    def drop(self, viewer: Viewer, entry_id: str) -> bool:
        """For good; False when it is gone already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAttempt:
    """What somebody typed at the door, and from where."""

    address: str
    password: Secret
    client_ip: str
    user_agent: str
    public_computer: bool
    device: Secret | None = None  # what the browser is known by


class AccountService(Protocol):
    """Signing in and out."""

    def login(self, attempt: LoginAttempt) -> Secret:
        """The token of a new session; raises `LoginRefused`, `LoginThrottled`, `SecondStep`."""

    def current(self, token: Secret, client_ip: str) -> Visit | None:
        """The live session of a token; None when it ended, was revoked or never was."""

    def glance(self, token: Secret, client_ip: str) -> Visit | None:
        """As `current`, but it does not count as use."""

    def logout(self, viewer: Viewer) -> None: ...
    def sessions(self, viewer: Viewer) -> tuple[SessionView, ...]: ...
    def revoke(self, viewer: Viewer, session_id: str) -> None: ...
    def revoke_all(self, viewer: Viewer) -> None:
        """All of them, this one too."""

    def revoke_others(self, viewer: Viewer) -> None: ...
    def change_password(self, viewer: Viewer, old: Secret, new: Secret) -> None:
        """Raises `BadEntry` for "old" or "new". All other sessions end."""


class HabitService(Protocol):
    """How a person writes."""

    def habits(self, viewer: Viewer) -> Habits: ...
    def set_habits(self, viewer: Viewer, habits: Habits) -> None:
        """Raises `BadEntry` for "signature-" and the id of an identity."""


class PictureSenderService(Protocol):
    """Whose pictures from outside a person always sees."""

    def count(self, viewer: Viewer) -> int: ...
    def shows(self, viewer: Viewer, opened: OpenMessage) -> bool: ...
    def shows_in(self, viewer: Viewer, entry_id: str) -> bool: ...
    def choose(self, viewer: Viewer, entry_id: str) -> None: ...
    def refuse(self, viewer: Viewer, entry_id: str) -> None: ...
    def refuse_all(self, viewer: Viewer) -> None: ...


class AdminService(Protocol):
    """Administration, within what the viewer's role and domain allow; never anybody's mail."""

    def overview(self, viewer: Viewer) -> Overview: ...
    def domains(self, viewer: Viewer) -> tuple[DomainLine, ...]: ...
    def domain(self, viewer: Viewer, domain_id: str) -> DomainLine: ...
    def add_domain(self, viewer: Viewer, form: DomainForm) -> str: ...
    def set_domain(self, viewer: Viewer, domain_id: str, form: DomainForm) -> None: ...
    def people(self, viewer: Viewer, *, domain_id: str, page: int) -> PeoplePage: ...
    def add_person(self, viewer: Viewer, form: PersonForm) -> NewPassword: ...
    def set_disabled(self, viewer: Viewer, user_id: str, disabled: bool) -> None: ...
    def reset_password(self, viewer: Viewer, user_id: str) -> NewPassword: ...
    def audit(self, viewer: Viewer, wanted: AuditFilter) -> AuditPage: ...
    def audit_export(self, viewer: Viewer, wanted: AuditFilter) -> tuple[str, bytes]:
        """A file name and the octets of the file."""

    def maillog(self, viewer: Viewer, query: MaillogQuery) -> tuple[MaillogHit, ...]: ...
    def maillog_detail(self, viewer: Viewer, line_id: str) -> MaillogDetail: ...
    def queue(self, viewer: Viewer, page: int) -> QueuePage: ...
    def flush(self, viewer: Viewer) -> int:
        """Try everything that waits now; how many messages that is."""

    def hold(self, viewer: Viewer, item_id: str) -> None: ...
    def release(self, viewer: Viewer, item_id: str) -> None: ...
    def drop(self, viewer: Viewer, item_id: str) -> None: ...


class OutageService(Protocol):
    """The outages of a domain's mail server, and an administrator's word on them."""

    def page(self, viewer: Viewer, domain_id: str) -> OutagesPage: ...
    def open(self, viewer: Viewer, domain_id: str, reason: str, keeps_mail: bool) -> None:
        """Raises `BadEntry` for "reason"."""

    def close(self, viewer: Viewer, domain_id: str, reason: str) -> None:
        """Raises `BadEntry` for "reason"."""

    def set_notices(self, viewer: Viewer, domain_id: str, on: bool) -> str:
        """Whether people are told outside; the domain's name."""


class HoldService(Protocol):
    """Legal holds: whoever may see them, the auditor's acts, and what the held person sees."""

    def list_holds(self, viewer: Viewer) -> tuple[HoldLine, ...]: ...
    def hold(self, viewer: Viewer, hold_id: str, page: int = 1) -> HoldPage: ...
    def place(self, viewer: Viewer, address: str, reason: str) -> str:
        """Raises `BadEntry` for "address" or "reason"."""

    def count_found(self, viewer: Viewer, address: str, words: str, reason: str) -> FoundToHold:
        """Raises `BadEntry` for "address", "words" or "reason"."""

    def place_found(self, viewer: Viewer, address: str, words: str, reason: str) -> str:
        """Raises `BadEntry` as `count_found` does."""

    def release(self, viewer: Viewer, hold_id: str, reason: str) -> None:
        """Raises `BadEntry` for "reason"."""

    def original(self, viewer: Viewer, hold_id: str, entry_id: str) -> bytes: ...
    def held_since(self, viewer: Viewer) -> datetime | None:
        """Since when mail of the viewer's own is under a hold; None: none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One Prometheus metric; `samples` are label sets with their value. Labels name nobody."""

    name: str
    help: str
    kind: str  # "counter" or "gauge"
    samples: tuple[tuple[Mapping[str, str], float], ...]


class HealthService(Protocol):
    """How the service and the mail servers behind it are."""

    def banner(self, viewer: Viewer) -> Banner | None: ...
    def ready(self) -> Mapping[str, bool]:
        """What the web needs to serve ("database", "keys", ...), and whether it is there."""

    def metrics(self) -> Sequence[Metric]: ...


class SiteConfig(Protocol):
    """The settings the pages need; `public_url` has no path."""

    @property
    def public_url(self) -> str: ...
    @property
    def keep_days(self) -> int: ...
    @property
    def mailbag_days(self) -> int: ...
    @property
    def undo_seconds(self) -> int: ...
    @property
    def offline(self) -> bool: ...


class PictureService(Protocol):
    """Pictures from outside, fetched for whoever asks and drawn anew."""

    async def picture(self, url: str, reader: bytes) -> Picture | None:
        """For the person of that id; None when there is none to be had. Raises for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a route may call."""

    reading: ReadingService
    live: LiveService
    sending: SendingService
    invitations: InvitationService
    lists: ListService
    drafts: DraftService
    outbox: OutboxService
    habits: HabitService
    picture_senders: PictureSenderService
    accounts: AccountService
    entrance: EntranceService
    methods: MethodService
    method_desk: MethodDeskService
    admin: AdminService
    holds: HoldService
    outages: OutageService
    outside: OutsideService
    dns: DnsService
    webhooks: WebhookService
    health: HealthService
    config: SiteConfig
    pictures: PictureService | None = None  # None: they are switched off
    now: Callable[[], datetime] = utc_now


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


def client_ip(request: Request) -> str:
    """The peer's address; the server in front of us has already judged forwarding headers."""
    return request.client.host if request.client else ""
