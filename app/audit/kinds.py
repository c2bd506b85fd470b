"""The names of the events of the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The name of every event: the source, a dot, what happened."""

    LOGGED_IN = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGGED_OUT = "login.ended"
    SESSIONS_REVOKED = "login.revoked"
    LOGIN_CONFIRMED = "login.confirmed"
    CODES_MADE = "login.codes-made"
    CODES_REMOVED = "login.codes-removed"
    CODE_GIVEN = "login.code-given"
    APP_ADDED = "login.app-added"
    APP_REMOVED = "login.app-removed"
    PASSKEY_ADDED = "login.passkey-added"
    PASSKEY_REMOVED = "login.passkey-removed"
    METHODS_RESET = "login.methods-reset"
    ACCESS_REFUSED = "access.refused"
    MESSAGE_OPENED = "message.opened"
    MESSAGE_DOWNLOADED = "message.downloaded"
    MESSAGE_SENT = "message.sent"
    MESSAGE_SCHEDULED = "message.scheduled"
    MESSAGE_TAKEN_BACK = "message.taken-back"
    MESSAGE_NOT_SENT = "message.not-sent"
    MESSAGE_UNSUBSCRIBED = "message.unsubscribed"
    MESSAGE_MOVED = "message.moved"
    MESSAGE_DELETED = "message.deleted"
    MESSAGES_EXPORTED = "message.exported"
    MESSAGES_IMPORTED = "message.imported"
    ATTACHMENT_DOWNLOADED = "attachment.downloaded"
    LOCKED_FILE_REFUSED = "attachment.locked"
    MESSAGE_INFECTED = "message.infected"
    MAILBOX_SEARCHED = "mailbox.searched"
    MAILBOX_LISTED = "mailbox.listed"
    MAILLOG_SEARCHED = "maillog.searched"
    DOMAIN_ADDED = "domain.added"
    DOMAIN_CHANGED = "domain.changed"
    DOMAIN_ENABLED = "domain.enabled"
    DOMAIN_DISABLED = "domain.disabled"
    DKIM_KEYS_MADE = "dkim.keys-made"
    DKIM_KEYS_REMOVED = "dkim.keys-removed"
    MAIL_UNSIGNED = "dkim.unsigned"
    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_ENABLED = "user.enabled"
    USER_DISABLED = "user.disabled"
    PASSWORD_CHANGED = "user.password-changed"  # noqa: S105  the name of an event
    PASSWORD_RESET = "user.password-reset"  # noqa: S105  the name of an event
    IDENTITY_ADDED = "identity.added"
    IDENTITY_REMOVED = "identity.removed"
    SIGNATURE_CHANGED = "signature.changed"
    SENDING_LIMITED = "sending.limited"
    SETTING_CHANGED = "setting.changed"
    QUEUE_FLUSHED = "queue.flushed"
    QUEUE_HELD = "queue.held"
    QUEUE_DROPPED = "queue.dropped"
    OUTAGE_STARTED = "outage.started"
    OUTAGE_CHANGED = "outage.changed"
    OUTAGE_ENDED = "outage.ended"
    OUTAGE_DECLARED = "outage.declared"
    OUTAGE_CLOSED = "outage.closed"
    SERVER_SLOW = "server.slow"
    SERVER_PROMPT = "server.prompt"
    OUTSIDE_SET = "outside.set"
    OUTSIDE_CONFIRMED = "outside.confirmed"
    OUTSIDE_REMOVED = "outside.removed"
    OUTSIDE_TOLD = "outside.told"
    WEBHOOK_SET = "webhook.set"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_OFF = "webhook.off"
    IMAP_SET = "imap.set"
    IMAP_OPENED = "imap.opened"
    IMAP_REMOVED = "imap.removed"
    IMAP_REFUSED = "imap.refused"
    AUDIT_EXPORTED = "audit.exported"
    RETENTION_RAN = "retention.ran"
    KEYS_DESTROYED = "keys.destroyed"
    KEYS_BACKED_UP = "keys.backed-up"
    KEYS_RESTORED = "keys.restored"
    KEYS_REWRAPPED = "keys.rewrapped"
    KEYS_LOCKED = "keys.locked"
    KEYS_UNLOCKED = "keys.unlocked"
    KEYS_OVERDUE = "keys.overdue"
    KEYS_FORGED = "keys.forged"
    CLOCK_HELD = "keys.clock-held"
    CLOCK_CONFIRMED = "keys.clock-confirmed"
    HOLD_SEARCHED = "hold.searched"
    HOLD_PLACED = "hold.placed"
    HOLD_RELEASED = "hold.released"
    HELD_MAIL_OPENED = "hold.opened"
    JOURNAL_STARTED = "journal.started"
    JOURNAL_STOPPED = "journal.stopped"
    JOURNAL_UNREAD = "journal.unread"
    SMTP_LOGGED_IN = "smtp.logged-in"
    SMTP_LOGIN_FAILED = "smtp.login-failed"
    CERTIFICATE_ISSUED = "certificate.issued"
    CERTIFICATE_FAILED = "certificate.failed"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    STORE_CHECKED = "store.checked"
    BUCKET_UNFIT = "store.bucket-unfit"
    MAIL_UNREADABLE = "store.unreadable"
    SCANNER_SILENT = "scanner.silent"
    SCANNER_ANSWERS = "scanner.answers"


SOURCES = tuple(dict.fromkeys(kind.partition(".")[0] for kind in Kind))
"""What events are about, for a filter."""


class LoginFailure(StrEnum):
    """Why a log-in failed. The person who tried is told less."""

    UNKNOWN_ACCOUNT = "unknown-account"
    WRONG_PASSWORD = "wrong-password"  # noqa: S105  a reason, not a password
    WRONG_CODE = "wrong-code"
    WRONG_PASSKEY = "wrong-passkey"
    PASSKEY_COPIED = "passkey-copied"  # its count of uses went back
    NOT_BY_CODE = "not-by-code"  # the role reads no mail, which is all that such a session may
    DISABLED = "disabled"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has: its name."""

    name: ClassVar[Kind]
