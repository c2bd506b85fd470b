"""The tables of the people, the mailbag and the audit trail.

Addresses and names of users stand here in clear; nothing of mail does: senders,
subjects and recipients of a queue item are inside its sealed `envelope`, and what
the other server answered is inside `last_reply`. A domain's id is also the tenant
of its mailboxes, messages and mail log. Ids are 16 random octets (`archive_store.ids`).
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.login_models import Authenticator as Authenticator
from app.login_models import KnownDevice as KnownDevice
from app.login_models import LoginStep as LoginStep
from app.login_models import OneTimeCode as OneTimeCode
from app.login_models import Passkey as Passkey
from app.outbox_models import Submission as Submission
from app.outside_models import OutsideAddress as OutsideAddress
from app.outside_models import OutsideNotice as OutsideNotice
from app.picture_models import PictureSender as PictureSender
from archive_store.db import Base, Id, Seq, Utc
from archive_store.models import Mailbox

ADDRESS_LENGTH = 320  # 64 of local part, the at sign, 255 of domain (RFC 5321 section 4.5.3.1)
NAME_LENGTH = 200
HOST_LENGTH = 255
SELECTOR_LENGTH = 63  # of one label (RFC 1035 section 2.3.4)


class Domain(Base):
    """A customer's mail domain, and where its own mail server is."""

    __tablename__ = "domain"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(HOST_LENGTH), unique=True)  # A-labels, lower case
    mode: Mapped[str] = mapped_column(String(8))  # relay | copy
    relay_host: Mapped[str] = mapped_column(String(HOST_LENGTH), default="")
    relay_port: Mapped[int] = mapped_column(default=0)
    enabled: Mapped[bool] = mapped_column(default=False)  # the LiveArchive switch
    all_users: Mapped[bool] = mapped_column(default=False)  # as it was last switched on
    unknown_recipients: Mapped[str] = mapped_column(String(8))  # relay | reject
    smarthost: Mapped[str] = mapped_column(String(HOST_LENGTH + 8), default="")
    # may | encrypt | verify
    relay_tls: Mapped[str] = mapped_column(String(8), default="may", server_default="may")
    smarthost_tls: Mapped[str] = mapped_column(String(8), default="may", server_default="may")
    # The name of the DKIM keys that sign what its people send; empty: it leaves unsigned.
    dkim: Mapped[str] = mapped_column(String(SELECTOR_LENGTH), default="", server_default="")
    # What its people send goes to their own mailbox on the primary, too.
    sent_copies: Mapped[str] = mapped_column(String(4), default="imap", server_default="imap")
    # The server whose Authentication-Results are believed (`accounts.checking`); empty: none.
    checked_by: Mapped[str] = mapped_column(String(400), default="", server_default="")
    # People are told of an outage at their addresses outside.
    outside_notices: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Of whom more than a password is demanded (`accounts.demand`).
    second_factor: Mapped[str] = mapped_column(
        String(16), default="nobody", server_default="nobody"
    )
    created_at: Mapped[datetime] = mapped_column(Utc)
    dkim_keys: Mapped[list[DkimKey]] = relationship(
        order_by="DkimKey.created_at, DkimKey.name, DkimKey.selector", viewonly=True
    )


class DkimKey(Base):
    """A key that signs mail of a domain (RFC 6376). Its private half is sealed by the keys role.

    Keys that are made together share their `name` and sign together, each with an algorithm and
    a selector of its own.
    """

    __tablename__ = "dkim_key"

    domain_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("domain.id", ondelete="CASCADE"), primary_key=True
    )
    selector: Mapped[str] = mapped_column(String(SELECTOR_LENGTH), primary_key=True)
    name: Mapped[str] = mapped_column(String(SELECTOR_LENGTH))
    algorithm: Mapped[str] = mapped_column(String(8))  # rsa | ed25519
    public: Mapped[bytes] = mapped_column(LargeBinary)  # what `p=` of its DNS record has
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Utc)


class User(Base):
    """A person who may log in."""

    __tablename__ = "person"  # "user" is a reserved word of SQL

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[bytes | None] = mapped_column(Id, ForeignKey("domain.id"), index=True)
    # None: a service provider, who has no mail here.
    mailbox_id: Mapped[bytes | None] = mapped_column(Id, ForeignKey(Mailbox.id), unique=True)
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))  # as it was written
    address_key: Mapped[str] = mapped_column(String(ADDRESS_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(256))
    live: Mapped[bool]  # mail to this person is kept, while the domain is enabled
    disabled: Mapped[bool] = mapped_column(default=False)  # may not log in
    rich_text: Mapped[bool] = mapped_column(default=False, server_default=false())
    quoting: Mapped[str] = mapped_column(String(8), default="below", server_default="below")
    last_login_at: Mapped[datetime | None] = mapped_column(Utc)
    created_at: Mapped[datetime] = mapped_column(Utc)
    # By an administrator; the person is told until it was read.
    methods_reset_at: Mapped[datetime | None] = mapped_column(Utc)


class Identity(Base):
    """An address and display name that a user may send as."""

    __tablename__ = "identity"
    __table_args__ = (Index("ix_identity_user_address", "user_id", "address_key", unique=True),)

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    user_id: Mapped[bytes] = mapped_column(Id, ForeignKey("person.id", ondelete="CASCADE"))
    address: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))
    address_key: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))
    display_name: Mapped[str] = mapped_column(String(NAME_LENGTH))
    receive: Mapped[bool] = mapped_column(default=False)
    primary: Mapped[bool] = mapped_column("is_primary", default=False)
    signature: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(Utc)


class AddressRoute(Base):
    """Which mailbox takes the mail to an address: one row per address that receives."""

    __tablename__ = "address_route"

    address_key: Mapped[str] = mapped_column(String(ADDRESS_LENGTH), primary_key=True)
    mailbox_id: Mapped[bytes] = mapped_column(Id, ForeignKey(Mailbox.id), index=True)


class JournalFeed(Base):
    """Where journal reports of a domain come in: an address that is a secret, and from whom.

    Only the SHA-256 of the address's key is kept, so a copy of the database lets nobody write
    into mailboxes. Domains of one organisation may share an address.
    """

    __tablename__ = "journal_feed"

    domain_id: Mapped[bytes] = mapped_column(Id, ForeignKey("domain.id"), primary_key=True)
    address_hash: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    networks: Mapped[str] = mapped_column(Text, default="")  # with commas; empty: from anywhere
    login: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")  # of SMTP_LOGINS, or any
    # Takes the reports that could not be read; it is nobody's.
    quarantine_id: Mapped[bytes] = mapped_column(Id, ForeignKey(Mailbox.id))
    created_at: Mapped[datetime] = mapped_column(Utc)


class LoginSession(Base):
    """A log-in. The token itself is only in the browser; here is its SHA-256."""

    __tablename__ = "login_session"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(Utc)
    seen_at: Mapped[datetime] = mapped_column(Utc)
    expires_at: Mapped[datetime] = mapped_column(Utc, index=True)
    client_ip: Mapped[str] = mapped_column(String(45))
    user_agent: Mapped[str] = mapped_column(String(200))
    public_computer: Mapped[bool] = mapped_column(default=False)
    revoked_at: Mapped[datetime | None] = mapped_column(Utc)
    method: Mapped[str] = mapped_column(String(16), default="password", server_default="password")
    # When the person last proved to be there; None: it cannot be done in this session.
    confirmed_at: Mapped[datetime | None] = mapped_column(Utc)
    new_device: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Log-ins elsewhere since then are told in this session; None: those after it began.
    told_until: Mapped[datetime | None] = mapped_column(Utc)


class LoginThrottle(Base):
    """Failed log-ins of one account and network, of one account, or of one network."""

    __tablename__ = "login_throttle"

    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(Utc, index=True)
    noted: Mapped[bool] = mapped_column(default=False)  # the audit trail has this wait


class KnownNetwork(Base):
    """A network from which this person has logged in before."""

    __tablename__ = "known_network"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    network: Mapped[str] = mapped_column(String(50), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Utc, index=True)


class QueueItem(Base):
    """One message on its way to one server: the mailbag towards a primary, or a sent reply."""

    __tablename__ = "queue_item"
    __table_args__ = (
        Index("ix_queue_item_due", "state", "next_attempt_at"),
        Index("ix_queue_item_domain_state", "domain_id", "state"),
    )

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    message_id: Mapped[bytes] = mapped_column(Id, index=True)  # its rows leave day by day
    domain_id: Mapped[bytes] = mapped_column(Id, ForeignKey("domain.id"))
    entry_id: Mapped[bytes | None] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(8))  # primary | outgoing | pending | sent
    state: Mapped[str] = mapped_column(String(10), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    queued_at: Mapped[datetime] = mapped_column(Utc)
    next_attempt_at: Mapped[datetime] = mapped_column(Utc)
    lease_until: Mapped[datetime | None] = mapped_column(Utc)
    lease_owner: Mapped[str] = mapped_column(String(64), default="")
    day: Mapped[date] = mapped_column(index=True)
    slot: Mapped[int] = mapped_column(default=0)  # which key slot of the frame is this item's
    writer_key_id: Mapped[bytes] = mapped_column(Id)
    wrap: Mapped[bytes] = mapped_column(LargeBinary)
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    last_reply: Mapped[bytes | None] = mapped_column(LargeBinary)
    told_at: Mapped[datetime | None] = mapped_column(Utc)  # its sender, that it is late
    done_at: Mapped[datetime | None] = mapped_column(Utc)


class Hold(Base):
    """A legal hold: entries of a domain that its auditor keeps beyond their days.

    `mailbox_id`: everything in that mailbox and everything that comes in until it is released.
    None: the entries that a search found when the hold was placed; the words that were
    searched for are kept nowhere. Its key is in the keyring: a row without one holds nothing.
    The row goes with the held entries, at the sweep after `released_at`.
    """

    __tablename__ = "legal_hold"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[bytes] = mapped_column(Id, ForeignKey("domain.id"), index=True)
    mailbox_id: Mapped[bytes | None] = mapped_column(Id, ForeignKey(Mailbox.id), index=True)
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[str] = mapped_column(String(ADDRESS_LENGTH))  # as the audit trail names it
    placed_at: Mapped[datetime] = mapped_column(Utc)
    released_at: Mapped[datetime | None] = mapped_column(Utc)


class SendingCount(Base):
    """To how many recipients a person, or a domain, has sent in one hour of the clock."""

    __tablename__ = "sending_count"

    owner_id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    hour: Mapped[datetime] = mapped_column(Utc, primary_key=True)
    recipients: Mapped[int] = mapped_column(default=0)
    refused: Mapped[str] = mapped_column(String(8), default="")  # of hour, day: what is recorded


class PrimaryHealth(Base):
    """Whether a domain's primary answers, with the time since when."""

    __tablename__ = "primary_health"

    domain_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("domain.id", ondelete="CASCADE"), primary_key=True
    )
    state: Mapped[str] = mapped_column(String(8), default="up")  # up | slow | down | refusing
    since: Mapped[datetime] = mapped_column(Utc)
    checked_at: Mapped[datetime] = mapped_column(Utc)
    last_error: Mapped[str] = mapped_column(String(200), default="")  # never the server's words


class Outage(Base):
    """A time in which a domain's own mail server was not well, as people were told of it.

    Opened and closed by the product, or by an administrator's word (`opened_by`, `closed_by`
    with why). At most one of a domain is open. `taken`: messages that came in meanwhile,
    counted when it closed.
    """

    __tablename__ = "outage"
    __table_args__ = (Index("ix_outage_domain_opened", "domain_id", "opened_at"),)

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[bytes] = mapped_column(Id, ForeignKey("domain.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(8))  # slow | down | refusing | declared
    opened_at: Mapped[datetime] = mapped_column(Utc)
    closed_at: Mapped[datetime | None] = mapped_column(Utc)
    opened_by: Mapped[str] = mapped_column(String(ADDRESS_LENGTH), default="")
    opened_why: Mapped[str] = mapped_column(Text, default="")
    closed_by: Mapped[str] = mapped_column(String(ADDRESS_LENGTH), default="")
    closed_why: Mapped[str] = mapped_column(Text, default="")
    keeps_mail: Mapped[bool] = mapped_column(default=False)  # nothing is handed on until it closes
    taken: Mapped[int | None]


class Webhook(Base):
    """Where a domain's outages are told to a program. Its URL is never shown or logged.

    The secret that signs is sealed by the keys role, to this domain and this `id`, which is new
    with each secret.
    """

    __tablename__ = "webhook"

    domain_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("domain.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[bytes] = mapped_column(Id)
    url: Mapped[str] = mapped_column(String(500))  # its path may be a secret, too
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_at: Mapped[datetime] = mapped_column(Utc)


class WebhookEvent(Base):
    """One request to a webhook, written with what it tells; tried until `done_at`."""

    __tablename__ = "webhook_event"
    __table_args__ = (Index("ix_webhook_event_due", "done_at", "next_attempt_at"),)

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("domain.id", ondelete="CASCADE"), index=True
    )
    body: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Utc)
    next_attempt_at: Mapped[datetime] = mapped_column(Utc)
    done_at: Mapped[datetime | None] = mapped_column(Utc)
    last_error: Mapped[str] = mapped_column(String(200), default="")  # never the other's words


class ImapAccess(Base):
    """How a domain's mailboxes on its primary are reached. The keys role seals the password."""

    __tablename__ = "imap_access"

    domain_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("domain.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[bytes] = mapped_column(Id)
    host: Mapped[str] = mapped_column(String(HOST_LENGTH))
    port: Mapped[int]
    tls: Mapped[str] = mapped_column(String(8))  # implicit | starttls | none
    master: Mapped[str] = mapped_column(String(NAME_LENGTH))
    login: Mapped[str] = mapped_column(String(8))  # plain | star
    names: Mapped[str] = mapped_column(String(8))  # address | local
    sent_folder: Mapped[str] = mapped_column(String(NAME_LENGTH), default="")  # empty: discovered
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    set_at: Mapped[datetime] = mapped_column(Utc)
    refusals: Mapped[int] = mapped_column(default=0)  # log-ins in a row
    rests_until: Mapped[datetime | None] = mapped_column(Utc)


class Setting(Base):
    """A setting that is changed at run time; `app.settings` knows each."""

    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Utc)


class AuditEvent(Base):
    """One entry of an audit trail. `octets` are the truth; the other columns copy
    from them what lists are filtered by, and nobody may rely on a copy as proof.
    """

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_trail_at", "trail", "at"),
        Index("ix_audit_event_trail_kind", "trail", "kind"),
        Index("ix_audit_event_trail_actor", "trail", "actor_id"),
    )

    trail: Mapped[bytes] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Utc)
    kind: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[bytes | None] = mapped_column(Id)
    octets: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuditHead(Base):
    """The newest entry of a trail; its row is the lock under which the trail grows."""

    __tablename__ = "audit_head"

    trail: Mapped[bytes] = mapped_column(Id, primary_key=True)
    seq: Mapped[int] = mapped_column(Seq, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
