"""What an entry says, as a sentence for people. The actor stands beside it, not in it.

Sentences are plain text; whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.audit.canonical import AuditEntry, Details
from app.audit.kinds import Kind, LoginFailure
from app.viewer import Method

_REFUSED = {Kind.LOGIN_FAILED, Kind.ACCESS_REFUSED, Kind.SMTP_LOGIN_FAILED}

_FAILURES: Mapping[str, str] = {
    LoginFailure.UNKNOWN_ACCOUNT: "no such account",
    LoginFailure.WRONG_PASSWORD: "wrong password",
    LoginFailure.WRONG_CODE: "wrong code",
    LoginFailure.WRONG_PASSKEY: "not a passkey of ours",
    LoginFailure.PASSKEY_COPIED: "the passkey may have been copied",
    LoginFailure.NOT_BY_CODE: "a one-time code alone is not enough for this role",
    LoginFailure.DISABLED: "the account is disabled",
    LoginFailure.THROTTLED: "too many attempts",
}

_METHODS: Mapping[str, str] = {
    Method.PASSWORD_APP: " with password and authenticator app",
    Method.PASSWORD_CODE: " with password and one-time code",
    Method.PASSKEY: " with a passkey",
    Method.CODE: " with a one-time code",
    Method.GIVEN_CODE: " with a one-time code from an administrator",
}


def is_refusal(entry: AuditEntry) -> bool:
    """Whether the entry tells of something that was not allowed."""
    return entry.event in _REFUSED


def sentence(entry: AuditEntry) -> str:
    """One sentence without a full stop. Of an unknown event, its name."""
    write = _SENTENCES.get(entry.event)
    if write is None:
        return entry.event
    # An entry of an older version may lack a detail: an empty text, never an error.
    return write(_Lenient(entry.details))


class _Lenient(dict[str, object]):
    def __init__(self, details: Details) -> None:
        super().__init__(details)

    def __missing__(self, key: str) -> str:
        return ""


def _plural(count: object, one: str, many: str = "") -> str:
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"


def _because(details: _Lenient) -> str:
    return f", because: {details['reason']}" if details["reason"] else ""


def _login_failed(details: _Lenient) -> str:
    why = _FAILURES.get(str(details["reason"]), str(details["reason"]))
    address = details["address"]
    return f"Failed to log in as {address}: {why}" if address else f"Failed to log in: {why}"


def _changed(what: str) -> Callable[[_Lenient], str]:
    def write(details: _Lenient) -> str:
        old, new = details["old"] or "nothing", details["new"] or "nothing"
        return f"Changed {details['setting']} of {details[what]} from {old} to {new}"

    return write


def _after(what: str) -> Callable[[_Lenient], str]:
    def write(details: _Lenient) -> str:
        seconds = details["lasted_seconds"]
        lasted = seconds // 60 if isinstance(seconds, int) else 0
        length = _plural(lasted, "minute") if lasted else "less than a minute"
        return f"The mail server of {details['domain']} {what}, after {length}"

    return write


def _outage(details: _Lenient) -> str:
    refuses = details["state"] == "refusing"
    return f"The mail server of {details['domain']} " + (
        "turns all mail away" if refuses else "stopped answering"
    )


def _exported(details: _Lenient) -> str:
    since, until = details["since"], details["until"]
    part = f" from {since or 'the beginning'} to {until or 'now'}" if since or until else ""
    return f"Exported the audit trail{part}"


_SENTENCES: Mapping[str, Callable[[_Lenient], str]] = {
    Kind.LOGGED_IN: lambda d: (
        "Logged in"
        + _METHODS.get(str(d["method"]), "")
        + (" in a browser not seen before" if d["new_device"] else "")
        + (" from a network not seen before" if d["new_network"] else "")
        + (" on a public computer" if d["public_computer"] else "")
    ),
    Kind.LOGIN_FAILED: _login_failed,
    Kind.LOGGED_OUT: lambda d: "Logged out",
    Kind.SESSIONS_REVOKED: lambda d: f"Ended {_plural(d['count'], 'session')} of {d['address']}",
    Kind.LOGIN_CONFIRMED: lambda d: f"Proved the own identity again, by {d['proof']}",
    Kind.CODES_MADE: lambda d: f"Made {_plural(d['count'], 'one-time code')} for {d['address']}",
    Kind.CODES_REMOVED: lambda d: f"Ended the one-time codes of {d['address']}",
    Kind.CODE_GIVEN: lambda d: (
        f"Made a one-time code for {d['address']}, valid for {_plural(d['minutes'], 'minute')}"
    ),
    Kind.APP_ADDED: lambda d: f"Set up an authenticator app for {d['address']}",
    Kind.APP_REMOVED: lambda d: f"Removed the authenticator app of {d['address']}",
    Kind.PASSKEY_ADDED: lambda d: f"Added a passkey of {d['address']}",
    Kind.PASSKEY_REMOVED: lambda d: f"Removed a passkey of {d['address']}",
    Kind.METHODS_RESET: lambda d: f"Removed all ways to log in of {d['address']} but the password",
    Kind.ACCESS_REFUSED: lambda d: f"Was refused: {d['permission']}",
    Kind.MESSAGE_OPENED: lambda d: f"Opened message {d['entry_id']}" + _because(d),
    Kind.MESSAGE_DOWNLOADED: lambda d: f"Downloaded message {d['entry_id']}" + _because(d),
    Kind.MESSAGE_SENT: lambda d: (
        f"Sent message {d['entry_id']} as {d['identity']} to "
        + _plural(d["recipients"], "recipient")
    ),
    Kind.MESSAGE_SCHEDULED: lambda d: (
        f"Pressed Send for message {d['entry_id']} as {d['identity']} to "
        + _plural(d["recipients"], "recipient")
        + f", to leave at {d['leaves_at']}"
    ),
    Kind.MESSAGE_TAKEN_BACK: lambda d: f"Took back message {d['entry_id']} before it was sent",
    Kind.MESSAGE_NOT_SENT: lambda d: (
        f"Message {d['entry_id']} could not be sent when its time came, and is a draft again"
    ),
    Kind.MESSAGE_MOVED: lambda d: f"Moved message {d['entry_id']} to {d['folder']}",
    Kind.MESSAGE_DELETED: lambda d: (
        f"Deleted message {d['entry_id']} for good"
        if d["for_good"]
        else f"Put message {d['entry_id']} in the trash"
    ),
    Kind.MESSAGES_EXPORTED: lambda d: (
        f"Exported {_plural(d['count'], 'message')} of " + f"{d['address']}{_because(d)}"
    ),
    Kind.MESSAGES_IMPORTED: lambda d: (
        f"Imported {_plural(d['count'], 'message')} for " + f"{d['address']}"
    ),
    Kind.ATTACHMENT_DOWNLOADED: lambda d: f"Downloaded an attachment of message {d['entry_id']}",
    Kind.MAILBOX_SEARCHED: lambda d: f"Searched the mailbox, {d['found']} found",
    Kind.MAILBOX_LISTED: lambda d: (
        f"Listed the mailbox {d['address']}, " + _plural(d["count"], "message") + _because(d)
    ),
    Kind.MAILLOG_SEARCHED: lambda d: f"Searched the mail log, {d['found']} found" + _because(d),
    Kind.DOMAIN_ADDED: lambda d: (
        f"Added the domain {d['domain']}, {d['mode']} mode"
        + (f", mail server {d['relay']}" if d["relay"] else "")
    ),
    Kind.DOMAIN_CHANGED: _changed("domain"),
    Kind.DOMAIN_ENABLED: lambda d: (
        f"Switched LiveArchive on for {d['domain']}"
        + (", for all its people" if d["all_users"] else ", for people added from now on")
    ),
    Kind.DOMAIN_DISABLED: lambda d: f"Switched LiveArchive off for {d['domain']}",
    Kind.DKIM_KEYS_MADE: lambda d: f"Made the DKIM keys {d['selector']} of {d['domain']}",
    Kind.DKIM_KEYS_REMOVED: lambda d: f"Removed the DKIM keys {d['selector']} of {d['domain']}",
    Kind.MAIL_UNSIGNED: lambda d: (
        f"ALARM: mail of {d['domain']} leaves without a DKIM signature, since its keys do not open"
    ),
    Kind.USER_ADDED: lambda d: f"Added {d['address']} as {d['role']}",
    Kind.USER_CHANGED: _changed("address"),
    Kind.USER_ENABLED: lambda d: f"Enabled {d['address']}",
    Kind.USER_DISABLED: lambda d: f"Disabled {d['address']}",
    Kind.PASSWORD_CHANGED: lambda d: "Changed the own password",
    Kind.PASSWORD_RESET: lambda d: f"Gave {d['address']} a new password",
    Kind.IDENTITY_ADDED: lambda d: (
        f"Gave {d['address']} the identity {d['identity']}"
        + (", with its mail" if d["receive"] else "")
    ),
    Kind.SIGNATURE_CHANGED: lambda d: f"Changed the signature of {d['identity']}",
    Kind.IDENTITY_REMOVED: lambda d: f"Took the identity {d['identity']} from {d['address']}",
    Kind.SENDING_LIMITED: lambda d: (
        f"ALARM: {d['address']} was kept from sending: a {d['of']} may write to "
        f"{d['most']} recipients in one {d['window']}"
    ),
    Kind.SETTING_CHANGED: lambda d: f"Changed the setting {d['setting']}",
    Kind.QUEUE_FLUSHED: lambda d: (
        f"Told {_plural(d['count'], 'waiting mail')} to go now"
        + (f", for {d['domain']}" if d["domain"] else "")
    ),
    Kind.QUEUE_HELD: lambda d: f"Held back the waiting mail {d['item_id']}",
    Kind.QUEUE_DROPPED: lambda d: f"Dropped the waiting mail {d['item_id']}",
    Kind.OUTAGE_STARTED: _outage,
    Kind.OUTAGE_CHANGED: _outage,
    Kind.OUTAGE_ENDED: _after("answers again"),
    Kind.OUTAGE_DECLARED: lambda d: (
        f"Opened an outage of {d['domain']}"
        + (", whose mail is kept back" if d["keeps_mail"] else "")
        + _because(d)
    ),
    Kind.OUTAGE_CLOSED: lambda d: f"Closed the outage of {d['domain']}" + _because(d),
    Kind.SERVER_SLOW: lambda d: f"The mail server of {d['domain']} answers slowly",
    Kind.SERVER_PROMPT: _after("answers as usual again"),
    Kind.WEBHOOK_SET: lambda d: f"Set a webhook at {d['host']} for {d['domain']}",
    Kind.WEBHOOK_REMOVED: lambda d: f"Removed the webhook at {d['host']} of {d['domain']}",
    Kind.WEBHOOK_OFF: lambda d: (
        f"ALARM: the webhook of {d['domain']} is off, since its secret does not open"
    ),
    Kind.AUDIT_EXPORTED: _exported,
    Kind.RETENTION_RAN: lambda d: (
        "Removed what was past its days: "
        + f"{_plural(d['messages'], 'message')}, {_plural(d['entries'], 'entry', 'entries')}"
    ),
    Kind.KEYS_DESTROYED: lambda d: f"Destroyed the keys of {d['day']}",
    Kind.KEYS_BACKED_UP: lambda d: "Copied the keyring to a file",
    Kind.KEYS_RESTORED: lambda d: "Put the keyring back from a file",
    Kind.KEYS_REWRAPPED: lambda d: f"Sealed the keyring with the provider {d['provider']}",
    Kind.KEYS_LOCKED: lambda d: (
        f"ALARM: the keyring cannot be opened, since the provider {d['provider']} does not answer"
    ),
    Kind.KEYS_UNLOCKED: lambda d: f"Opened the keyring with the provider {d['provider']} again",
    Kind.KEYS_OVERDUE: lambda d: (
        f"ALARM: the keys role is away, and mail can be taken until {d['last_day']} only"
    ),
    Kind.KEYS_FORGED: lambda d: (
        f"ALARM: a public key of {d['owner_id']} was changed in the database; its mail is refused"
    ),
    Kind.CLOCK_HELD: lambda d: (
        f"ALARM: the clock jumped to {d['clock']}; keys are destroyed as of {d['believed']}"
    ),
    Kind.CLOCK_CONFIRMED: lambda d: "Confirmed that the clock is right",
    Kind.BUCKET_UNFIT: lambda d: (
        f"ALARM: deleted mail would stay in the bucket {d['bucket']}, or come back"
    ),
    Kind.MAIL_UNREADABLE: lambda d: "ALARM: stored mail could not be read",
    Kind.HOLD_SEARCHED: lambda d: (
        f"Counted {_plural(d['count'], 'message')} of a search in {d['address']} for a legal hold"
        + _because(d)
    ),
    Kind.HOLD_PLACED: lambda d: (
        (
            f"Placed {_plural(d['count'], 'message')} of a search"
            + f" in {d['address']}" * bool(d["address"])
            if d["count"]
            else f"Placed {d['address']}"
        )
        + " under legal hold"
        + _because(d)
    ),
    Kind.HOLD_RELEASED: lambda d: f"Released the legal hold {d['hold_id']}" + _because(d),
    Kind.HELD_MAIL_OPENED: lambda d: (
        f"Opened message {d['entry_id']} under legal hold" + _because(d)
    ),
    Kind.JOURNAL_STARTED: lambda d: (
        f"Gave {d['domain']} a new address for journal reports"
        + (f", for {d['networks']}" if d["networks"] else "")
        + (f", for the login {d['login']}" if d["login"] else "")
    ),
    Kind.JOURNAL_STOPPED: lambda d: f"Ended the journal reports of {d['domain']}",
    Kind.JOURNAL_UNREAD: lambda d: (
        f"ALARM: a journal report of {d['domain']} is in quarantine: {d['doubt']}"
    ),
    Kind.SMTP_LOGGED_IN: lambda d: f"The mail server {d['login']} logged in",
    Kind.SMTP_LOGIN_FAILED: lambda d: (
        "A log-in by SMTP failed"
        + (f" as {d['login']}" if d["login"] else "")
        + ("; this network address has to wait" if d["must_wait"] else "")
    ),
    Kind.BACKUP_MADE: lambda d: "Made a backup",
    Kind.BACKUP_RESTORED: lambda d: "Restored a backup",
    Kind.STORE_CHECKED: lambda d: (
        f"Took out {_plural(d['taken_out'], 'message')} that cannot be read"
        if d["taken_out"]
        else f"Checked whether {_plural(d['entries'], 'message')} can be read"
    ),
}
