"""The server on real sockets: limits, time, faults of the door, stopping."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from archive_store.address import EmailAddress
from smtp_ingest import patience, replies
from smtp_ingest.ports import RcptVerdict, ReceivedMail, SessionFacts
from smtp_ingest.replies import Reply
from smtp_ingest.server import CannotListen, bind, serve
from tests.parts.network import wait_until
from tests.smtp_ingest.doubles import BODY, CONFIG, ENVELOPE, NOT_HERE, RecordingDoor
from tests.smtp_ingest.running import LOOPS, RawClient, Running, running

SECRET = "secret-word-of-a-mail"


class SlowDoor(RecordingDoor):
    """Needs I/O for everything; a mail waits until it is let in."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

    def rcpt(self, address: EmailAddress, session: SessionFacts) -> RcptVerdict:
        raise AssertionError("asked in the wrong way")

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        await self.open.wait()
        return self.take(mail)


class AskingDoor(SlowDoor):
    async def rcpt(  # type: ignore[override]  # the port allows both ways, the double has one
        self, address: EmailAddress, session: SessionFacts
    ) -> RcptVerdict:
        await asyncio.sleep(0.001)
        return NOT_HERE if address.local == "nobody" else None


class BrokenDoor(RecordingDoor):
    def rcpt(self, address: EmailAddress, session: SessionFacts) -> RcptVerdict:
        if address.local == "broken":
            raise RuntimeError(SECRET)
        return None

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        if b"miscount" in mail.octets:
            return []
        raise KeyError(SECRET)


@pytest.fixture(params=LOOPS)
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    with running(RecordingDoor(), loop=request.param) as it:
        yield it


def test_a_mail_comes_through_on_either_loop(server: Running) -> None:
    with RawClient(server.smtp) as client:
        assert client.reply() == "220 mx.acme.example ESMTP LiveArchive"
        client.ask(b"EHLO client.example\r\n")
        client.start_data()
        assert client.ask(BODY + b".\r\n") == "250 2.0.0 Ok: accepted"
        assert client.ask(b"QUIT\r\n") == "221 2.0.0 Bye"
        assert client.rest() == b""


def test_the_door_learns_who_the_client_is() -> None:
    door = RecordingDoor()
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet().start_data()
        client.ask(BODY + b".\r\n")
        session = door.mails[0].session
        assert (session.client_ip, session.client_port) == client.socket.getsockname()
        assert (session.helo, session.tls) == ("client.example", None)


def test_a_large_mail_comes_through_exactly() -> None:
    door = RecordingDoor()
    body = b"".join(b".%d is a line, and this is the rest of it\r\n" % n for n in range(200_000))
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet().start_data()
        stuffed = (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:]
        assert client.ask(stuffed + b".\r\n").startswith("250 ")
        assert door.mails[0].octets == body


def test_pipelined_commands_wait_for_a_door_that_needs_time() -> None:
    door = AskingDoor()
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet()
        client.send(
            b"MAIL FROM:<>\r\nRCPT TO:<nobody@acme.example>\r\nRCPT TO:<vlad@acme.example>\r\n"
            b"DATA\r\n" + BODY + b".\r\nNOOP\r\nQUIT\r\n"
        )
        assert [client.reply()[:9] for _ in range(4)] == [
            "250 2.1.0",
            "550 5.1.1",
            "250 2.1.5",
            "354 End d",
        ]
        server.run(_open(door))
        assert [client.reply()[:3] for _ in range(3)] == ["250", "250", "221"]
    assert door.mails[0].octets == BODY


async def _open(door: SlowDoor) -> None:
    door.open.set()


def test_megabytes_that_come_while_the_door_is_busy_are_not_lost() -> None:
    door = AskingDoor()
    body = b"x" * 70 + b"\r\n"
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet()
        client.send(ENVELOPE + b"DATA\r\n" + body * 50_000 + b".\r\nQUIT\r\n")
        server.run(_open(door))
        assert [client.reply()[:3] for _ in range(5)] == ["250", "250", "354", "250", "221"]
    assert door.mails[0].octets == body * 50_000


def test_a_client_that_closes_its_half_still_gets_its_answers() -> None:
    door = AskingDoor()
    with running(door) as server, RawClient(server.smtp) as client:
        client.greet()
        client.send(ENVELOPE + b"DATA\r\n" + BODY + b".\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        assert [client.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        server.run(_open(door))
        assert client.reply() == "250 2.0.0 Ok: accepted"
        assert client.rest() == b""


def test_a_mail_is_finished_though_its_client_left() -> None:
    door = AskingDoor()
    with running(door) as server:
        with RawClient(server.smtp) as client:
            client.greet().start_data()
            client.send(BODY + b".\r\n" + ENVELOPE)
        server.run(_open(door))
        door.wait_for(1)


def test_half_a_mail_is_no_mail() -> None:
    door = RecordingDoor()
    with running(door) as server:
        with RawClient(server.smtp) as client:
            client.greet().start_data()
            client.send(BODY + b".\r")
        with RawClient(server.smtp) as client:
            client.greet().start_data()
            client.ask(b".\r\n")
    assert [mail.octets for mail in door.mails] == [b""]


def test_a_door_that_fails_is_temporary_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with running(BrokenDoor()) as server, RawClient(server.smtp) as client:
        client.greet()
        client.ask(b"MAIL FROM:<>\r\n")
        assert client.ask(b"RCPT TO:<broken@acme.example>\r\n")[:9] == "451 4.3.0"
        assert client.ask(b"RCPT TO:<vlad@acme.example>\r\n")[:9] == "250 2.1.5"
        client.ask(b"DATA\r\n")
        refusal = client.ask(BODY + b".\r\n")
        assert refusal == replies.LOCAL_ERROR.octets.decode().strip()
        client.start_data()
        assert client.ask(b"miscount\r\n.\r\n")[:9] == "451 4.3.0"
    assert SECRET not in caplog.text
    assert {"KeyError", "RuntimeError", "ValueError"} <= set(caplog.text.split())


def test_lmtp_has_a_port_of_its_own() -> None:
    door = RecordingDoor()
    with running(door) as server, RawClient(server.lmtp) as client:
        client.greet(b"LHLO").send(ENVELOPE + b"RCPT TO:<b@acme.example>\r\nDATA\r\n")
        assert [client.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        client.send(BODY + b".\r\n")
        assert [client.reply()[:3] for _ in range(2)] == ["250", "250"]
    assert door.mails[0].protocol == "LMTP"


@pytest.mark.parametrize("body", [BODY, b"miscount\r\n"])
def test_a_door_that_fails_is_told_to_each_recipient_of_lmtp(body: bytes) -> None:
    with running(BrokenDoor()) as server, RawClient(server.lmtp) as client:
        client.greet(b"LHLO").send(ENVELOPE + b"RCPT TO:<b@acme.example>\r\nDATA\r\n" + body)
        assert [client.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        client.send(b".\r\nNOOP\r\n")
        assert [client.reply()[:3] for _ in range(3)] == ["451", "451", "250"]


def first_reply(port: int) -> str:
    """What a new client hears; it leaves when it has heard it."""
    with RawClient(port) as client:
        return client.reply()


def test_a_peer_has_only_so_many_sessions() -> None:
    config = replace(CONFIG, max_sessions_per_peer=2)
    with running(RecordingDoor(), config) as server, RawClient(server.lmtp) as other:
        assert other.reply()[:3] == "220"
        with RawClient(server.smtp) as one:
            assert one.reply()[:3] == "220"
            assert first_reply(server.smtp)[:9] == "421 4.7.0"
            assert one.ask(b"QUIT\r\n")[:3] == "221"
            assert one.rest() == b""
        assert first_reply(server.smtp)[:3] == "220"


def test_the_server_has_only_so_many_sessions() -> None:
    config = replace(CONFIG, max_sessions=1)
    with running(RecordingDoor(), config) as server, RawClient(server.smtp) as one:
        assert one.reply()[:3] == "220"
        assert first_reply(server.smtp)[:9] == "421 4.3.2"


QUICK = replace(
    CONFIG,
    command_timeout=timedelta(seconds=1),
    data_timeout=timedelta(seconds=1),
    data_min_rate=10_000_000,
)


def test_a_client_that_drips_octets_is_sent_away() -> None:
    with running(RecordingDoor(), QUICK) as server, RawClient(server.smtp) as client:
        client.reply()
        client.socket.settimeout(0.05)
        for _ in range(600):
            try:
                client.send(b"N")
                if client.socket.recv(100).startswith(b"421 4.4.2"):
                    break
            except TimeoutError:
                continue
        else:
            pytest.fail("it was never sent away")


def test_a_client_that_stops_in_its_data_is_sent_away() -> None:
    with running(RecordingDoor(), QUICK) as server, RawClient(server.smtp) as client:
        client.greet().start_data()
        client.send(BODY)
        assert client.reply()[:9] == "421 4.4.2"
        assert client.rest() == b""
    assert server.server.sessions == 0


def test_a_client_that_reads_no_replies_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINGER", 0.1)
    listening = bind("smtp", "127.0.0.1", 0)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # or it takes megabytes
    mails = (b"MAIL FROM:<>\r\n" + b"RCPT TO:<v@x.example>\r\n" * 900 + b"DATA\r\n.\r\n") * 60
    door = RecordingDoor()
    with running(door, QUICK, smtp=listening) as server, RawClient(server.smtp) as client:
        client.greet().socket.settimeout(0.5)
        with contextlib.suppress(TimeoutError, ConnectionError):
            client.send(mails)
        wait_until(lambda: server.server.sessions == 0, "let go")
    assert len(door.mails) < 60


def test_stopping_says_goodbye_to_who_is_idle_and_finishes_the_mail_in_hand() -> None:
    door = AskingDoor()
    with running(door) as server, RawClient(server.smtp) as idle, RawClient(server.smtp) as busy:
        idle.greet().send(b"MAIL FROM:<>\r\n")
        idle.reply()
        busy.greet().start_data()
        busy.send(BODY)
        stopping = asyncio.run_coroutine_threadsafe(server.server.aclose(), server._loop)
        assert idle.reply()[:9] == "421 4.3.2"
        assert idle.rest() == b""
        assert not stopping.done()
        with pytest.raises(ConnectionRefusedError):
            RawClient(server.smtp)
        busy.send(b".\r\nNOOP\r\n")
        server.run(_open(door))
        assert busy.reply() == "250 2.0.0 Ok: accepted"
        assert busy.reply()[:9] == "421 4.3.2"
        assert busy.rest() == b""
        stopping.result(30)
    assert door.mails[0].octets == BODY


def test_stopping_does_not_wait_for_ever() -> None:
    config = replace(CONFIG, stop_grace=timedelta(milliseconds=50))
    with running(AskingDoor(), config) as server, RawClient(server.smtp) as client:
        client.greet().start_data()
        client.send(BODY)
        server.stop()
        assert client.rest() == b""  # no 250 for what was not taken
        assert server.server.sessions == 0


def test_a_port_in_use_is_named_in_one_line() -> None:
    with running(RecordingDoor()) as server:
        where = ("127.0.0.1", server.smtp)
        with pytest.raises(CannotListen) as caught:
            server.run(serve(RecordingDoor(), CONFIG, smtp=where))
        assert str(caught.value) == (
            f"cannot listen for SMTP on 127.0.0.1:{server.smtp}: address already in use"
        )
        with pytest.raises(CannotListen, match=f":{server.smtp}: address already in use"):
            bind("smtp", *where)


def test_when_the_second_port_is_in_use_the_first_is_free_again() -> None:
    with running(RecordingDoor()) as server:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        with pytest.raises(CannotListen, match=r"for LMTP on 127\.0\.0\.1"):
            server.run(
                serve(
                    RecordingDoor(),
                    CONFIG,
                    smtp=("127.0.0.1", port),
                    lmtp=("127.0.0.1", server.lmtp),
                )
            )
        bind("smtp", "127.0.0.1", port).close()


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(CannotListen, match=r"192\.0\.2\.1:25: cannot assign"):
        bind("smtp", "192.0.2.1", 25)
    with (
        running(RecordingDoor()) as server,
        pytest.raises(CannotListen, match=r"nowhere\.invalid:1"),
    ):
        server.run(serve(RecordingDoor(), CONFIG, smtp=("nowhere.invalid", 1)))


def test_an_inherited_socket_is_served() -> None:
    listening = bind("smtp", "127.0.0.1", 0)
    port = listening.getsockname()[1]
    with running(RecordingDoor(), smtp=listening) as server, RawClient(port) as client:
        assert server.smtp == port
        assert listening.get_inheritable()
        assert client.reply()[:3] == "220"


def test_two_servers_share_a_port_when_they_are_asked_to() -> None:
    with running(RecordingDoor()) as server:
        first = server.run(serve(RecordingDoor(), CONFIG, smtp=("127.0.0.1", 0), reuse_port=True))
        where = ("127.0.0.1", first.ports["smtp"])
        second = server.run(serve(RecordingDoor(), CONFIG, smtp=where, reuse_port=True))
        assert first.ports == second.ports
        server.run(first.aclose())
        with RawClient(where[1]) as client:
            assert client.reply()[:3] == "220"
        server.run(second.aclose())
