"""From what was typed to a letter and the ways it takes; BadDraft says what stands against it.

Asked twice of what is sent later: when Send is pressed, so that a mistake is said beside its
field, and when its time comes, since people and domains may have changed meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.domains import Mode
from app.accounts.routing import Disposition, resolve
from app.models import Domain, Identity, User
from app.phrase import phrase
from app.sending import quoting
from app.sending.addressees import Addressee, BadList, read_list
from app.sending.compose import LARGEST_LETTER, File, Letter, compose
from app.sending.dispatch import Recipient, Sent
from app.sending.draft_mail import Thread
from app.sending.headers import address_field, text_value
from app.views import BadDraft, DraftField, Outgoing
from app.wayback.access import wants_copies
from archive_store.address import EmailAddress
from archive_store.maillog import LogEntry

MOST_RECIPIENTS = 100
TOO_LONG = phrase(
    "The text is too long to be sent: its end is missing. Put a part of it into a file."
)
TOO_LARGE = phrase("A message may be 25 MB with its attachments. Take a file out.")
NOBODY = phrase("Say to whom: an address, such as hanna@example.com.")


@dataclass(frozen=True, slots=True)
class Typed:
    """The recipients of the form; `everybody` has each address once, with its field."""

    to: tuple[Addressee, ...]
    cc: tuple[Addressee, ...]
    everybody: tuple[tuple[DraftField, Addressee], ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter with its recipients and the ways to them."""

    letter: Letter
    typed: Typed
    recipients: tuple[Recipient, ...]
    own_mailbox: str = ""  # on the sender's primary, that gets a copy

    def sent(self, tenant_id: bytes, mailbox_id: bytes) -> Sent:
        """The letter on the point of being sent from a mailbox."""
        letter = self.letter
        people = [one for _, one in self.typed.everybody]
        return Sent(
            tenant_id=tenant_id,
            mailbox_id=mailbox_id,
            mail_from=letter.sender.wire,
            octets=compose(letter),
            recipients=self.recipients,
            now=letter.date,
            log=_log_entry(letter),
            smtputf8=letter.needs_smtputf8 or any(one.needs_smtputf8 for one in people),
            own_mailbox=self.own_mailbox,
        )


def post(tx: Session, form: Outgoing, identity: Identity, thread: Thread, date: datetime) -> Posted:
    """The letter of a form whose `attachments` are all of its files."""
    typed = read_recipients(form)
    letter = _letter(form, identity, typed, thread, date)
    recipients = tuple(_routed(tx, where, one) for where, one in typed.everybody)
    return Posted(letter, typed, recipients, _own_mailbox(tx, identity))


def read_recipients(form: Outgoing) -> Typed:
    """Whom it goes to."""
    fields: tuple[tuple[DraftField, str], ...] = (
        ("to", form.to),
        ("cc", form.cc),
        ("bcc", form.bcc),
    )
    lists: dict[DraftField, tuple[Addressee, ...]] = {}
    everybody: dict[str, tuple[DraftField, Addressee]] = {}
    for name, text in fields:
        try:
            lists[name] = read_list(text)
        except BadList as error:
            raise BadDraft(name, error.message) from None
        for one in lists[name]:
            everybody.setdefault(one.address.key, (name, one))
    if not everybody:
        raise BadDraft("to", NOBODY)
    if len(everybody) > MOST_RECIPIENTS:
        raise BadDraft(
            "to", phrase("A message has at most %(most)s recipients.", most=MOST_RECIPIENTS)
        )
    return Typed(lists["to"], lists["cc"], tuple(everybody.values()))


def sender_of(identity: Identity) -> Addressee:
    """The identity as a sender."""
    return Addressee(identity.display_name, EmailAddress.parse(identity.address))


def _letter(
    form: Outgoing, identity: Identity, typed: Typed, thread: Thread, date: datetime
) -> Letter:
    if len(form.subject) > quoting.LONGEST_SUBJECT:
        longest = quoting.LONGEST_SUBJECT
        raise BadDraft(
            "subject", phrase("A subject has at most %(most)s characters.", most=longest)
        )
    if form.rich and not form.rich.whole:
        raise BadDraft("message", TOO_LONG)
    letter = Letter(
        sender=sender_of(identity),
        to=typed.to,
        cc=typed.cc,
        subject=form.subject,
        text=form.text,
        html=form.rich.html if form.rich else "",
        date=date,
        message_id=thread.message_id,
        in_reply_to=thread.in_reply_to,
        references=thread.references,
        files=tuple(File(*file) for file in form.attachments),
    )
    if letter.size > LARGEST_LETTER:
        raise BadDraft("attachments", TOO_LARGE)
    return letter


def _own_mailbox(tx: Session, identity: Identity) -> str:
    user = tx.get_one(User, identity.user_id)
    domain = tx.get(Domain, user.domain_id) if user.domain_id else None
    return user.address if domain is not None and wants_copies(tx, domain) else ""


def _routed(tx: Session, where: DraftField, one: Addressee) -> Recipient:
    route = resolve(tx, one.address)
    domain = tx.get(Domain, route.domain_id) if route.domain_id else None
    unknown = route.disposition is Disposition.REJECT_UNKNOWN
    # In copy mode others of the domain are people whom only its own server knows.
    if unknown and domain is not None and domain.mode == Mode.RELAY:
        message = phrase(
            "Nobody at %(domain)s has the address %(address)s.",
            domain=route.domain_name,
            address=one.wire,
        )
        raise BadDraft(where, message)
    return Recipient(one.wire, route)


def _log_entry(letter: Letter) -> LogEntry:
    sender = address_field("From", [letter.sender]).decode().replace("\r\n", "")
    return LogEntry(
        event="sent",
        mail_from=letter.sender.wire,
        subject=text_value(letter.subject),
        header_from=sender.partition(": ")[2],
        message_id=letter.message_id,
    )
