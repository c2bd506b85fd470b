"""Port 80 before strangers: challenges, a redirect to one place, and nothing else."""

import asyncio

import pytest

from app.certificates import port80
from app.certificates.port80 import LARGEST_HEAD, Answers, Port80

HOME = "https://mail.acme.example"
ANSWERS = Answers({"token-1": "token-1.thumb"})


def reply(head: bytes, redirect: str = HOME) -> tuple[str, bytes]:
    answer = ANSWERS.reply(head, redirect)
    top, _, body = answer.partition(b"\r\n\r\n")
    return top.decode(), body


def test_an_open_challenge_is_answered_and_no_other() -> None:
    place = b"/.well-known/acme-challenge/"
    top, body = reply(b"GET %btoken-1 HTTP/1.1\r\nHost: x\r\n\r\n" % place)
    assert top.startswith("HTTP/1.1 200 OK\r\n")
    assert body == b"token-1.thumb"
    top, body = reply(b"HEAD %btoken-1 HTTP/1.1\r\n\r\n" % place)
    assert "Content-Length: 13" in top
    assert body == b""
    for other in (b"token-2", b"", b"token-1/", b"../token-1", b"token-1?a"):
        assert reply(b"GET %b%b HTTP/1.1\r\n\r\n" % (place, other))[0].startswith("HTTP/1.1 404")


@pytest.mark.parametrize(
    ("target", "leads"),
    [
        (b"/", f"{HOME}/"),
        (b"/m/1?a=b", f"{HOME}/m/1?a=b"),
        (b"//evil.example/", f"{HOME}//evil.example/"),
        (b"/@evil.example", f"{HOME}/@evil.example"),
        (b"/\\evil", f"{HOME}/\\evil"),
    ],
)
def test_everything_else_leads_to_the_pages_whatever_host_is_asked(
    target: bytes, leads: str
) -> None:
    for method in (b"GET", b"POST", b"OPTIONS"):
        top, _ = reply(b"%b %b HTTP/1.1\r\nHost: evil.example\r\n\r\n" % (method, target))
        assert top.startswith("HTTP/1.1 301")
        assert [line for line in top.split("\r\n") if line.startswith("Location:")] == [
            f"Location: {leads}"
        ]
    assert reply(b"GET %b HTTP/1.1\r\n\r\n" % target, "")[0].startswith("HTTP/1.1 404")


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n",
        b"GET /a\rSet-Cookie:x HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET /%b HTTP/1.1\r\n\r\n" % (b"a" * 3000),
        b"GET / HTTP/9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n",
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    assert reply(head)[0].startswith("HTTP/1.1 400")


def test_it_reads_so_much_so_long_and_the_oldest_of_too_many_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(port80, "MOST_CONNECTIONS", 2)

    asyncio.run(asyncio.wait_for(visit_in_many_ways(monkeypatch), 60))


async def visit_in_many_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    port = Port80(ANSWERS, HOME)
    server = await asyncio.get_running_loop().create_server(port.visit, "127.0.0.1", 0)
    where = server.sockets[0].getsockname()
    endless = await Client.at(where, b"GET /" + b"a" * LARGEST_HEAD)
    assert (await endless.rest()).startswith(b"HTTP/1.1 400")
    idle = [await Client.at(where, b"GET ") for _ in range(2)]
    newest = await Client.at(where, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"301 Moved" in await newest.rest()
    assert await idle[0].rest() == b""  # it went for the newest
    monkeypatch.setattr(port80, "PATIENCE_SECONDS", 0.0)
    slow = await Client.at(where, b"GET ")
    assert await slow.rest() == b""
    idle[1].writer.close()
    server.close()


class Client:
    """A connection that has said something."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def at(cls, where: tuple[str, int], says: bytes) -> "Client":
        client = cls(*await asyncio.open_connection(*where))
        client.writer.write(says)
        return client

    async def rest(self) -> bytes:
        """What comes until the other side ends it."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""
        finally:
            self.writer.close()
