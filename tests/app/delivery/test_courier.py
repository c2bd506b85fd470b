"""What goes over the wire to another server, and what its answers mean."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
import trustme
from aiosmtpd.handlers import Sink as QuietHandler
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.config_kinds import HostPort
from app.delivery.config import Timeouts
from app.delivery.contact import Contact
from app.delivery.courier import Courier, Parcel, Report
from app.delivery.mx import Target
from app.delivery.outcome import Deferred, Delivered, Failed
from app.delivery.routes import Route, towards
from archive_store.envelope import DsnWishes
from tests.app.delivery.sinks import Sink, sink
from tests.parts.network import free_port

BOB = "bob@ours.example"
TIMEOUTS = Timeouts(connect=5, greeting=5, command=5, data=5, probe=1)
HEAD = b"Received: x\r\n\ty\r\nSubject: z\r\n\r\n"
OCTETS = {
    "plain": HEAD + b"Hello\r\n",
    "leading dots": HEAD + b".\r\n..\r\n.hidden\r\n...\r\n.\r\n",
    "ends with a dot": HEAD + b"the end\r\n.\r\n",
    "long line": HEAD + b"x" * 300_000 + b"\r\n." + b"y" * 5000 + b"\r\n",
    "8 bit": HEAD + bytes(range(128, 256)) + b"\r\n\xff\xfe\r\n",
    "empty lines": HEAD + b"\r\n\r\n\r\n",
    "no header": b"\r\nbody\r\n",
    "empty": b"\r\n",
    "controls": HEAD + b"\x01\x08\x0b\x0c\x1b\x7f\x85\r\n",
}


def parcel(octets: bytes = HEAD, *recipients: str, sender: str = "a@out.example") -> Parcel:
    return Parcel(sender, recipients or (BOB,), octets)


async def deliver(server: Sink, what: Parcel) -> Report:
    courier = Courier("live.example", TIMEOUTS)
    try:
        return await courier.deliver(towards(HostPort("127.0.0.1", server.port)), what)
    finally:
        await courier.close()


def run(job: Callable[[Sink], Awaitable[Report]], **fields: object) -> tuple[Report, Sink]:
    async def scenario() -> tuple[Report, Sink]:
        async with sink(**fields) as server:
            return await job(server), server

    return asyncio.run(scenario())


@pytest.mark.parametrize("name", OCTETS)
def test_octets_arrive_exactly_as_they_are(name: str) -> None:
    report, server = run(lambda s: deliver(s, parcel(OCTETS[name])))
    assert isinstance(report.outcomes[BOB], Delivered)
    assert server.taken[0].octets == OCTETS[name]


def test_a_missing_last_line_end_is_the_only_thing_added() -> None:
    _, server = run(lambda s: deliver(s, parcel(HEAD + b"no end")))
    assert server.taken[0].octets == HEAD + b"no end\r\n"


def test_bare_line_ends_cannot_smuggle_a_second_mail() -> None:
    smuggled = HEAD + b"one\n.\nMAIL FROM:<x@y>\r.\rtwo\0\r\n.\n"
    _, server = run(lambda s: deliver(s, parcel(smuggled)))
    assert server.taken[0].octets == HEAD + b"one\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\ntwo\r\n.\r\n"
    assert b"\r\n.\r\n" not in server.taken[0].wire
    assert len(server.taken) == 1


def test_mail_says_its_size_and_that_it_has_8_bits() -> None:
    _, server = run(lambda s: deliver(s, parcel(OCTETS["8 bit"])))
    size = len(OCTETS["8 bit"])
    assert server.taken[0].mail == f"MAIL FROM:<a@out.example> SIZE={size} BODY=8BITMIME"


def test_nothing_is_asked_for_that_the_server_does_not_offer() -> None:
    _, server = run(lambda s: deliver(s, parcel(OCTETS["8 bit"])), offers=())
    assert server.taken[0].mail == "MAIL FROM:<a@out.example>"
    assert server.taken[0].octets == OCTETS["8 bit"]


def test_a_server_of_1982_gets_its_mail_too() -> None:
    no_ehlo = {"answer": lambda line: "500 what?" if line.startswith("EHLO") else None}
    report, server = run(lambda s: deliver(s, parcel()), **no_ehlo)
    assert isinstance(report.outcomes[BOB], Delivered)
    assert "HELO live.example" in server.lines


def test_an_internationalized_address_needs_a_server_that_takes_it() -> None:
    what = parcel(HEAD, "jürgen@ours.example", "bob@bücher.example")
    report, server = run(lambda s: deliver(s, what))
    assert {type(outcome) for outcome in report.outcomes.values()} == {Delivered}
    assert server.taken[0].mail.endswith(" SMTPUTF8")
    assert server.taken[0].rcpt[0] == "RCPT TO:<jürgen@ours.example>"

    report, server = run(lambda s: deliver(s, what), offers=())
    refused = report.outcomes["jürgen@ours.example"]
    assert isinstance(refused, Failed)
    assert refused.status == "5.6.7"
    assert server.taken[0].rcpt == ["RCPT TO:<bob@xn--bcher-kva.example>"]


@pytest.mark.parametrize(
    "address",
    [
        "bob@ours.example\r\nRCPT TO:<eve@evil.example>",
        "bob\n@ours.example",
        "bob\0@ours.example",
        "bob@ours.example> SIZE=1",
        "<bob@ours.example>",
        "bob ours@ours.example",
        "bob",
        "",
    ],
)
def test_what_is_no_address_never_reaches_the_wire(address: str) -> None:
    report, server = run(lambda s: deliver(s, parcel(HEAD, address, BOB)))
    assert isinstance(report.outcomes[address], Failed)
    assert isinstance(report.outcomes[BOB], Delivered)
    assert [line for line in server.lines if line.startswith("RCPT")] == [f"RCPT TO:<{BOB}>"]

    if address:  # the empty one is the null sender
        report, server = run(lambda s: deliver(s, parcel(HEAD, sender=address)))
        assert isinstance(report.outcomes[BOB], Failed)
        assert server.lines == []


def test_an_unusual_but_valid_address_is_not_repaired() -> None:
    odd = ('"a b(c)"@ours.example', "o'neil+x=y@ours.example", '"q\\"@x"@ours.example')
    report, server = run(lambda s: deliver(s, parcel(HEAD, *odd)))
    assert all(isinstance(outcome, Delivered) for outcome in report.outcomes.values())
    assert server.taken[0].rcpt == [f"RCPT TO:<{one}>" for one in odd]


def test_each_recipient_has_its_own_outcome() -> None:
    replies = {"a": "550 5.1.1 no", "b": "451 4.2.1 later", "d": "552 5.5.3 too many"}

    def answer(line: str) -> str | None:
        return replies.get(line[9]) if line.startswith("RCPT") else None

    names = [f"{letter}@ours.example" for letter in "abcd"]
    report, server = run(lambda s: deliver(s, parcel(HEAD, *names)), answer=answer)
    kinds = [type(report.outcomes[name]) for name in names]
    assert kinds == [Failed, Deferred, Delivered, Deferred]
    assert server.taken[0].rcpt == ["RCPT TO:<c@ours.example>"]


@pytest.mark.parametrize(
    ("at", "reply", "kind"),
    [
        ("MAIL", "550 5.7.1 not you", Failed),
        ("MAIL", "552 5.3.4 too large", Failed),
        ("MAIL", "451 4.3.0 later", Deferred),
        ("MAIL", "421 4.3.2 closing", Deferred),
        ("RCPT", "421 4.3.2 closing", Deferred),
        ("DATA", "451 4.3.0 later", Deferred),
        ("DATA", "554 5.5.1 no", Failed),
        (".", "451 4.3.0 later", Deferred),
        (".", "554 5.6.0 no", Failed),
        (".", "hang up", Deferred),
        ("RCPT", "hang up", Deferred),
        ("DATA", "hang up", Deferred),
        ("RCPT", "what is this", Deferred),
        (".", "what is this", Deferred),
    ],
)
def test_a_refusal_counts_for_all_recipients_who_have_no_answer_yet(
    at: str, reply: str, kind: type
) -> None:
    def answer(line: str) -> str | None:
        return reply if line.startswith(at) else None

    report, server = run(lambda s: deliver(s, parcel(HEAD, BOB, "eve@ours.example")), answer=answer)
    assert [type(outcome) for outcome in report.outcomes.values()] == [kind, kind]
    assert report.reached.contact is (Contact.DENIED if at == "MAIL" else Contact.ANSWERED)
    assert report.reached.took_mail is (False if kind is Deferred and at != "MAIL" else None)
    assert server.taken == []


@pytest.mark.parametrize(
    ("at", "reply", "took_mail"),
    [
        ("QUIT", "221 bye", True),
        ("RCPT TO:<eve", "452 4.2.2 full", True),
        ("RCPT", "452 4.2.2 full", None),  # of one mailbox: says nothing of the server
        ("RCPT", "450 4.1.1 who is that", None),
        ("RCPT", "550 5.1.1 no such person", None),
        ("RCPT", "451 4.7.1 come back later", False),
    ],
)
def test_a_report_says_whether_the_server_took_mail_at_all(
    at: str, reply: str, took_mail: bool | None
) -> None:
    def answer(line: str) -> str | None:
        return reply if line.startswith(at) else None

    report, _ = run(lambda s: deliver(s, parcel(HEAD, BOB, "eve@ours.example")), answer=answer)
    assert report.reached.took_mail is took_mail
    assert report.reached.took > 0


@pytest.mark.parametrize(
    ("greeting", "contact"), [("554 no service here", "unready"), ("421 soon", "unready")]
)
def test_a_server_that_does_not_greet_is_not_ready_and_nothing_is_lost(
    greeting: str, contact: str
) -> None:
    report, _ = run(lambda s: deliver(s, parcel()), greeting=greeting)
    assert isinstance(report.outcomes[BOB], Deferred)
    assert report.reached.contact == contact


def test_a_server_that_refuses_every_hello_is_not_ready() -> None:
    def answer(line: str) -> str | None:
        return "550 5.7.1 not you" if line[1:].startswith(("HLO", "ELO")) else None

    report, server = run(lambda s: deliver(s, parcel()), answer=answer)
    assert isinstance(report.outcomes[BOB], Deferred)
    assert report.reached.contact is Contact.UNREADY
    assert [line.split()[0] for line in server.lines] == ["EHLO", "HELO"]


def test_a_closed_port_is_refused() -> None:
    async def scenario() -> Report:
        return await deliver(Sink(), parcel())

    report = asyncio.run(scenario())
    assert isinstance(report.outcomes[BOB], Deferred)
    assert report.outcomes[BOB].status == "4.4.1"
    assert report.reached.contact is Contact.REFUSED


def test_a_server_that_says_nothing_is_silent() -> None:
    async def scenario() -> Contact:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            left.set()

        port, left = free_port(), asyncio.Event()
        server = await asyncio.start_server(mute, "127.0.0.1", port)
        async with server:
            courier = Courier("live.example", Timeouts(probe=0.2))
            contact = (await courier.probe(Target("127.0.0.1", port))).contact
            await left.wait()
            return contact

    assert asyncio.run(scenario()) is Contact.SILENT


def test_the_next_server_of_a_route_is_tried_when_one_does_not_talk() -> None:
    async def scenario(server: Sink) -> Report:
        targets = (Target("127.0.0.1", free_port()), Target("127.0.0.1", server.port))
        courier = Courier("live.example", TIMEOUTS)
        try:
            return await courier.deliver(Route("x", targets), parcel())
        finally:
            await courier.close()

    report, _ = run(scenario)
    assert isinstance(report.outcomes[BOB], Delivered)


def test_a_session_is_used_again_and_a_dead_one_is_replaced() -> None:
    async def scenario() -> None:
        async with sink() as server:
            courier = Courier("live.example", TIMEOUTS)
            route = towards(HostPort("127.0.0.1", server.port))
            for _ in range(3):
                await courier.deliver(route, parcel())
            assert server.sessions == 1
            server.answer = lambda line: "hang up" if server.sessions == 1 else None
            report = await courier.deliver(route, parcel())
            assert isinstance(report.outcomes[BOB], Delivered)
            assert server.sessions == 2
            await courier.close()
        assert server.lines[-1] == "QUIT"

    asyncio.run(scenario())


class Keeping(QuietHandler):
    """Keeps what it gets, and whether it came by TLS."""

    def __init__(self) -> None:
        self.got: list[tuple[bool, bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.got.append((session.ssl is not None, envelope.original_content or b""))
        return "250 2.0.0 Ok"


@asynccontextmanager
async def aiosmtpd_server(handler: Keeping, tls: ssl.SSLContext) -> AsyncIterator[int]:
    port = free_port()
    loop = asyncio.get_running_loop()
    made = partial(SMTP, handler, hostname="sink", tls_context=tls)
    server = await loop.create_server(made, "127.0.0.1", port)
    try:
        yield port
    finally:
        server.close()


def test_tls_is_taken_where_it_is_offered_whatever_the_certificate() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("another.example").configure_cert(tls)
    handler = Keeping()

    async def scenario() -> Report:
        async with aiosmtpd_server(handler, tls) as port:
            courier = Courier("live.example", TIMEOUTS)
            report = await courier.deliver(towards(HostPort("localhost", port)), parcel())
            await courier.close()
            return report

    assert isinstance(asyncio.run(scenario()).outcomes[BOB], Delivered)
    assert handler.got == [(True, HEAD)]


@pytest.mark.parametrize("reply", ["454 4.7.0 not now", "220 then hang up"])
def test_without_a_handshake_the_mail_goes_in_clear(reply: str) -> None:
    def answer(line: str) -> str | None:
        return reply if line == "STARTTLS" else None

    report, server = run(lambda s: deliver(s, parcel()), answer=answer, offers=("STARTTLS",))
    assert isinstance(report.outcomes[BOB], Delivered)
    assert server.sessions == 2


WISHES = DsnWishes("SUCCESS,FAILURE", "rfc822;Bob+2BX@ours.example", "HDRS", "QQ1")
EVE = "eve@ours.example"


def test_what_the_sender_wants_to_hear_is_told_to_a_server_that_offers_dsn() -> None:
    what = replace(parcel(HEAD, BOB, EVE), dsn={BOB: WISHES})
    report, server = run(lambda s: deliver(s, what), offers=("DSN",))
    [mail] = server.taken
    assert mail.mail == "MAIL FROM:<a@out.example> RET=HDRS ENVID=QQ1"
    assert mail.rcpt == [
        f"RCPT TO:<{BOB}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2BX@ours.example",
        f"RCPT TO:<{EVE}>",
    ]
    told = {who: isinstance(o, Delivered) and o.told for who, o in report.outcomes.items()}
    assert told == {BOB: True, EVE: False}


def test_a_server_that_does_not_offer_dsn_is_not_told() -> None:
    what = replace(parcel(HEAD, BOB), dsn={BOB: WISHES})
    report, server = run(lambda s: deliver(s, what), offers=())
    assert (server.taken[0].mail, server.taken[0].rcpt) == (
        "MAIL FROM:<a@out.example>",
        [f"RCPT TO:<{BOB}>"],
    )
    outcome = report.outcomes[BOB]
    assert isinstance(outcome, Delivered)
    assert not outcome.told


@pytest.mark.parametrize("offers", [("DSN",), ("DSN", "SMTPUTF8")])
def test_an_original_recipient_beyond_ascii_needs_smtputf8(offers: tuple[str, ...]) -> None:
    what = replace(parcel(HEAD, BOB), dsn={BOB: DsnWishes("NEVER", "utf-8;ж@ours.example")})
    _, server = run(lambda s: deliver(s, what), offers=offers)
    orcpt = " ORCPT=utf-8;ж@ours.example" if "SMTPUTF8" in offers else ""
    assert server.taken[0].rcpt == [f"RCPT TO:<{BOB}> NOTIFY=NEVER{orcpt}"]
