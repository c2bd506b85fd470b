"""What the use cases hand to the pages: frozen values, already opened and named.

The pages see these and nothing below them. Ids are the 26-character texts of
`archive_store.ids.show`, times are timezone-aware UTC, sizes are octets. What
comes out of a message is described by small read-only protocols, so that the
parser's own values fit without being copied. `BadDraft` is the one exception.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Literal, NamedTuple, Protocol

from app.invitation_views import Invited as Invited
from app.leaving_views import Leaving
from app.phrase import Say
from app.viewer import Method as Method
from app.viewer import Person as Person
from app.viewer import Role as Role
from app.viewer import Viewer as Viewer
from app.writing_views import Correspondent as Correspondent
from app.writing_views import DraftFile as DraftFile
from app.writing_views import Habits as Habits
from app.writing_views import Quoting as Quoting
from app.writing_views import RichText as RichText

FolderName = Literal["inbox", "starred", "sent", "drafts", "trash", "spam", "archive"]
RowFilter = Literal["all", "unread", "starred", "attachments"]
CopyState = Literal["none", "waiting", "there"]
DeliveryName = Literal["only_here", "waiting", "delivered", "failed", "none"]
DraftKind = Literal["new", "reply", "reply-all", "forward", "enclose"]
BannerState = Literal["down", "refusing", "declared", "slow", "recovered", "disk", "keys"]


class News(StrEnum):
    """What an open page hears of its mailbox."""

    QUIET = "quiet"  # nothing happened for a while
    CHANGED = "changed"
    ENDED = "ended"  # the session did


class AddressFacts(Protocol):
    """One address of a header, decoded; either part may be empty."""

    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...


class AttachmentFacts(Protocol):
    """One attachment as its message names it: nothing here is to be trusted."""

    @property
    def index(self) -> int: ...
    @property
    def filename(self) -> str: ...
    @property
    def content_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def inline(self) -> bool: ...


class ParsedFacts(Protocol):
    """The header of an opened message, decoded; `problems` says what could not be had."""

    @property
    def subject(self) -> str: ...
    @property
    def sender(self) -> AddressFacts | None: ...
    @property
    def reply_to(self) -> Sequence[AddressFacts]: ...
    @property
    def to(self) -> Sequence[AddressFacts]: ...
    @property
    def cc(self) -> Sequence[AddressFacts]: ...
    @property
    def date(self) -> datetime | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def html(self) -> str | None: ...
    @property
    def message_id(self) -> str: ...
    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def problems(self) -> Sequence[str]: ...


class SafeDocument(Protocol):
    """A whole sanitised HTML document: shown in the frame, never touched again."""

    @property
    def document(self) -> str: ...
    def said(self, say: Say) -> str:
        """The document, with our own words in it in somebody's language."""

    def on_paper(self, head: str, say: Say) -> str:
        """The same with a head above its body."""


class Face(NamedTuple):
    """Who wrote a message of a conversation; `own`: the person who reads it."""

    name: str
    address: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry in a list, or a conversation: then it is that of its newest message there, with
    what is true of any of them.
    """

    id: str
    sender_name: str
    sender_address: str
    subject: str
    preview: str
    received_at: datetime
    seen: bool
    answered: bool
    forwarded: bool
    starred: bool
    has_attachments: bool
    only_here: bool  # the person's own mail server has not got it yet
    sent_to: str  # the envelope recipient
    size: int
    unreadable: bool
    folder: str
    to: tuple[str, ...] = ()  # header recipients, named first; shown in Sent
    infected: bool = False
    in_document: bool = False  # `preview` is from an attached file: a search found it there
    count: int = 1  # messages of the conversation
    faces: tuple[Face, ...] = ()  # who wrote them, oldest first; of many only some


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPage:
    """One page of a list. `total` counts what the filter lets through, `page` starts at 1."""

    folder: str
    rows: tuple[Row, ...]
    total: int
    unread: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sidebar:
    """Unread messages by folder and by identity, and the mail of each of the kept days.

    `week` runs from the oldest kept day, which leaves next, to today.
    """

    folders: Mapping[str, int]
    identities: tuple[tuple[str, int], ...]
    week: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """Where the person's own mail server stands with this message."""

    state: DeliveryName
    at: datetime | None = None
    detail: str = ""  # one line a person can read, e.g. the receiver's reply
    copy: CopyState = "none"  # of what was sent, in the own mailbox on the mail server


class Position(NamedTuple):
    """The place of an open message in its list; `n` starts at 1."""

    n: int
    total: int
    prev_id: str | None  # the newer one
    next_id: str | None  # the older one


NOWHERE = Position(0, 0, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderCheck:
    """What the domain's own checker found of a mail. `passed` and `failed`: by DMARC (RFC 7489)."""

    by: str  # the name of the checker
    domain: str  # that the mail claims to come from
    passed: bool
    failed: bool
    results: tuple[tuple[str, str, str], ...]  # method, result, and the domain it speaks of


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMessage:
    """One opened message. Its text is not here: the frame asks for it."""

    row: Row
    parsed: ParsedFacts
    attachments: tuple[AttachmentFacts, ...]
    envelope_to: str
    leaves_on: datetime
    delivery: DeliveryState
    genuine: bool  # the receipt of this service is valid
    position: Position = NOWHERE
    blocked_images: int = 0  # pictures from outside that are not fetched
    zips: bool = False  # the attachments can be had as one archive
    marked_links: int = 0  # links that lead elsewhere than they seem to
    check: SenderCheck | None = None  # None: nobody checked it whose word is taken
    first_time: bool = False  # nothing came from this address before, nor went there
    told: str | None = None  # a phrase: what the reader is to know of who sent it
    invitation: Invited | None = None
    leaving: Leaving | None = None  # how its list is left
    files: str = "off"  # of viruses in it (`file_views.FileState`)
    virus: str = ""  # the name of what was found


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """A name and address the person may send as."""

    id: str
    address: str
    display_name: str
    primary: bool
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the compose page starts with. `to` and `cc` are as a person would type them.

    `rich` is the same as `text` with the forms of what is quoted; `pictures` are those it shows,
    taken from the answered message, by name. `begin_rich`: that is what the person likes.
    """

    kind: DraftKind
    identity_id: str
    to: str
    cc: str
    subject: str
    text: str
    rich: RichText | None = None
    begin_rich: bool = False
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    attachments: tuple[AttachmentFacts, ...] = ()  # kept on forward
    enclosed: int = 0  # octets of the message that goes along as a file
    source_entry: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to send, as typed: the use case parses the addresses, once."""

    identity_id: str
    to: str
    cc: str
    bcc: str
    subject: str
    text: str  # of rich text, what is left of it without its forms
    rich: RichText | None = None  # None: it is plain text
    attachments: tuple[tuple[str, str, bytes], ...] = ()  # filename, content type, octets
    source_entry: str | None = None
    source_kind: DraftKind = "new"
    keep_attachments: tuple[int, ...] = ()  # of the source
    draft: str | None = None  # the draft it was written over, which goes when this is kept or sent
    draft_files: tuple[int, ...] = ()  # those of the draft's own files that stay
    submission: str = ""  # what a browser calls it: of one name one mail is sent

    @property
    def files(self) -> tuple[DraftFile, ...]:
        """The attachments as a page lists them."""
        return tuple(
            DraftFile(
                index=index,
                filename=name,
                content_type=content_type,
                size=len(octets),
                inline=self.rich is not None and f'"cid:{name}"' in self.rich.html,
            )
            for index, (name, content_type, octets) in enumerate(self.attachments)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """A draft that is kept. Not `alone`: another device had saved the same one meanwhile, and
    that one is kept as well.
    """

    id: str
    at: datetime
    alone: bool
    files: tuple[DraftFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentReceipt:
    """The entry in Sent, and one sentence that says what happens next.

    With `leaves_at` nothing is sent before, and until then it can be taken back: the entry is
    the one to take back.
    """

    entry_id: str
    text: str
    leaves_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A message that is sent when its time comes, unless it is taken back."""

    row: Row
    leaves_at: datetime


DraftField = Literal["from", "to", "cc", "bcc", "subject", "message", "attachments", "when"]


class BadDraft(Exception):
    """The message cannot be sent as written; `message` stands beside `field`."""

    status: ClassVar[int] = 422  # of the page that says so

    def __init__(self, field: DraftField, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """Something is not as it should be, or has just become so again.

    The page writes the sentence, since only it knows the reader's time zone;
    `text` is shown as it is for the states "disk" and "keys".
    """

    state: BannerState
    since: datetime
    text: str = ""
    waiting: int = 0  # messages that still have to reach the mail server
    minutes_left: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionView:
    """One of the person's own sessions."""

    id: str
    client_ip: str
    user_agent: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    public_computer: bool
    current: bool
    method: Method = Method.PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A live session as the pages need it."""

    viewer: Viewer
    public_computer: bool
    expires_at: datetime
    limited: bool = False  # begun by a one-time code: reads and answers, changes no account
    confined: bool = False  # a second factor is demanded, and was not given yet


class LoginRefused(Exception):
    """Address and password do not go together, or may not sign in: one answer for all."""


class LoginThrottled(Exception):
    """Too many attempts; another can be made after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class BadEntry(Exception):
    """A form cannot be taken as filled in; `message` stands beside `field`."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message
