"""The events of the audit trail: one frozen type each; its docstring says what is never in it.

No event holds a word of mail: no subject, no sender, no recipient, no file name, no words searched
for, no password. Messages are named by the id of their entry. Addresses of our own users and
identities do stand in events; docs/audit.md tells how long.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.audit.certificate_events import CertificateFailed as CertificateFailed
from app.audit.certificate_events import CertificateIssued as CertificateIssued
from app.audit.domain_events import DkimKeysMade as DkimKeysMade
from app.audit.domain_events import DkimKeysRemoved as DkimKeysRemoved
from app.audit.domain_events import DomainAdded as DomainAdded
from app.audit.domain_events import DomainChanged as DomainChanged
from app.audit.domain_events import DomainDisabled as DomainDisabled
from app.audit.domain_events import DomainEnabled as DomainEnabled
from app.audit.domain_events import MailUnsigned as MailUnsigned
from app.audit.hold_events import HeldMailOpened as HeldMailOpened
from app.audit.hold_events import HoldPlaced as HoldPlaced
from app.audit.hold_events import HoldReleased as HoldReleased
from app.audit.hold_events import HoldSearched as HoldSearched
from app.audit.journal_events import JournalStarted as JournalStarted
from app.audit.journal_events import JournalStopped as JournalStopped
from app.audit.journal_events import JournalUnread as JournalUnread
from app.audit.key_events import ClockConfirmed as ClockConfirmed
from app.audit.key_events import ClockHeld as ClockHeld
from app.audit.key_events import KeysBackedUp as KeysBackedUp
from app.audit.key_events import KeysDestroyed as KeysDestroyed
from app.audit.key_events import KeysForged as KeysForged
from app.audit.key_events import KeysLocked as KeysLocked
from app.audit.key_events import KeysOverdue as KeysOverdue
from app.audit.key_events import KeysRestored as KeysRestored
from app.audit.key_events import KeysRewrapped as KeysRewrapped
from app.audit.key_events import KeysUnlocked as KeysUnlocked
from app.audit.kinds import Event as Event
from app.audit.kinds import Kind as Kind
from app.audit.kinds import LoginFailure as LoginFailure
from app.audit.login_events import AppAdded as AppAdded
from app.audit.login_events import AppRemoved as AppRemoved
from app.audit.login_events import CodeGiven as CodeGiven
from app.audit.login_events import CodesMade as CodesMade
from app.audit.login_events import CodesRemoved as CodesRemoved
from app.audit.login_events import LoginConfirmed as LoginConfirmed
from app.audit.login_events import MethodsReset as MethodsReset
from app.audit.login_events import PasskeyAdded as PasskeyAdded
from app.audit.login_events import PasskeyRemoved as PasskeyRemoved
from app.audit.outage_events import OutageChanged as OutageChanged
from app.audit.outage_events import OutageClosed as OutageClosed
from app.audit.outage_events import OutageDeclared as OutageDeclared
from app.audit.outage_events import OutageEnded as OutageEnded
from app.audit.outage_events import OutageStarted as OutageStarted
from app.audit.outage_events import ServerPrompt as ServerPrompt
from app.audit.outage_events import ServerSlow as ServerSlow
from app.audit.outage_events import WebhookOff as WebhookOff
from app.audit.outage_events import WebhookRemoved as WebhookRemoved
from app.audit.outage_events import WebhookSet as WebhookSet
from app.audit.outside_events import OutsideConfirmed as OutsideConfirmed
from app.audit.outside_events import OutsideRemoved as OutsideRemoved
from app.audit.outside_events import OutsideSet as OutsideSet
from app.audit.outside_events import OutsideTold as OutsideTold
from app.audit.scanning_events import InfectedMailFound as InfectedMailFound
from app.audit.scanning_events import LockedFileRefused as LockedFileRefused
from app.audit.scanning_events import ScannerAnswers as ScannerAnswers
from app.audit.scanning_events import ScannerSilent as ScannerSilent
from app.audit.sending_events import MessageNotSent as MessageNotSent
from app.audit.sending_events import MessageScheduled as MessageScheduled
from app.audit.sending_events import MessageSent as MessageSent
from app.audit.sending_events import MessageTakenBack as MessageTakenBack
from app.audit.sending_events import MessageUnsubscribed as MessageUnsubscribed
from app.audit.sending_events import SendingLimited as SendingLimited
from app.audit.sending_events import SignatureChanged as SignatureChanged
from app.audit.smtp_events import SmtpLoggedIn as SmtpLoggedIn
from app.audit.smtp_events import SmtpLoginFailed as SmtpLoginFailed
from app.audit.store_events import BackupMade as BackupMade
from app.audit.store_events import BackupRestored as BackupRestored
from app.audit.store_events import BucketUnfit as BucketUnfit
from app.audit.store_events import MailUnreadable as MailUnreadable
from app.audit.store_events import StoreChecked as StoreChecked
from app.audit.wayback_events import ImapOpened as ImapOpened
from app.audit.wayback_events import ImapRefused as ImapRefused
from app.audit.wayback_events import ImapRemoved as ImapRemoved
from app.audit.wayback_events import ImapSet as ImapSet
from app.viewer import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn(Event):
    """A person logged in; the session's token is never recorded."""

    name = Kind.LOGGED_IN
    public_computer: bool = False
    new_network: bool = False  # never seen before for this person
    new_device: bool = False  # likewise
    method: Method = Method.PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginFailed(Event):
    """Someone failed to log in. The password tried is never recorded, nor a foreign address."""

    name = Kind.LOGIN_FAILED
    address: str  # in full, or "@domain" of an address elsewhere, or empty
    reason: LoginFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedOut(Event):
    """A person ended the session."""

    name = Kind.LOGGED_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsRevoked(Event):
    """Sessions of a person were ended from elsewhere."""

    name = Kind.SESSIONS_REVOKED
    user_id: bytes
    address: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRefused(Event):
    """Somebody asked for what the role does not allow."""

    name = Kind.ACCESS_REFUSED
    permission: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOpened(Event):
    """A message was shown. Nothing of the message is recorded but its entry's id."""

    name = Kind.MESSAGE_OPENED
    mailbox_id: bytes
    entry_id: bytes
    reason: str = ""  # asked for when it is another person's mail


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDownloaded(Event):
    """The original of a message left the product."""

    name = Kind.MESSAGE_DOWNLOADED
    mailbox_id: bytes
    entry_id: bytes
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDownloaded(Event):
    """An attachment left the product. Its name is never recorded."""

    name = Kind.ATTACHMENT_DOWNLOADED
    mailbox_id: bytes
    entry_id: bytes
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSearched(Event):
    """A mailbox was searched. The words are never recorded."""

    name = Kind.MAILBOX_SEARCHED
    mailbox_id: bytes
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxListed(Event):
    """Somebody else's mailbox was listed, with senders and subjects."""

    name = Kind.MAILBOX_LISTED
    mailbox_id: bytes
    address: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageMoved(Event):
    """A message was moved to another folder."""

    name = Kind.MESSAGE_MOVED
    mailbox_id: bytes
    entry_id: bytes
    folder: str  # the new one


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted(Event):
    """A message was put in the trash, or for good: then its key is gone, too."""

    name = Kind.MESSAGE_DELETED
    mailbox_id: bytes
    entry_id: bytes
    for_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesExported(Event):
    """Messages of a mailbox were written to files."""

    name = Kind.MESSAGES_EXPORTED
    mailbox_id: bytes
    address: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesImported(Event):
    """Messages were brought into a mailbox from files."""

    name = Kind.MESSAGES_IMPORTED
    mailbox_id: bytes
    address: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaillogSearched(Event):
    """The mail log was searched. What was looked for is never recorded."""

    name = Kind.MAILLOG_SEARCHED
    found: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAdded(Event):
    """A person was added. The password is never recorded."""

    name = Kind.USER_ADDED
    user_id: bytes
    address: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged(Event):
    """A setting of a person was changed."""

    name = Kind.USER_CHANGED
    user_id: bytes
    address: str
    setting: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserEnabled(Event):
    """A person may log in again."""

    name = Kind.USER_ENABLED
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDisabled(Event):
    """A person may no longer log in; every session ended."""

    name = Kind.USER_DISABLED
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A person changed the own password. Neither password is recorded."""

    name = Kind.PASSWORD_CHANGED
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordReset(Event):
    """A person was given a new password by somebody else. It is never recorded."""

    name = Kind.PASSWORD_RESET
    user_id: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityAdded(Event):
    """A person may send as a further address, and perhaps receives its mail."""

    name = Kind.IDENTITY_ADDED
    user_id: bytes
    address: str
    identity: str
    receive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRemoved(Event):
    """A person may no longer send as an address."""

    name = Kind.IDENTITY_REMOVED
    user_id: bytes
    address: str
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChanged(Event):
    """A setting of the installation was changed."""

    name = Kind.SETTING_CHANGED
    setting: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFlushed(Event):
    """Waiting mail was told to go now."""

    name = Kind.QUEUE_FLUSHED
    domain: str  # empty: of all domains
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueHeld(Event):
    """One waiting mail was held back."""

    name = Kind.QUEUE_HELD
    item_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDropped(Event):
    """One waiting mail will not be delivered."""

    name = Kind.QUEUE_DROPPED
    item_id: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditExported(Event):
    """A trail, or a part of it, was written to a file."""

    name = Kind.AUDIT_EXPORTED
    since: str  # RFC 3339, or empty
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionRan(Event):
    """What was past its time went."""

    name = Kind.RETENTION_RAN
    messages: int
    entries: int
    segments: int
