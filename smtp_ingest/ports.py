"""What this package hands on, and the one port that it hands it to.

`MailDoor` is implemented above, by whoever knows people and stores. An exception out of it is
answered 451: trouble of ours never makes a sender give up.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from archive_store.address import EmailAddress
from smtp_ingest.auth import Credentials
from smtp_ingest.commands import AcceptedRecipient as AcceptedRecipient
from smtp_ingest.forwarding import Origin
from smtp_ingest.replies import Reply


class Transmission(StrEnum):
    """How the client greeted; the base of the Received line's "with" (RFC 3848)."""

    SMTP = "SMTP"
    ESMTP = "ESMTP"
    LMTP = "LMTP"


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What a session negotiated, in OpenSSL's words: "TLSv1.3", "TLS_AES_256_GCM_SHA384"."""

    version: str
    cipher: str


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One client as we see it. Only `client_ip` and `client_port` are more than its word.

    They may be a listed proxy's word (PROXY, XCLIENT).
    """

    helo: str
    client_ip: str
    client_port: int
    transmission: Transmission
    tls: TlsFacts | None = None
    login: str = ""  # the name that the client proved to have (AUTH)


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One transaction whose data has arrived whole and passed this package's own checks."""

    mail_from: str  # empty: the null sender, this is a bounce (RFC 5321 section 4.5.5)
    recipients: tuple[AcceptedRecipient, ...]
    octets: bytes  # exactly as sent, after dot-unstuffing
    session: SessionFacts
    smtputf8: bool = False
    body8bit: bool = False
    bare_newlines: bool = False  # has bare CR, bare LF or NUL: normalise before relaying
    ret: str = ""  # RFC 3461
    envid: str = ""
    origin: Origin | None = None  # as a listed server told by XFORWARD

    @property
    def protocol(self) -> str:
        """The keyword for "with" in a Received line: ESMTP, LMTPS, ESMTPSA... (RFC 3848, 6531)."""
        if self.session.transmission is Transmission.SMTP:
            return "SMTP"
        base = "LMTP" if self.session.transmission is Transmission.LMTP else "SMTP"
        prefix = "UTF8" if self.smtputf8 else "" if base == "LMTP" else "E"
        suffix = f"{'S' if self.session.tls else ''}{'A' if self.session.login else ''}"
        return f"{prefix}{base}{suffix}"


# None accepts the recipient; a Reply (4xx or 5xx) refuses it.
RcptVerdict: TypeAlias = Reply | None


class MailDoor(Protocol):
    """Where recipients are judged and mail is taken. Called on the event loop: never block."""

    def rcpt(
        self, address: EmailAddress, session: SessionFacts
    ) -> RcptVerdict | Awaitable[RcptVerdict]:
        """Judge one recipient.

        Both `def` (from memory: the fast way, answered within the same packet) and `async def`
        (needs I/O) implement it.
        """

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        """Take the mail; return only when what the replies say is true.

        A 250 means durable. One reply for SMTP; for LMTP one per recipient, in their order.
        Runs to its end even when the client is gone by then.
        """
        ...


class LoginCheck(Protocol):
    """Whether a name and a password belong together."""

    async def check(self, credentials: Credentials, client_ip: str) -> bool | None:
        """None: it cannot be checked now, or this client has tried too often."""
        ...
