"""One IMAP session with one mailbox of the primary (RFC 9051; servers of RFC 3501 do as well).

Synchronous, for a thread of its own, and for so long and no longer: a server that drips octets
never runs into the time-out of a single read. Every failure is an ImapTrouble in our own words: a
server's may quote a mailbox or a mail. No session outlives its work, so no number of the server is
kept, and a new UIDVALIDITY changes nothing: a mail is always found by its Message-ID.
"""

import contextlib
import imaplib
import os
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

import imapclient
from imapclient.exceptions import LoginError

from app.models import ImapAccess
from app.secret import Secret
from app.wayback.access import Login, Names, Tls

TIMEOUT = 60.0  # seconds without an octet from the server
LIMIT = 120.0  # seconds for a whole session, beside the mail itself
SLOWEST = 32 * 1024  # octets of a mail in a second
_SENT = rb"\Sent"
_SENT_NAME = "Sent"
_NOT_NOW = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\]", re.IGNORECASE)
_NO_ROOM = re.compile(r"\[OVERQUOTA\]|quota", re.IGNORECASE)
_CODE = re.compile(r"\[([A-Z-]{2,20})[\] ]")
# INTERNALDATE has the server's own zone in some servers' SINCE, and clocks differ.
_MARGIN = timedelta(days=2)


class ImapTrouble(Exception):
    """What stands against it; the text is one line without a word of the server's."""


class LoginRefused(ImapTrouble):
    """The server knows the master user, or this mailbox, not."""


class NoRoom(ImapTrouble):
    """The mailbox is full."""


class ServerAway(ImapTrouble):
    """It cannot be reached, cannot be trusted, or said nothing more."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: without an octet, and for all that is done in one session."""

    silence: float = TIMEOUT
    whole: float = LIMIT

    def for_mail(self, octets: int) -> "Patience":
        """The same for a session that stores a mail of so many octets."""
        return Patience(self.silence, self.whole + octets / SLOWEST)


@contextlib.contextmanager
def mailbox(
    access: ImapAccess,
    address: str,
    password: Secret,
    tls: ssl.SSLContext,
    patience: Patience,
) -> Iterator["Mailbox"]:
    """A session as the owner of `address`. Raises ImapTrouble."""
    client = None
    with _Watch(patience.whole) as watch:
        try:
            with _told():
                client = _connect(access, tls, patience.silence, watch)
                _log_in(client, access, address, password)
                box = Mailbox(client, access.sent_folder)
            yield box
        except ServerAway:
            if watch.cut:
                raise ServerAway("it took too long") from None
            raise
        finally:
            if client is not None:
                # No LOGOUT: whoever is away would keep us waiting, and nothing hangs on it.
                with contextlib.suppress(OSError, imaplib.IMAP4.error):
                    client.shutdown()


class _Watch:
    """Cuts a connection after so many seconds, whatever is being read or written."""

    def __init__(self, seconds: float) -> None:
        self.cut = False
        self._lock = threading.Lock()
        self._end: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            if self._end is not None:
                self._end.close()
            self._end = None

    def over(self, connection: socket.socket) -> None:
        """Watch a connection, also when TLS takes its socket over."""
        with self._lock:
            self._end = socket.socket(fileno=os.dup(connection.fileno()))
        if self.cut:  # it took all the time to connect
            self._cut()

    def _cut(self) -> None:
        self.cut = True
        with self._lock, contextlib.suppress(OSError):
            if self._end is not None:
                self._end.shutdown(socket.SHUT_RDWR)


class Mailbox:
    """An open session. Each verb raises ImapTrouble."""

    def __init__(self, client: Any, sent_folder: str) -> None:
        self._client = client
        self._sent_folder = sent_folder

    def folders(self) -> list[str]:
        """The names of all folders."""
        with _told():
            return [str(name) for _, _, name in self._client.list_folders()]

    def sent_folder(self) -> str:
        """The name of the Sent folder: as set, or \\Sent, or "Sent"; it need not be there yet."""
        return self._sent_folder or self._special(_SENT) or self._prefix() + _SENT_NAME

    def make(self, folder: str) -> bool:
        """Make a folder that is not there, and subscribe to it; True when it was made."""
        with _told():
            if self._client.folder_exists(folder):
                return False
            self._client.create_folder(folder)
            self._client.subscribe_folder(folder)
        return True

    def look(self, folder: str, message_id: str, since: datetime | None = None) -> list[int]:
        """The UIDs of messages in a folder with a Message-ID, stored there since about then."""
        criteria: list[Any] = ["HEADER", "Message-ID", message_id]
        if since is not None:
            criteria += ["SINCE", (since - _MARGIN).date()]
        with _told():
            self._client.select_folder(folder, readonly=True)
            return list(self._client.search(criteria))

    def append(self, folder: str, octets: bytes, at: datetime) -> None:
        """Store a mail as read, with the time at which it was sent."""
        with _told():
            self._client.append(folder, octets, (imapclient.SEEN,), at)

    def _special(self, use: bytes) -> str | None:
        with _told():
            for flags, _, name in self._client.list_folders():
                if use.lower() in (bytes(flag).lower() for flag in flags):
                    return str(name)
        return None

    def _prefix(self) -> str:
        """What the names of a person's own folders begin with, such as `INBOX.`."""
        with _told():
            if not self._client.has_capability("NAMESPACE"):
                return ""
            personal = self._client.namespace().personal
        return str(personal[0][0]) if personal else ""


class _Client(imapclient.IMAPClient):  # type: ignore[misc] # it has no types
    """The library's client over a connection that is watched from its first octet."""

    def __init__(self, access: ImapAccess, wire: "_Wire", silence: float) -> None:
        self._wire = wire
        super().__init__(access.host, port=access.port, ssl=False, timeout=silence)

    def _create_IMAP4(self) -> "_Wire":
        self._wire.begin(self.host, self.port)
        return self._wire


class _Wire(imaplib.IMAP4):
    """As the classes of imapclient are made; the greeting is read only when it begins."""

    def __init__(self, tls: ssl.SSLContext | None, silence: float, watch: _Watch) -> None:
        self._tls = tls
        self._silence = silence
        self._watch = watch

    def begin(self, host: str, port: int) -> None:
        """Connect, and hear the greeting."""
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), timeout or self._silence)
        self._watch.over(plain)
        if self._tls is None:
            return plain
        return self._tls.wrap_socket(plain, server_hostname=self.host)


def _connect(access: ImapAccess, tls: ssl.SSLContext, silence: float, watch: _Watch) -> Any:
    implicit = access.tls == Tls.IMPLICIT
    client = _Client(access, _Wire(tls if implicit else None, silence, watch), silence)
    if access.tls == Tls.STARTTLS:
        try:
            client.starttls(tls)
        except BaseException:
            client.shutdown()
            raise
    return client


def _log_in(client: Any, access: ImapAccess, address: str, password: Secret) -> None:
    name = address.rpartition("@")[0] if access.names == Names.LOCAL else address
    if access.login == Login.PLAIN:
        client.plain_login(access.master, password.reveal(), name)
        return
    try:
        client.login(f"{name}*{access.master}", password.reveal())
    except UnicodeEncodeError:  # the strings of RFC 3501
        raise LoginRefused("its LOGIN takes ASCII only: see --login plain") from None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn whatever imapclient raises into our own words."""
    try:
        yield
    except LoginError as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):  # it hung up, and refused nobody
            raise ServerAway("the connection failed at the log-in") from None
        if _NOT_NOW.search(str(error)):
            raise ServerAway("it takes no log-ins now") from None
        raise LoginRefused("it refuses the log-in as the owner of this mailbox") from None
    except UnicodeError:
        raise ImapTrouble("what it was asked, or its answer, is not ASCII") from None
    except ssl.SSLCertVerificationError:
        raise ServerAway("its certificate is not valid for its name") from None
    except TimeoutError:
        raise ServerAway("it said nothing for too long") from None
    except (imaplib.IMAP4.abort, OSError) as error:
        raise ServerAway(f"the connection failed ({type(error).__name__})") from None
    except imaplib.IMAP4.error as error:
        if _NO_ROOM.search(str(error)):
            raise NoRoom("the mailbox has no room") from None
        code = _CODE.search(str(error))
        said = f"it answered NO with the code {code[1]}" if code else "it answered NO or BAD"
        raise ImapTrouble(said) from None
