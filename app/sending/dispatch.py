"""Who gets what of a sent message: copies in mailboxes here, the mailbag, the outside. Pure.

- A person with a mailbox here gets a copy at once; in relay mode the domain's primary is
  handed the mail, too, as if it had come in by SMTP.
- Somebody of a domain of ours in relay mode without a mailbox here: the primary only.
- The sender's own mailbox on the primary: a copy, if the domain wants that.
- Everybody else, people of domains in copy mode included: the outside, as any mail. (The
  customer's server then sends its copy back to us: such a person has it twice.)

The sender's copy in Sent names the identity as its recipient, so that an answer to it is
written as the same identity. Each domain has a unit of its own, since a message is sealed
for one tenant; and so has what a sender writes to the own address, or one mailbox would
have two entries of one message.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from app.accounts.routing import Disposition, Route
from app.delivery.queue import OUTGOING, PRIMARY, SENT
from archive_store.envelope import Envelope
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming, Relay


@dataclass(frozen=True, slots=True)
class Recipient:
    """One envelope recipient, and where mail to it goes."""

    address: str
    route: Route

    @property
    def is_here(self) -> bool:
        """Whether the person reads it here at once."""
        return self.route.disposition is Disposition.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message on the point of being sent."""

    tenant_id: bytes
    mailbox_id: bytes
    mail_from: str
    octets: bytes
    recipients: tuple[Recipient, ...]
    now: datetime
    log: LogEntry  # its recipients are set here
    smtputf8: bool = False
    own_mailbox: str = ""  # on the sender's primary, that gets a copy


@dataclass(slots=True)
class _Part:
    """What one tenant gets. Nobody gets a mail twice in one mailbox."""

    copies: dict[bytes, Copy] = field(default_factory=dict)
    relays: list[Relay] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    def keep(self, mailbox_id: bytes, envelope: Envelope) -> None:
        self.copies.setdefault(mailbox_id, Copy(mailbox_id, envelope))
        self._note(envelope)

    def hand_on(self, mailbox_id: bytes, envelope: Envelope) -> None:
        """`mailbox_id`: whose entry shows what becomes of it, if that is of this part."""
        shown_in = mailbox_id if mailbox_id in self.copies else None
        self.relays.append(Relay(PRIMARY, envelope, mailbox_id=shown_in))
        self._note(envelope)

    def _note(self, envelope: Envelope) -> None:
        if envelope.rcpt_to not in self.recipients:
            self.recipients.append(envelope.rcpt_to)


def as_unit(sent: Sent) -> list[Incoming]:
    """What is stored, all or nothing. The first entry of the first part is the copy in Sent."""
    own = _envelope(sent, sent.mail_from)
    home = _Part({sent.mailbox_id: Copy(sent.mailbox_id, own, folder="sent", seen=True)})
    home.recipients = [one.address for one in sent.recipients]
    if sent.own_mailbox:
        # No report of this one ever: hence nobody as its sender.
        to_own = replace(_envelope(sent, sent.own_mailbox), mail_from="")
        home.relays.append(Relay(SENT, to_own, mailbox_id=sent.mailbox_id))
    to_self = _Part()
    parts = {sent.tenant_id: home}
    for one in sent.recipients:
        route, envelope = one.route, _envelope(sent, one.address)
        kept_in = None
        if one.is_here and route.mailbox_id is not None:
            mine = route.mailbox_id == sent.mailbox_id
            kept_in = to_self if mine else _part(parts, route.tenant_id, sent)
            kept_in.keep(route.mailbox_id, envelope)
        if not route.hands_on:
            # Whatever becomes of it shows at the copy in Sent.
            home.relays.append(Relay(OUTGOING, envelope, mailbox_id=sent.mailbox_id))
            continue
        part = _part(parts, route.domain_id, sent)
        if kept_in is to_self and part is home:
            part = to_self
        part.hand_on(route.mailbox_id or sent.mailbox_id, envelope)
    unit = [_incoming(sent, tenant, part, is_home=part is home) for tenant, part in parts.items()]
    if to_self.copies:
        unit.append(_incoming(sent, sent.tenant_id, to_self, is_home=False))
    return unit


def _part(parts: dict[bytes, _Part], tenant_id: bytes | None, sent: Sent) -> _Part:
    return parts.setdefault(tenant_id or sent.tenant_id, _Part())


def _envelope(sent: Sent, recipient: str) -> Envelope:
    return Envelope(sent.mail_from, recipient, protocol="web", smtputf8=sent.smtputf8)


def _incoming(sent: Sent, tenant_id: bytes, part: _Part, *, is_home: bool) -> Incoming:
    log = replace(
        sent.log,
        # The sender's log says that it was sent, everybody else's that it came in.
        event="sent" if is_home else "received",
        recipients=tuple(part.recipients),
        size=len(sent.octets),
    )
    return Incoming(
        tenant_id, sent.octets, sent.now, tuple(part.copies.values()), tuple(part.relays), log
    )
