"""What an entry says, as a sentence for people. The actor stands beside it, not in it.

Sentences are plain text; whoever shows them escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.audit.canonical import AuditEntry
from app.audit.clauses import (
    Lenient,
    because,
    changed,
    checked,
    code_given,
    declared,
    domain_added,
    domain_enabled,
    exported,
    flushed,
    hold_placed,
    journal_started,
    lasted,
    logged_in,
    login_failed,
    number,
    outage,
    removed,
    smtp_login_failed,
    told_outside,
)
from app.audit.kinds import Kind
from app.phrase import Phrase, phrase, phrases

_REFUSED = {
    Kind.LOGIN_FAILED,
    Kind.ACCESS_REFUSED,
    Kind.SMTP_LOGIN_FAILED,
    Kind.LOCKED_FILE_REFUSED,
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
    return write(Lenient(entry.details))


_SENTENCES: Mapping[str, Callable[[Lenient], Phrase]] = {
    Kind.LOGGED_IN: logged_in,
    Kind.LOGIN_FAILED: login_failed,
    Kind.LOGGED_OUT: lambda d: phrase("Logged out"),
    Kind.SESSIONS_REVOKED: lambda d: phrases(
        "Ended %(num)s session of %(address)s",
        "Ended %(num)s sessions of %(address)s",
        number(d["count"]),
        address=d["address"],
    ),
    Kind.LOGIN_CONFIRMED: lambda d: phrase(
        "Proved the own identity again, by %(proof)s", proof=d["proof"]
    ),
    Kind.CODES_MADE: lambda d: phrases(
        "Made %(num)s one-time code for %(address)s",
        "Made %(num)s one-time codes for %(address)s",
        number(d["count"]),
        address=d["address"],
    ),
    Kind.CODES_REMOVED: lambda d: phrase(
        "Ended the one-time codes of %(address)s", address=d["address"]
    ),
    Kind.CODE_GIVEN: code_given,
    Kind.APP_ADDED: lambda d: phrase(
        "Set up an authenticator app for %(address)s", address=d["address"]
    ),
    Kind.APP_REMOVED: lambda d: phrase(
        "Removed the authenticator app of %(address)s", address=d["address"]
    ),
    Kind.PASSKEY_ADDED: lambda d: phrase("Added a passkey of %(address)s", address=d["address"]),
    Kind.PASSKEY_REMOVED: lambda d: phrase(
        "Removed a passkey of %(address)s", address=d["address"]
    ),
    Kind.METHODS_RESET: lambda d: phrase(
        "Removed all ways to log in of %(address)s but the password", address=d["address"]
    ),
    Kind.ACCESS_REFUSED: lambda d: phrase(
        "Was refused: %(permission)s", permission=d["permission"]
    ),
    Kind.MESSAGE_OPENED: lambda d: because(
        phrase("Opened message %(entry_id)s", entry_id=d["entry_id"]), d
    ),
    Kind.MESSAGE_DOWNLOADED: lambda d: because(
        phrase("Downloaded message %(entry_id)s", entry_id=d["entry_id"]), d
    ),
    Kind.MESSAGE_SENT: lambda d: phrases(
        "Sent message %(entry)s as %(identity)s to %(num)s recipient",
        "Sent message %(entry)s as %(identity)s to %(num)s recipients",
        number(d["recipients"]),
        entry=d["entry_id"],
        identity=d["identity"],
    ),
    Kind.MESSAGE_SCHEDULED: lambda d: phrases(
        "Pressed Send for message %(entry)s as %(identity)s to %(num)s recipient, "
        "to leave at %(at)s",
        "Pressed Send for message %(entry)s as %(identity)s to %(num)s recipients, "
        "to leave at %(at)s",
        number(d["recipients"]),
        entry=d["entry_id"],
        identity=d["identity"],
        at=d["leaves_at"],
    ),
    Kind.MESSAGE_TAKEN_BACK: lambda d: phrase(
        "Took back message %(entry_id)s before it was sent", entry_id=d["entry_id"]
    ),
    Kind.MESSAGE_NOT_SENT: lambda d: phrase(
        "Message %(entry_id)s could not be sent when its time came, and is a draft again",
        entry_id=d["entry_id"],
    ),
    Kind.MESSAGE_UNSUBSCRIBED: lambda d: phrase(
        "Asked %(host)s to end the mailing list of message %(entry_id)s",
        host=d["host"],
        entry_id=d["entry_id"],
    ),
    Kind.MESSAGE_MOVED: lambda d: phrase(
        "Moved message %(entry_id)s to %(folder)s", entry_id=d["entry_id"], folder=d["folder"]
    ),
    Kind.MESSAGE_DELETED: lambda d: (
        phrase("Deleted message %(entry_id)s for good", entry_id=d["entry_id"])
        if d["for_good"]
        else phrase("Put message %(entry_id)s in the trash", entry_id=d["entry_id"])
    ),
    Kind.MESSAGES_EXPORTED: lambda d: because(
        phrases(
            "Exported %(num)s message of %(address)s",
            "Exported %(num)s messages of %(address)s",
            number(d["count"]),
            address=d["address"],
        ),
        d,
    ),
    Kind.MESSAGES_IMPORTED: lambda d: phrases(
        "Imported %(num)s message for %(address)s",
        "Imported %(num)s messages for %(address)s",
        number(d["count"]),
        address=d["address"],
    ),
    Kind.ATTACHMENT_DOWNLOADED: lambda d: phrase(
        "Downloaded an attachment of message %(entry_id)s", entry_id=d["entry_id"]
    ),
    Kind.LOCKED_FILE_REFUSED: lambda d: phrase(
        "Asked for a file of message %(entry_id)s, which is locked: a virus was found in it",
        entry_id=d["entry_id"],
    ),
    Kind.MESSAGE_INFECTED: lambda d: phrase(
        "Found %(signature)s in message %(entry_id)s: its files are locked",
        signature=d["signature"],
        entry_id=d["entry_id"],
    ),
    Kind.MAILBOX_SEARCHED: lambda d: phrase(
        "Searched the mailbox, %(found)s found", found=d["found"]
    ),
    Kind.MAILBOX_LISTED: lambda d: because(
        phrases(
            "Listed the mailbox %(address)s, %(num)s message",
            "Listed the mailbox %(address)s, %(num)s messages",
            number(d["count"]),
            address=d["address"],
        ),
        d,
    ),
    Kind.MAILLOG_SEARCHED: lambda d: because(
        phrase("Searched the mail log, %(found)s found", found=d["found"]), d
    ),
    Kind.DOMAIN_ADDED: domain_added,
    Kind.DOMAIN_CHANGED: changed("domain"),
    Kind.DOMAIN_ENABLED: domain_enabled,
    Kind.DOMAIN_DISABLED: lambda d: phrase(
        "Switched LiveArchive off for %(domain)s", domain=d["domain"]
    ),
    Kind.DKIM_KEYS_MADE: lambda d: phrase(
        "Made the DKIM keys %(selector)s of %(domain)s", selector=d["selector"], domain=d["domain"]
    ),
    Kind.DKIM_KEYS_REMOVED: lambda d: phrase(
        "Removed the DKIM keys %(selector)s of %(domain)s",
        selector=d["selector"],
        domain=d["domain"],
    ),
    Kind.MAIL_UNSIGNED: lambda d: phrase(
        "ALARM: mail of %(domain)s leaves without a DKIM signature, since its keys do not open",
        domain=d["domain"],
    ),
    Kind.USER_ADDED: lambda d: phrase(
        "Added %(address)s as %(role)s", address=d["address"], role=d["role"]
    ),
    Kind.USER_CHANGED: changed("address"),
    Kind.USER_ENABLED: lambda d: phrase("Enabled %(address)s", address=d["address"]),
    Kind.USER_DISABLED: lambda d: phrase("Disabled %(address)s", address=d["address"]),
    Kind.PASSWORD_CHANGED: lambda d: phrase("Changed the own password"),
    Kind.PASSWORD_RESET: lambda d: phrase("Gave %(address)s a new password", address=d["address"]),
    Kind.IDENTITY_ADDED: lambda d: (
        phrase(
            "Gave %(address)s the identity %(identity)s, with its mail",
            address=d["address"],
            identity=d["identity"],
        )
        if d["receive"]
        else phrase(
            "Gave %(address)s the identity %(identity)s",
            address=d["address"],
            identity=d["identity"],
        )
    ),
    Kind.SIGNATURE_CHANGED: lambda d: phrase(
        "Changed the signature of %(identity)s", identity=d["identity"]
    ),
    Kind.IDENTITY_REMOVED: lambda d: phrase(
        "Took the identity %(identity)s from %(address)s",
        identity=d["identity"],
        address=d["address"],
    ),
    Kind.SENDING_LIMITED: lambda d: phrase(
        "ALARM: %(address)s was kept from sending: a %(of)s may write to "
        "%(most)s recipients in one %(window)s",
        address=d["address"],
        of=d["of"],
        most=d["most"],
        window=d["window"],
    ),
    Kind.SETTING_CHANGED: lambda d: phrase("Changed the setting %(setting)s", setting=d["setting"]),
    Kind.QUEUE_FLUSHED: flushed,
    Kind.QUEUE_HELD: lambda d: phrase(
        "Held back the waiting mail %(item_id)s", item_id=d["item_id"]
    ),
    Kind.QUEUE_DROPPED: lambda d: phrase(
        "Dropped the waiting mail %(item_id)s", item_id=d["item_id"]
    ),
    Kind.OUTAGE_STARTED: outage,
    Kind.OUTAGE_CHANGED: outage,
    Kind.OUTAGE_ENDED: lambda d: lasted(
        d, phrase("The mail server of %(domain)s answers again", domain=d["domain"])
    ),
    Kind.OUTAGE_DECLARED: declared,
    Kind.OUTAGE_CLOSED: lambda d: because(
        phrase("Closed the outage of %(domain)s", domain=d["domain"]), d
    ),
    Kind.SERVER_SLOW: lambda d: phrase(
        "The mail server of %(domain)s answers slowly", domain=d["domain"]
    ),
    Kind.SERVER_PROMPT: lambda d: lasted(
        d, phrase("The mail server of %(domain)s answers as usual again", domain=d["domain"])
    ),
    Kind.OUTSIDE_SET: lambda d: phrase(
        "Gave an address outside for %(address)s, to be confirmed", address=d["address"]
    ),
    Kind.OUTSIDE_CONFIRMED: lambda d: phrase(
        "Confirmed the address outside of %(address)s", address=d["address"]
    ),
    Kind.OUTSIDE_REMOVED: lambda d: phrase(
        "Removed the address outside of %(address)s", address=d["address"]
    ),
    Kind.OUTSIDE_TOLD: told_outside,
    Kind.WEBHOOK_SET: lambda d: phrase(
        "Set a webhook at %(host)s for %(domain)s", host=d["host"], domain=d["domain"]
    ),
    Kind.WEBHOOK_REMOVED: lambda d: phrase(
        "Removed the webhook at %(host)s of %(domain)s", host=d["host"], domain=d["domain"]
    ),
    Kind.WEBHOOK_OFF: lambda d: phrase(
        "ALARM: the webhook of %(domain)s is off, since its secret does not open",
        domain=d["domain"],
    ),
    Kind.IMAP_SET: lambda d: phrase(
        "Set %(host)s as the IMAP server of %(domain)s, with the master user %(master)s",
        host=d["host"],
        domain=d["domain"],
        master=d["master"],
    ),
    Kind.IMAP_OPENED: lambda d: phrase(
        "Tried the IMAP server of %(domain)s as %(mailbox)s",
        domain=d["domain"],
        mailbox=d["mailbox"],
    ),
    Kind.IMAP_REMOVED: lambda d: phrase(
        "Removed the IMAP server of %(domain)s", domain=d["domain"]
    ),
    Kind.IMAP_REFUSED: lambda d: phrase(
        "ALARM: the IMAP server of %(domain)s refuses to open mailboxes", domain=d["domain"]
    ),
    Kind.AUDIT_EXPORTED: exported,
    Kind.RETENTION_RAN: removed,
    Kind.KEYS_DESTROYED: lambda d: phrase("Destroyed the keys of %(day)s", day=d["day"]),
    Kind.KEYS_BACKED_UP: lambda d: phrase("Copied the keyring to a file"),
    Kind.KEYS_RESTORED: lambda d: phrase("Put the keyring back from a file"),
    Kind.KEYS_REWRAPPED: lambda d: phrase(
        "Sealed the keyring with the provider %(provider)s", provider=d["provider"]
    ),
    Kind.KEYS_LOCKED: lambda d: phrase(
        "ALARM: the keyring cannot be opened, since the provider %(provider)s does not answer",
        provider=d["provider"],
    ),
    Kind.KEYS_UNLOCKED: lambda d: phrase(
        "Opened the keyring with the provider %(provider)s again", provider=d["provider"]
    ),
    Kind.KEYS_OVERDUE: lambda d: phrase(
        "ALARM: the keys role is away, and mail can be taken until %(last_day)s only",
        last_day=d["last_day"],
    ),
    Kind.KEYS_FORGED: lambda d: phrase(
        "ALARM: a public key of %(owner_id)s was changed in the database; its mail is refused",
        owner_id=d["owner_id"],
    ),
    Kind.CLOCK_HELD: lambda d: phrase(
        "ALARM: the clock jumped to %(clock)s; keys are destroyed as of %(believed)s",
        clock=d["clock"],
        believed=d["believed"],
    ),
    Kind.CLOCK_CONFIRMED: lambda d: phrase("Confirmed that the clock is right"),
    Kind.BUCKET_UNFIT: lambda d: phrase(
        "ALARM: deleted mail would stay in the bucket %(bucket)s, or come back", bucket=d["bucket"]
    ),
    Kind.MAIL_UNREADABLE: lambda d: phrase("ALARM: stored mail could not be read"),
    Kind.SCANNER_SILENT: lambda d: phrase("ALARM: the virus scanner does not answer"),
    Kind.SCANNER_ANSWERS: lambda d: phrase("The virus scanner answers again"),
    Kind.HOLD_SEARCHED: lambda d: because(
        phrases(
            "Counted %(num)s message of a search in %(address)s for a legal hold",
            "Counted %(num)s messages of a search in %(address)s for a legal hold",
            number(d["count"]),
            address=d["address"],
        ),
        d,
    ),
    Kind.HOLD_PLACED: hold_placed,
    Kind.HOLD_RELEASED: lambda d: because(
        phrase("Released the legal hold %(hold_id)s", hold_id=d["hold_id"]), d
    ),
    Kind.HELD_MAIL_OPENED: lambda d: because(
        phrase("Opened message %(entry_id)s under legal hold", entry_id=d["entry_id"]), d
    ),
    Kind.JOURNAL_STARTED: journal_started,
    Kind.JOURNAL_STOPPED: lambda d: phrase(
        "Ended the journal reports of %(domain)s", domain=d["domain"]
    ),
    Kind.JOURNAL_UNREAD: lambda d: phrase(
        "ALARM: a journal report of %(domain)s is in quarantine: %(doubt)s",
        domain=d["domain"],
        doubt=d["doubt"],
    ),
    Kind.SMTP_LOGGED_IN: lambda d: phrase("The mail server %(login)s logged in", login=d["login"]),
    Kind.SMTP_LOGIN_FAILED: smtp_login_failed,
    Kind.CERTIFICATE_ISSUED: lambda d: phrase(
        "Got a TLS certificate for %(names)s, valid until %(valid_until)s",
        names=d["names"],
        valid_until=d["valid_until"],
    ),
    Kind.CERTIFICATE_FAILED: lambda d: phrase(
        "ALARM: no new TLS certificate for %(names)s came: %(trouble)s",
        names=d["names"],
        trouble=d["trouble"],
    ),
    Kind.BACKUP_MADE: lambda d: phrase("Made a backup"),
    Kind.BACKUP_RESTORED: lambda d: phrase("Restored a backup"),
    Kind.STORE_CHECKED: checked,
}
