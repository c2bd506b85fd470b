"""Command lines into values (RFC 5321 sections 2.4, 4.1.1 and 4.1.2). No I/O, no state.

Strict where a laxer reading would let two programs see two different things (addresses, control
characters, parameters); lenient with what common senders get wrong and nobody can misread: a
blank after "FROM:" or "TO:", blanks at the end of a line. Whatever is wrong raises Refused with
the reply to give.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from archive_store.address import BadAddress, EmailAddress
from smtp_ingest import replies
from smtp_ingest.dsn_parameters import read_envid, read_notify, read_orcpt, read_ret
from smtp_ingest.replies import Reply

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PATH = r'<((?:[^<>"\\ ]|"(?:[^"\\]|\\.)*")*)>'
_FROM = re.compile(rf"FROM: ?{_PATH}(?: (.*))?", re.IGNORECASE)
_TO = re.compile(rf"TO: ?{_PATH}(?: (.*))?", re.IGNORECASE)
# A source route is taken and ignored (RFC 5321 section 3.6.1, appendix C).
_ROUTE = re.compile(r"@[A-Za-z0-9.-]+(?:,@[A-Za-z0-9.-]+)*:")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\x80-\U0010ffff]+))?")
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 section 3
_DSN_OF_MAIL = {"RET": read_ret, "ENVID": read_envid}
_DSN_OF_RCPT = {"NOTIFY": read_notify, "ORCPT": read_orcpt}
_GREETING = re.compile(r"[!-~]{1,255}")


class Refused(Exception):
    """The command is answered with `reply` and changes nothing."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Command:
    """A command line: the verb in upper case, and the rest without blanks around it."""

    verb: str
    argument: str

    @classmethod
    def parse(cls, line: bytes) -> Self:
        """Read a line that has lost its CR LF."""
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(replies.BAD_LINE) from None
        if _CONTROL.search(text):
            raise Refused(replies.BAD_LINE)
        verb, _, argument = text.partition(" ")
        return cls(verb.upper(), argument.strip(" "))


@dataclass(frozen=True, slots=True)
class MailCommand:
    """MAIL FROM with the parameters of RFC 1870, RFC 6152, RFC 6531 and RFC 3461."""

    sender: str  # as written; empty: the null sender
    size: int = 0  # as announced; 0: not announced
    body8bit: bool = False
    smtputf8: bool = False
    ret: str = ""  # FULL, HDRS, or not given
    envid: str = ""  # in xtext


@dataclass(frozen=True, slots=True)
class AcceptedRecipient:
    """A recipient that is accepted once the door agrees; `text` is the mailbox as written."""

    address: EmailAddress
    text: str
    notify: str = ""  # the parameters of RFC 3461, as `dsn_parameters` gives them
    orcpt: str = ""


def parse_greeting(argument: str) -> str:
    """The client's name, as it gave it: many a good client knows none that is a domain."""
    if not _GREETING.fullmatch(argument):
        raise Refused(replies.BAD_ARGUMENT)
    return argument


def parse_mail(argument: str, *, auth: bool = False) -> MailCommand:
    """Read what follows MAIL; with `auth`, AUTH= may be there and says nothing (RFC 4954, 5)."""
    match = _FROM.fullmatch(argument)
    if match is None:
        raise Refused(replies.BAD_ARGUMENT)
    size, body8bit, smtputf8 = 0, False, False
    dsn: dict[str, str] = {}
    for keyword, value in _parameters(match[2] or ""):
        if keyword == "SIZE" and value is not None and _SIZE.fullmatch(value):
            size = int(value)
        elif keyword == "BODY" and value is not None and value.upper() in {"7BIT", "8BITMIME"}:
            body8bit = value.upper() == "8BITMIME"
        elif keyword == "SMTPUTF8" and value is None:
            smtputf8 = True
        elif keyword == "AUTH" and auth and value is not None:
            continue
        elif keyword in {"SIZE", "BODY", "SMTPUTF8"}:
            raise Refused(replies.BAD_ARGUMENT)
        else:
            dsn[keyword] = _read_dsn(_DSN_OF_MAIL, keyword, value)
    sender = _without_route(match[1])
    if sender:
        _parse_address(sender, replies.BAD_SENDER, literals=True)
    if not (smtputf8 or sender.isascii()):
        raise Refused(replies.NEEDS_SMTPUTF8)
    if not dsn:
        return MailCommand(sender, size, body8bit, smtputf8)
    ret, envid = dsn.get("RET", ""), dsn.get("ENVID", "")
    return MailCommand(sender, size, body8bit, smtputf8, ret, envid)


def parse_rcpt(argument: str, *, hostname: str, smtputf8: bool) -> AcceptedRecipient:
    """Read what follows RCPT."""
    match = _TO.fullmatch(argument)
    if match is None:
        raise Refused(replies.BAD_ARGUMENT)
    text = _without_route(match[1])
    if text.lower() == "postmaster":  # RFC 5321 section 4.5.1: must be taken without a domain
        address = EmailAddress(text, hostname.lower())
    else:
        address = _parse_address(text, replies.BAD_RECIPIENT)
    if not (smtputf8 or text.isascii()):
        raise Refused(replies.NEEDS_SMTPUTF8)
    if not match[2]:
        return AcceptedRecipient(address, text)
    dsn = {name: _read_dsn(_DSN_OF_RCPT, name, value) for name, value in _parameters(match[2])}
    orcpt = dsn.get("ORCPT", "")
    if not (smtputf8 or orcpt.isascii()):
        raise Refused(replies.NEEDS_SMTPUTF8)
    return AcceptedRecipient(address, text, dsn.get("NOTIFY", ""), orcpt)


def _read_dsn(readers: Mapping[str, Callable[[str], str]], keyword: str, value: str | None) -> str:
    read = readers.get(keyword)
    if read is None:
        raise Refused(replies.UNKNOWN_PARAMETER)
    try:
        return read(value or "")
    except ValueError:
        raise Refused(replies.BAD_ARGUMENT) from None


def _without_route(path: str) -> str:
    route = _ROUTE.match(path)
    # A route that leads to nobody is no null sender: it stays, and is no address.
    return path[route.end() :] or path if route else path


def _parse_address(text: str, otherwise: Reply, *, literals: bool = False) -> EmailAddress:
    try:
        return EmailAddress.parse(text, literals=literals)
    except BadAddress as error:
        raise Refused(otherwise) from error


def _parameters(text: str) -> Iterator[tuple[str, str | None]]:
    seen: set[str] = set()
    for word in filter(None, text.split(" ")):
        match = _PARAMETER.fullmatch(word)
        if match is None or match[1].upper() in seen:
            raise Refused(replies.BAD_ARGUMENT)
        seen.add(match[1].upper())
        yield match[1].upper(), match[2]
