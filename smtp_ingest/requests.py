"""What a session cannot do by itself, and asks of whoever drives it."""

from dataclasses import dataclass
from typing import TypeAlias

from smtp_ingest.auth import Credentials
from smtp_ingest.ports import AcceptedRecipient, ReceivedMail, SessionFacts
from smtp_ingest.replies import Reply


@dataclass(frozen=True, slots=True)
class AskRecipient:
    """Have the door judge it; answer with `Session.recipient_judged`."""

    recipient: AcceptedRecipient  # if the door agrees
    facts: SessionFacts


@dataclass(frozen=True, slots=True)
class AskMail:
    """Have the door take it; answer with `Session.mail_accepted`."""

    mail: ReceivedMail
    replies_due: int  # 1; with LMTP one per recipient


@dataclass(frozen=True, slots=True)
class AskLogin:
    """Have name and password checked; answer with `Session.login_judged`."""

    credentials: Credentials
    client_ip: str


@dataclass(frozen=True, slots=True)
class StartTls:
    """Send the output, shake hands, and answer with `Session.tls_started`."""


@dataclass(frozen=True, slots=True)
class Close:
    """Send the output and close the connection: the session is over. `reply` is in the output."""

    reply: Reply


Request: TypeAlias = AskRecipient | AskMail | AskLogin | StartTls | Close
