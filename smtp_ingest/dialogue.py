"""The commands of a session and the order they must come in (RFC 5321 section 4.1.4).

A command goes in as a line without its CR LF, an answer comes out: the lines of a reply, or
a request. What the client got wrong raises Refused with the reply. Knows nothing of packets,
time or sockets.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from smtp_ingest import replies
from smtp_ingest.auth import MECHANISMS, Credentials, Exchange, Step
from smtp_ingest.budget import OctetBudget
from smtp_ingest.chunks import ChunkReader, parse_bdat
from smtp_ingest.commands import (
    AcceptedRecipient,
    Command,
    MailCommand,
    Refused,
    parse_greeting,
    parse_mail,
    parse_rcpt,
)
from smtp_ingest.config import IngestConfig
from smtp_ingest.forwarding import (
    XCLIENT_NAMES,
    XFORWARD_NAMES,
    Origin,
    parse_xclient,
    parse_xforward,
)
from smtp_ingest.mail_data import MailDataReader
from smtp_ingest.ports import SessionFacts, TlsFacts, Transmission
from smtp_ingest.replies import Reply
from smtp_ingest.requests import AskLogin, AskRecipient, Close, StartTls
from smtp_ingest.trust import covers

Answer: TypeAlias = tuple[Reply, ...] | AskRecipient | AskLogin | StartTls | Close

# Commands that bring no mail nearer; whoever sends many of them wants something else.
IDLE_COMMANDS = frozenset(
    {"EHLO", "HELO", "LHLO", "HELP", "NOOP", "RSET", "VRFY", "XCLIENT", "XFORWARD"}
)
# A browser tricked into posting to us speaks first, and would go on with SMTP in its body.
_OTHER_PROTOCOLS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"})
_HELP = Reply(214, "2.0.0", "RFC 5321: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT")


@dataclass(frozen=True, slots=True)
class Listener:
    """What all sessions of one listening port share."""

    config: IngestConfig
    budget: OctetBudget
    lmtp: bool = False
    offers_tls: bool = False
    offers_auth: bool = False
    needs_auth: bool = False

    @property
    def greeting(self) -> Reply:
        """What a session begins with (RFC 5321 section 4.2)."""
        name = "LMTP" if self.lmtp else "ESMTP"
        return Reply(220, "", f"{self.config.hostname} {name} LiveArchive")


@dataclass(slots=True)
class Transaction:
    """From MAIL to the answer after its data."""

    command: MailCommand
    facts: SessionFacts
    recipients: list[AcceptedRecipient] = field(default_factory=list)
    reader: MailDataReader | ChunkReader | None = None  # from DATA or the first BDAT on


class Dialogue:
    """What the client has said so far."""

    def __init__(
        self, listener: Listener, client_ip: str, client_port: int, tls: TlsFacts | None = None
    ) -> None:
        self.transaction: Transaction | None = None
        self.reading: MailDataReader | ChunkReader | None = None  # what arrives is no command
        self._listener = listener
        self._config = listener.config
        self._client = (client_ip, client_port)
        self._tls = tls
        self._facts: SessionFacts | None = None  # known once the client has greeted
        self.exchange: Exchange | None = None  # what comes is no command, but about a password
        self._login = ""
        self.origin: Origin | None = None  # of the next mail
        trusted = listener.config.trusted
        self._may_xclient = covers(trusted.xclient, client_ip)
        self._may_xforward = covers(trusted.xforward, client_ip)
        self._is_feed = covers(trusted.feeds, client_ip)

    def answer(self, command: Command) -> Answer:
        """Carry out one command."""
        handler = _HANDLERS.get(command.verb)
        if handler is None:
            if command.verb in _OTHER_PROTOCOLS:
                return Close(replies.NOT_SMTP)
            raise Refused(replies.UNKNOWN_COMMAND)
        return handler(self, command.argument)

    def end_transaction(self) -> None:
        """Forget the mail in hand, if any."""
        if self.transaction is not None and self.transaction.reader is not None:
            self.transaction.reader.release()
        self.transaction = self.reading = None
        self.origin = None

    def tls_started(self, tls: TlsFacts | None) -> None:
        """All that was said in the clear is forgotten (RFC 3207 section 4.2)."""
        self.end_transaction()
        self._tls = tls
        self._facts = None
        self._login = ""

    def login_judged(self, credentials: Credentials, verdict: bool | None) -> Reply:
        """What the client hears of its password."""
        if verdict is None:
            return replies.AUTH_LATER
        if not verdict:
            return replies.BAD_CREDENTIALS
        self._login = credentials.name
        if self._facts is not None:
            self._facts = replace(self._facts, login=credentials.name)
        return replies.AUTHENTICATED

    # The commands

    def _ehlo(self, argument: str) -> Answer:
        if self._listener.lmtp:
            raise Refused(replies.WRONG_GREETING_LMTP)
        return self._extended_hello(Transmission.ESMTP, argument)

    def _lhlo(self, argument: str) -> Answer:
        if not self._listener.lmtp:
            raise Refused(replies.WRONG_GREETING_SMTP)
        return self._extended_hello(Transmission.LMTP, argument)

    def _helo(self, argument: str) -> Answer:
        if self._listener.lmtp:
            raise Refused(replies.WRONG_GREETING_LMTP)
        self._hello(Transmission.SMTP, argument)
        return (Reply(250, "", self._config.hostname),)

    def _extended_hello(self, transmission: Transmission, argument: str) -> Answer:
        self._hello(transmission, argument)
        lines = [
            self._config.hostname,
            "PIPELINING",
            f"SIZE {self._config.max_size}",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "DSN",
            f"LIMITS RCPTMAX={self._config.max_recipients}",  # RFC 9422
            "ENHANCEDSTATUSCODES",
        ]
        if self._listener.offers_tls and self._tls is None:
            lines.append("STARTTLS")
        if self._may_log_in:
            lines.append(" ".join(("AUTH", *MECHANISMS)))
        if self._may_xclient:
            lines.append(" ".join(("XCLIENT", *XCLIENT_NAMES)))
        if self._may_xforward:
            lines.append(" ".join(("XFORWARD", *XFORWARD_NAMES)))
        return tuple(Reply(250, "", line) for line in [*lines, "HELP"])

    def _hello(self, transmission: Transmission, argument: str) -> None:
        helo = parse_greeting(argument)
        self.end_transaction()  # RFC 5321 section 4.1.4
        self._facts = SessionFacts(helo, *self._client, transmission, self._tls, self._login)

    def _mail(self, argument: str) -> Answer:
        if self._facts is None:
            raise Refused(replies.GREET_FIRST)
        if self.transaction is not None:
            raise Refused(replies.NESTED_MAIL)
        if self._listener.needs_auth and not self._login:
            raise Refused(replies.AUTH_FIRST)
        command = parse_mail(argument, auth=self._may_log_in)
        if command.size > self._config.max_size:
            return (replies.TOO_LARGE,)
        if not self._listener.budget.fits(command.size, size=command.size):
            return (replies.NO_ROOM,)
        self.transaction = Transaction(command, self._facts)
        return (replies.SENDER_OK,)

    def _rcpt(self, argument: str) -> Answer:
        if self.transaction is None:
            raise Refused(replies.MAIL_FIRST)
        if self.transaction.reader is not None:
            raise Refused(replies.IN_TRANSACTION)
        recipient = parse_rcpt(
            argument,
            hostname=self._config.hostname,
            smtputf8=self.transaction.command.smtputf8,
        )
        return AskRecipient(recipient, self.transaction.facts)

    def _data(self, argument: str) -> Answer:
        _refuse_argument(argument)
        transaction = self._ready_for_data()
        if transaction.reader is not None:  # RFC 3030 section 2
            raise Refused(replies.IN_TRANSACTION)
        self.reading = transaction.reader = MailDataReader(
            self._config.max_size, self._listener.budget, refuse_irregular=not self._is_feed
        )
        return (replies.START_MAIL,)

    def _bdat(self, argument: str) -> Answer:
        try:
            size, last = parse_bdat(argument)
        except Refused as refused:
            return Close(refused.reply)
        try:
            reader = self._chunks(self._ready_for_data())
        except Refused as refused:
            reader = ChunkReader.unwanted(refused.reply)
        reader.begin(size, last=last)
        self.reading = reader
        return ()

    def _ready_for_data(self) -> Transaction:
        if self.transaction is None:
            raise Refused(replies.MAIL_FIRST)
        if not self.transaction.recipients:
            raise Refused(replies.RECIPIENT_FIRST)
        return self.transaction

    def _chunks(self, transaction: Transaction) -> ChunkReader:
        if not isinstance(transaction.reader, ChunkReader):
            transaction.reader = ChunkReader(
                self._config.max_size, self._listener.budget, refuse_irregular=not self._is_feed
            )
        return transaction.reader

    def _rset(self, argument: str) -> Answer:
        _refuse_argument(argument)
        self.end_transaction()
        return (replies.OK,)

    def _noop(self, _argument: str) -> Answer:
        return (replies.OK,)

    def _vrfy(self, argument: str) -> Answer:
        if not argument:
            raise Refused(replies.BAD_ARGUMENT)
        return (replies.CANNOT_VRFY,)

    def _expn(self, _argument: str) -> Answer:
        raise Refused(replies.NOT_IMPLEMENTED)

    def _help(self, _argument: str) -> Answer:
        return (_HELP,)

    def _quit(self, argument: str) -> Answer:
        _refuse_argument(argument)
        return Close(replies.BYE)

    def _starttls(self, argument: str) -> Answer:
        _refuse_argument(argument)
        if self._tls is not None:
            raise Refused(replies.ALREADY_TLS)
        if not self._listener.offers_tls:
            raise Refused(replies.NOT_IMPLEMENTED)
        return StartTls()

    @property
    def _may_log_in(self) -> bool:
        return self._listener.offers_auth and self._tls is not None

    def _auth(self, argument: str) -> Answer:
        if not self._listener.offers_auth:
            raise Refused(replies.NOT_IMPLEMENTED)
        if self._tls is None:
            raise Refused(replies.AUTH_NEEDS_TLS)
        if self._facts is None:
            raise Refused(replies.GREET_FIRST)
        if self._login:
            raise Refused(replies.ALREADY_AUTH)
        if self.transaction is not None:
            raise Refused(replies.IN_TRANSACTION)
        mechanism, _, initial = argument.partition(" ")
        exchange = Exchange(mechanism.upper())
        return self._stepped(exchange, exchange.begin(initial.strip(" ")))

    def go_on(self, exchange: Exchange, line: str) -> Answer:
        """The client's next line in an exchange about its password."""
        self.exchange = None
        return self._stepped(exchange, exchange.hear(line))

    def _stepped(self, exchange: Exchange, step: Step) -> Answer:
        if isinstance(step, Credentials):
            return AskLogin(step, self._client[0])
        self.exchange = exchange
        return (step,)

    def _xclient(self, argument: str) -> Answer:
        self._expect_rest(self._may_xclient)
        given = parse_xclient(argument)
        self.end_transaction()
        ip, port = self._client
        if given.client_ip is not None:
            ip, port = given.client_ip, 0
            # What the proxy itself may send, its clients may not.
            self._is_feed = covers(self._config.trusted.feeds, ip)
        self._client = (ip, port if given.client_port is None else given.client_port)
        self._facts = None
        self._login = ""
        if given.helo is not None:
            self._hello(self._transmission(extended=given.extended), given.helo)
        return (self._listener.greeting,)

    def _xforward(self, argument: str) -> Answer:
        self._expect_rest(self._may_xforward)
        self.origin = parse_xforward(argument, self.origin or Origin())
        return (replies.OK,)

    def _expect_rest(self, may: bool) -> None:
        if not may:
            raise Refused(replies.NOT_AUTHORIZED)
        if self.transaction is not None:
            raise Refused(replies.IN_TRANSACTION)

    def _transmission(self, *, extended: bool) -> Transmission:
        if self._listener.lmtp:
            return Transmission.LMTP
        return Transmission.ESMTP if extended else Transmission.SMTP


def _refuse_argument(argument: str) -> None:
    if argument:
        raise Refused(replies.NO_ARGUMENT_ALLOWED)


_HANDLERS: dict[str, Callable[[Dialogue, str], Answer]] = {
    "AUTH": Dialogue._auth,
    "BDAT": Dialogue._bdat,
    "DATA": Dialogue._data,
    "EHLO": Dialogue._ehlo,
    "EXPN": Dialogue._expn,
    "HELO": Dialogue._helo,
    "HELP": Dialogue._help,
    "LHLO": Dialogue._lhlo,
    "MAIL": Dialogue._mail,
    "NOOP": Dialogue._noop,
    "QUIT": Dialogue._quit,
    "RCPT": Dialogue._rcpt,
    "RSET": Dialogue._rset,
    "STARTTLS": Dialogue._starttls,
    "VRFY": Dialogue._vrfy,
    "XCLIENT": Dialogue._xclient,
    "XFORWARD": Dialogue._xforward,
}
