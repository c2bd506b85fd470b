"""How LiveArchive reaches the mailboxes of a domain on its primary, and what it may do there.

One log-in opens every mailbox of the domain: a master user, who says as whom he comes. It never
goes over the network in clear, but within this machine. Use cases take the open transaction.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from app.accounts.domains import Mode
from app.accounts.errors import Invalid
from app.accounts.permissions import Permission, require
from app.audit import record
from app.audit.events import ImapRemoved
from app.models import HOST_LENGTH, NAME_LENGTH, Domain, ImapAccess
from app.viewer import Actor, Viewer

_LOCALHOST = "localhost"


class Tls(StrEnum):
    """How the connection is protected. Certificate and name are always checked."""

    IMPLICIT = "implicit"  # from the first octet, port 993 (RFC 8314)
    STARTTLS = "starttls"
    NONE = "none"  # to this machine only


class Login(StrEnum):
    """How a master user says whose mailbox is meant."""

    PLAIN = "plain"  # the authorization identity of SASL PLAIN (RFC 4616)
    STAR = "star"  # LOGIN as mailbox*master, which Dovecot can be set to take


class Names(StrEnum):
    """What the primary calls a mailbox."""

    ADDRESS = "address"
    LOCAL = "local"  # what stands before the at sign


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be set, as an administrator gave it. An empty `sent_folder`: the one that the
    server calls \\Sent (RFC 6154).
    """

    host: str
    port: int
    tls: Tls
    master: str
    login: Login
    names: Names
    sent_folder: str = ""


def check(wish: Wish) -> None:
    """Raise Invalid for what can only be a mistake, or would send the password in clear."""
    for name, text, longest in (
        ("host", wish.host, HOST_LENGTH),
        ("master", wish.master, NAME_LENGTH),
        ("sent-folder", wish.sent_folder, NAME_LENGTH),
    ):
        if not text.isprintable() or len(text) > longest or text != text.strip():
            raise Invalid(name, f"{name}: one line of at most {longest} characters")
    if not wish.host or not wish.master:
        raise Invalid("host", "give --host and --master")
    if not 0 < wish.port < 65536:
        raise Invalid("port", "port: expected 1 to 65535")
    if wish.tls is Tls.NONE and not _is_loopback(wish.host):
        raise Invalid("tls", "without TLS the server must be on this machine (127.0.0.1 or ::1)")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == _LOCALHOST


def remove(tx: Session, who: Viewer | Actor, domain: Domain, now: datetime) -> None:
    """Reach the mailboxes no more."""
    actor = require(who, Permission.ROUTE_DOMAIN, domain.id)
    access = tx.get(ImapAccess, domain.id)
    if access is None:
        raise Invalid("host", "no IMAP server is set")
    tx.delete(access)
    record(tx, ImapRemoved(domain=domain.name), trail=domain.id, actor=actor, at=now)


def wants_copies(tx: Session, domain: Domain) -> bool:
    """Whether what people of the domain send goes to their own mailbox on the primary, too.

    By SMTP it arrives there as one more mail, which people may not expect: only when asked for.
    """
    if domain.sent_copies == "off":
        return False
    by_smtp = domain.sent_copies == "smtp" and domain.mode == Mode.RELAY
    return by_smtp or tx.get(ImapAccess, domain.id) is not None
