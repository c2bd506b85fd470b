"""One SMTP or LMTP session as a state machine without I/O (RFC 5321, RFC 2033, RFC 2920).

Octets go in by `feed`, replies come out by `take_output`; what the machine cannot decide it
returns as a request and waits for the answer, keeping what arrives meanwhile. The same octets
give the same replies however they are cut into packets; pipelining needs nothing more.

There is no library under this: aiosmtpd's command loop costs half a millisecond a mail and its
line-by-line DATA several times that, more than sealing and storing the mail together.

Never raises for what a client sends: it answers 4xx or 5xx.
"""

from collections.abc import Sequence
from enum import Enum, auto

from smtp_ingest import replies
from smtp_ingest.auth import Exchange
from smtp_ingest.chunks import ChunkReader
from smtp_ingest.commands import Command, Refused
from smtp_ingest.dialogue import IDLE_COMMANDS, Answer, Dialogue, Listener, Transaction
from smtp_ingest.mail_data import MailDataReader, MailOctets
from smtp_ingest.peek import count_received
from smtp_ingest.ports import RcptVerdict, ReceivedMail, TlsFacts
from smtp_ingest.replies import Reply, joined
from smtp_ingest.requests import AskLogin, AskMail, AskRecipient, Close, Request, StartTls

MAX_LINE = 2048  # 512 by RFC 5321 section 4.5.3.1.4, and room for the parameters of extensions
MAX_IDLE_COMMANDS = 100  # since the last mail; each one beyond is an error


class Phase(Enum):
    """Whom a session is waiting for, and so whose slowness it is."""

    COMMAND = auto()
    DATA = auto()
    ANSWER = auto()  # ours
    CLOSED = auto()


class Session:
    """One client from greeting to goodbye."""

    def __init__(
        self,
        listener: Listener,
        client_ip: str,
        client_port: int,
        tls: TlsFacts | None = None,  # from the start (RFC 8314 section 3.3)
    ) -> None:
        self.encrypted = tls is not None
        self.steps = 0  # commands, ends of data, answers: a client that gets on moves it
        self._config = listener.config
        self._lmtp = listener.lmtp
        self._dialogue = Dialogue(listener, client_ip, client_port, tls)
        self._request: Request | None = None
        self._stopping = False
        self._errors = self._idle = self._refusals = 0
        self._input = b""
        self._at = 0  # where in the input the next command begins
        self._overlong = False  # the line that is arriving has already lost its beginning
        self._output = bytearray(listener.greeting.octets)

    # What the transport does

    def feed(self, octets: bytes) -> Request | None:
        """Take what arrived; return what has to be done, if anything."""
        if isinstance(self._request, Close | StartTls):
            # What follows STARTTLS in the clear was not said under TLS (RFC 3207 section 4.2).
            return None
        self._input = self._input[self._at :] + octets
        self._at = 0
        return None if self._request else self._advance()

    def take_output(self) -> bytes:
        """The replies since the last call."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def recipient_judged(self, verdict: RcptVerdict) -> Request | None:
        """The answer to AskRecipient."""
        transaction = self._dialogue.transaction
        if transaction is not None and isinstance(self._request, AskRecipient):
            if verdict is not None:
                self._refuse_recipient(verdict if verdict.refuses else replies.LOCAL_ERROR)
            elif len(transaction.recipients) >= self._config.max_recipients:
                self._refuse_recipient(replies.TOO_MANY_RECIPIENTS)
            else:
                transaction.recipients.append(self._request.recipient)
                self._output += replies.RECIPIENT_OK.octets
        return self._answered()

    def login_judged(self, verdict: bool | None) -> Request | None:
        """The answer to AskLogin; None: it cannot be checked now."""
        if isinstance(self._request, AskLogin):
            reply = self._dialogue.login_judged(self._request.credentials, verdict)
            if verdict is False:
                self._count_error(reply)
            else:
                self._output += reply.octets
        return self._answered()

    def mail_accepted(self, verdicts: Sequence[Reply]) -> Request | None:
        """The answer to AskMail: as many replies as it wants."""
        for verdict in verdicts:
            self._output += verdict.octets
        if any(verdict.accepts for verdict in verdicts):
            self._errors = self._idle = self._refusals = 0
        self._dialogue.end_transaction()
        return self._answered()

    def tls_started(self, tls: TlsFacts | None) -> Request | None:
        """The answer to StartTls."""
        self.encrypted = tls is not None
        self._dialogue.tls_started(tls)
        return self._answered()

    def shut_down(self) -> Request | None:
        """Say goodbye now, or as soon as the mail in hand is answered."""
        self._stopping = True
        return None if self._request else self._advance()

    def hang_up(self, reply: Reply) -> Request:
        """Say why and close, at once."""
        self._output += reply.octets
        return self._close(reply)

    def abandon(self) -> None:
        """The client is gone. A mail that the door is taking stays with the door."""
        if isinstance(self._request, AskMail):
            self._stopping = True
            self._input = b""
        else:
            self._dialogue.end_transaction()
            self._close(replies.BYE)

    @property
    def phase(self) -> Phase:
        """Whom it waits for."""
        if isinstance(self._request, Close):
            return Phase.CLOSED
        if self._request is not None:
            return Phase.ANSWER
        if self._dialogue.reading is None and self._gathering is None:
            return Phase.COMMAND
        return Phase.DATA

    @property
    def data_arrived(self) -> int:
        """Octets so far of the mail whose data is arriving."""
        reader = self._dialogue.reading or self._gathering
        return reader.arrived if reader else 0

    # The machine

    @property
    def _gathering(self) -> MailOctets | None:
        """The mail whose data has begun to arrive; between two chunks nothing is being read."""
        transaction = self._dialogue.transaction
        return transaction.reader if transaction else None

    def _advance(self) -> Request | None:
        while self._request is None:
            reader = self._dialogue.reading
            if reader is not None:
                if not self._read_data(reader):
                    return None
            elif self._stopping and self._gathering is None:
                return self.hang_up(replies.SHUTTING_DOWN)
            elif not self._read_command():
                return None
        return self._request

    def _answered(self) -> Request | None:
        if isinstance(self._request, Close):
            return self._request
        self._request = None
        self.steps += 1
        return self._advance()

    def _close(self, reply: Reply) -> Request:
        self._request = Close(reply)
        self._input = b""
        self.steps += 1
        return self._request

    def _read_command(self) -> bool:
        end = self._input.find(b"\n", self._at) + 1
        if not end:
            if len(self._input) - self._at > MAX_LINE:
                self._overlong = True
                self._input = b""
                self._at = 0
            return False
        line = self._input[self._at : end]
        self._at = end
        transaction = self._dialogue.transaction
        if transaction is None or transaction.reader is None:
            self.steps += 1  # many small chunks must not last longer than one DATA
        if self._overlong or len(line) > MAX_LINE:
            self._overlong = False
            self._count_error(replies.LINE_TOO_LONG)
        elif not line.endswith(b"\r\n"):
            self._count_error(replies.BAD_LINE)
        else:
            self._run(line[:-2])
        return True

    def _run(self, line: bytes) -> None:
        exchange = self._dialogue.exchange
        if exchange is not None:
            self._run_exchange(exchange, line)
            return
        try:
            command = Command.parse(line)
            answer = self._dialogue.answer(command)
        except Refused as refused:
            self._count_error(refused.reply)
            return
        if isinstance(answer, tuple) and command.verb in IDLE_COMMANDS and self._is_idling():
            return
        self._answer(answer)

    def _run_exchange(self, exchange: Exchange, line: bytes) -> None:
        try:
            self._answer(self._dialogue.go_on(exchange, line.decode("latin-1")))
        except Refused as refused:
            self._count_error(refused.reply)

    def _answer(self, answer: Answer) -> None:
        if isinstance(answer, tuple):
            if answer:
                self._output += answer[0].octets if len(answer) == 1 else joined(answer)
        elif isinstance(answer, Close):
            self.hang_up(answer.reply)
        else:
            if isinstance(answer, StartTls):
                self._output += replies.READY_FOR_TLS.octets
                self._input = b""
                self._at = 0
            self._request = answer

    def _is_idling(self) -> bool:
        self._idle += 1
        if self._idle <= MAX_IDLE_COMMANDS:
            return False
        self.hang_up(replies.TOO_MANY_ERRORS)
        return True

    def _count_error(self, reply: Reply) -> None:
        self._errors += 1
        if self._errors > self._config.max_errors:
            self.hang_up(replies.TOO_MANY_ERRORS)
        else:
            self._output += reply.octets

    def _refuse_recipient(self, reply: Reply) -> None:
        self._refusals += 1
        if self._refusals > self._config.max_recipients:  # somebody is guessing addresses
            self.hang_up(replies.TOO_MANY_ERRORS)
        else:
            self._output += reply.octets

    def _read_data(self, reader: MailDataReader | ChunkReader) -> bool:
        rest = reader.feed(self._input[self._at :])
        self._input = rest or b""
        self._at = 0
        if rest is None:
            return False
        self._dialogue.reading = None
        transaction = self._dialogue.transaction
        if transaction is None or reader is not transaction.reader:  # a chunk out of order
            self._count_error(reader.refusal or replies.MAIL_FIRST)
        elif isinstance(reader, ChunkReader) and not reader.last:
            if not (reader.empty and self._is_idling()):
                self._output += (reader.refusal or replies.CHUNK_OK).octets
        else:
            self._finish(transaction, reader)
        return True

    def _finish(self, transaction: Transaction, reader: MailOctets) -> None:
        """The data is whole: refuse it, or have the door take it."""
        self.steps += 1
        # LMTP answers for each recipient by itself (RFC 2033 section 4.2).
        replies_due = len(transaction.recipients) if self._lmtp else 1
        octets = reader.take()
        refusal = reader.refusal
        if refusal is None and count_received(octets) > self._config.max_received_lines:
            refusal = replies.LOOP  # RFC 5321 section 6.3
        if refusal is not None:
            self._output += refusal.octets * replies_due
            self._dialogue.end_transaction()
            return
        mail = ReceivedMail(
            mail_from=transaction.command.sender,
            recipients=tuple(transaction.recipients),
            octets=octets,
            session=transaction.facts,
            smtputf8=transaction.command.smtputf8,
            body8bit=transaction.command.body8bit,
            bare_newlines=not reader.regular,
            ret=transaction.command.ret,
            envid=transaction.command.envid,
            origin=self._dialogue.origin,
        )
        self._request = AskMail(mail, replies_due)
