"""What the administration pages show: frozen values, metadata only, never anybody's mail.

Same conventions as `app.views`: ids are texts, times are aware UTC, sizes octets.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from app.viewer import Role

DomainMode = Literal["relay", "copy"]
UnknownRecipients = Literal["relay", "reject"]
ServerState = Literal["up", "slow", "down", "refusing", "unknown"]
QueueState = Literal["queued", "leased", "delivered", "failed", "held", "dropped"]
Outcome = Literal["delivered", "waiting", "refused", "stored", "failed"]
StepState = Literal["ok", "warn", "bad", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DkimLine:
    """A key that may sign a domain's mail, and the TXT record that publishes it."""

    selector: str
    signs: bool
    host: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLine:
    """A protected domain with its settings and its figures."""

    id: str
    name: str
    mode: DomainMode
    relay: str  # "host:port" of the customer's mail server; empty in copy mode
    smarthost: str  # "host:port", or empty
    unknown_recipients: UnknownRecipients
    enabled: bool
    people: int
    waiting: int
    server: ServerState
    server_since: datetime | None
    server_error: str = ""  # the last reply or failure, one line
    relay_tls: str = "may"  # may, encrypt or verify
    smarthost_tls: str = "may"
    journal: bool = False  # journal reports are taken
    unread_reports: int = 0  # kept whole, since they could not be read
    quarantine: str = ""  # the address by which commands name them
    dkim: tuple[DkimLine, ...] = ()
    checked_by: str = ""  # the server whose findings are believed, and its networks
    second_factor: str = "nobody"  # of whom one is demanded: administrators, everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageLine:
    """A time in which a domain's mail server was not well. By nobody: by LiveArchive itself."""

    state: Literal["slow", "down", "refusing", "declared"]
    opened_at: datetime
    closed_at: datetime | None
    opened_by: str
    opened_why: str
    closed_by: str
    closed_why: str
    keeps_mail: bool
    taken: int  # messages that came in meanwhile
    waiting: int  # of them, not yet with the mail server


@dataclass(frozen=True, slots=True, kw_only=True)
class OutagesPage:
    """A domain's outages, newest first; `now` is the one that is not over."""

    domain: DomainLine
    now: OutageLine | None
    lines: tuple[OutageLine, ...]
    tells_outside: bool = False  # people are told at their addresses outside
    confirmed: int = 0  # how many have one
    copies_waiting: int = 0  # of sent mail, to own mailboxes


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsLine:
    """A record that a domain should publish. `result` as in `app.delivery.dns_check.Result`."""

    kind: str  # MX, SPF, DKIM or DMARC
    host: str
    result: str
    found: tuple[str, ...]
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsPage:
    """A domain's records; what stands there is known only when it was `asked`."""

    domain: DomainLine
    asked: bool
    lines: tuple[DnsLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookLine:
    """One event for a webhook, and what became of it."""

    at: datetime
    kind: str  # "outage.opened"
    state: Literal["waiting", "taken", "failed"]
    attempts: int
    error: str  # of the last attempt, in our own words
    next_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPage:
    """A domain's webhook; an empty `host`: there is none. Events newest first."""

    domain: DomainLine
    host: str
    set_at: datetime | None
    lines: tuple[WebhookLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainForm:
    """Settings of a domain as typed. `all_users` sets every existing person, too."""

    name: str
    mode: str
    relay: str
    smarthost: str
    unknown_recipients: str
    enabled: bool
    all_users: bool
    checked_by: str = ""
    second_factor: str = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLine:
    """A person who may sign in."""

    id: str
    address: str
    name: str
    role: Role
    domain: str
    live: bool
    disabled: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonForm:
    """A new person as typed. `domain_id` is empty for the admin's own domain."""

    address: str
    name: str
    role: str
    domain_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """A generated password, to be shown once; it is kept nowhere."""

    address: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCode:
    """A one-time code for somebody, to be shown once; it is kept nowhere."""

    code: str
    minutes: int  # how long it is valid


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonMethods:
    """What somebody logs in with, beside the password; none of it can be read from here."""

    id: str
    address: str
    name: str
    role: Role
    disabled: bool
    last_login_at: datetime | None
    app: bool
    passkeys: int
    codes_left: int
    by_code: bool  # a one-time code can be given


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplePage:
    rows: tuple[PersonLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """`kind` is the source of an event's name ("login", "message", ...), `person` an address."""

    kind: str = ""
    person: str = ""
    since: datetime | None = None
    until: datetime | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One event of the trail."""

    seq: int
    at: datetime
    actor: str  # an address, or what acted when it was no person
    name: str  # "message.opened"
    text: str  # the same as a sentence
    client_ip: str
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """`kinds` are the sources of events that the trail can hold."""

    rows: tuple[AuditLine, ...]
    kinds: tuple[str, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaillogQuery:
    """What to look for; `recipient` must be given."""

    recipient: str
    sender: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaillogHit:
    """One message as the mail log knows it: who, when, what became of it; never its text."""

    id: str
    at: datetime
    mail_from: str
    recipients: tuple[str, ...]
    subject: str
    size: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MaillogStep:
    """One thing that happened to the message."""

    at: datetime
    title: str
    text: str
    state: StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class MaillogDetail:
    """The life of one message."""

    hit: MaillogHit
    steps: tuple[MaillogStep, ...]
    message_id: str
    leaves_on: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """One message on its way to a mail server."""

    id: str
    domain: str
    destination: str  # "host:port"
    mail_from: str
    rcpt_to: str
    size: int
    state: QueueState
    attempts: int
    queued_at: datetime
    next_attempt_at: datetime | None
    last_reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuePage:
    rows: tuple[QueueLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigure:
    """What one kept day holds."""

    day: date
    messages: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HourFigure:
    """Mail that came in one hour; `waiting` of it has not reached its server yet."""

    at: datetime
    arrived: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The state of everything the administrator looks after, in figures."""

    domains: tuple[DomainLine, ...]
    people: int
    signed_in: int
    waiting: int
    waiting_octets: int
    oldest_waiting: datetime | None
    days: tuple[DayFigure, ...]
    hours: tuple[HourFigure, ...] = ()
    disk_free_octets: int | None = None
    disk_octets: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundToHold:
    """How much a search would hold; nothing of what it is."""

    messages: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldLine:
    """One hold that was not released. `address` is empty when a search found what it holds."""

    id: str
    domain: str
    address: str
    reason: str
    placed_by: str
    placed_at: datetime
    messages: int
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """One message under a hold."""

    id: str
    address: str
    received_at: datetime
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPage:
    """One hold and a page of what it holds, newest first."""

    hold: HoldLine
    rows: tuple[HeldLine, ...]
    page: int
    pages: int
