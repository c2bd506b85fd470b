"""A door that remembers, and a conversation with a session that has no socket."""

import threading
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_network

from archive_store.address import EmailAddress
from smtp_ingest import replies
from smtp_ingest.budget import OctetBudget
from smtp_ingest.config import IngestConfig
from smtp_ingest.dialogue import Listener
from smtp_ingest.ports import RcptVerdict, ReceivedMail, SessionFacts, TlsFacts
from smtp_ingest.replies import Reply
from smtp_ingest.requests import AskLogin, AskMail, AskRecipient, Close, Request
from smtp_ingest.session import Session

CONFIG = IngestConfig(hostname="mx.acme.example")
# The host that every `Conversation` comes from.
HERE = (ip_network("192.0.2.0/24"),)
NOT_HERE = Reply(550, "5.1.1", "No such person here")
HELLO = b"EHLO client.example\r\n"
ENVELOPE = b"MAIL FROM:<ann@client.example>\r\nRCPT TO:<vlad@acme.example>\r\n"
BODY = b"Subject: hello\r\n\r\nHow are you?\r\n"


class RecordingDoor:
    """Takes everything but `refused` recipients, and keeps it."""

    def __init__(self, refused: Sequence[str] = ()) -> None:
        self.mails: list[ReceivedMail] = []
        self.asked: list[EmailAddress] = []
        self.refused = set(refused)
        self.judge: Callable[[ReceivedMail], Sequence[Reply]] = self.all_accepted
        self._changed = threading.Condition()

    def rcpt(self, address: EmailAddress, session: SessionFacts) -> RcptVerdict:
        self.asked.append(address)
        return NOT_HERE if address.key in self.refused else None

    def take(self, mail: ReceivedMail) -> Sequence[Reply]:
        with self._changed:
            self.mails.append(mail)
            self._changed.notify_all()
        return self.judge(mail)

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        return self.take(mail)

    def wait_for(self, count: int) -> list[ReceivedMail]:
        """The mails, once so many are there."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.mails) >= count, 30), self.mails
            return list(self.mails)

    @staticmethod
    def all_accepted(mail: ReceivedMail) -> Sequence[Reply]:
        lmtp = mail.session.transmission == "LMTP"
        return [replies.ACCEPTED] * (len(mail.recipients) if lmtp else 1)


class Conversation:
    """Sends octets to a session and answers its requests at once."""

    def __init__(
        self,
        door: RecordingDoor | None = None,
        config: IngestConfig = CONFIG,
        *,
        lmtp: bool = False,
        offers_tls: bool = False,
        logins: Mapping[str, str] | None = None,  # name to password
        budget: OctetBudget | None = None,
    ) -> None:
        self.door = door or RecordingDoor()
        self.budget = budget or OctetBudget(config.max_octets_in_flight)
        self.logins = logins or {}
        offers_auth = logins is not None
        listener = Listener(
            config, self.budget, lmtp, offers_tls, offers_auth, offers_auth and config.needs_auth
        )
        self.session = Session(listener, "192.0.2.7", 4711)
        self.greeting = self.session.take_output()
        self.closed = False

    def send(self, octets: bytes) -> bytes:
        """What the session answers to these octets."""
        request = self.session.feed(octets)
        while request is not None:
            request = self.answer(request)
        return self.session.take_output()

    def answer(self, request: Request) -> Request | None:
        """Answer one request as the server would."""
        match request:
            case AskRecipient(recipient, facts):
                verdict = self.door.rcpt(recipient.address, facts)
                return self.session.recipient_judged(verdict)
            case AskLogin(said, _client_ip):
                return self.session.login_judged(self.logins.get(said.name) == said.password)
            case AskMail(mail, _count):
                return self.session.mail_accepted(self.door.take(mail))
            case Close():
                self.closed = True
                return None
            case _:
                return self.session.tls_started(TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384"))

    def greet(self) -> "Conversation":
        """Say hello, and nothing else."""
        self.send(HELLO if not self.session._lmtp else b"LHLO client.example\r\n")
        return self

    def deliver(self, data: bytes) -> bytes:
        """A whole transaction with these octets after DATA; the last reply."""
        assert self.send(ENVELOPE + b"DATA\r\n").endswith(replies.START_MAIL.octets)
        return self.send(data)


def codes(output: bytes) -> list[str]:
    """Code and enhanced status of each reply: "250 2.1.0"; of several lines, the last."""
    lines = [line for line in output.decode("ascii").split("\r\n") if line[3:4] == " "]
    return [" ".join(line.split(" ")[:2]) for line in lines]
