"""One picture from a stranger's server: what is taken, what is refused, and whom we never ask."""

import asyncio
import ssl
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest
import trustme

from app.pictures.fetch import (
    MOST_OCTETS,
    MOST_REDIRECTS,
    Fetcher,
    NotFetched,
    PublicInternet,
    system_resolver,
)
from tests.app.pictures.pictures_server import Strangers, answer, moved

T = TypeVar("T")
PLAIN = ssl.create_default_context()


def fetched(strangers: Strangers, url: str) -> bytes:
    async def run() -> bytes:
        async with strangers.serving():
            return await Fetcher(strangers.connect, PLAIN).fetch(url)

    return asyncio.run(run())


def within_a_minute(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 60))


def test_a_picture_comes_and_nothing_of_the_reader_goes() -> None:
    strangers = Strangers({"pics.example/a%20b.png?u=1": answer(b"octets")})
    assert fetched(strangers, "http://pics.example/a b.png?u=1#x") == b"octets"
    (request,) = strangers.requests
    assert request == (
        "GET /a%20b.png?u=1 HTTP/1.1\r\n"
        "Host: pics.example\r\n"
        "User-Agent: Mozilla/5.0\r\n"
        "Accept: image/avif,image/webp,image/png,image/jpeg,image/gif\r\n"
        "Accept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.0 200\r\n\r\noctets",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3;x=y\r\noct\r\n03\r\nets\r\n0\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(b"octets"),
        answer(b"octets", kind="application/octet-stream"),
        answer(b"octets", kind="IMAGE/JPEG; x=y"),
    ],
)
def test_servers_may_say_it_in_many_ways(octets: bytes) -> None:
    assert fetched(Strangers({"pics.example/": octets}), "http://pics.example") == b"octets"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (answer(b"<svg/>", kind="image/svg+xml"), "no picture"),
        (answer(b"<html>", kind="text/html"), "no picture"),
        (answer(b"x", status="403 Forbidden"), "has none"),
        (answer(b"x", more="Content-Encoding: gzip\r\n"), "packed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MOST_OCTETS + 1), "too large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "too large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MOST_OCTETS + 1), "too large"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"100000\r\n"
            + b"x" * 0x100000
            + b"\r\n"
            + b"500000\r\n",
            "too large",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "no HTTP"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"1\r\nx\r\n" * 20_000
            + b"0\r\n\r\n",
            "no HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 50_000, "no HTTP"),
        (b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 5_000, "no HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP"),
        (b"", "no HTTP"),
    ],
)
def test_an_answer_that_is_no_picture_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(NotFetched, match=why):
        fetched(Strangers({"pics.example/": octets}), "http://pics.example/")


def test_redirects_are_followed_three_times_and_each_is_judged_anew() -> None:
    strangers = Strangers(
        {
            "a.example/": moved("//b.example/x"),
            "b.example/x": moved("/y"),
            "b.example/y": moved("http://c.example/z"),
            "c.example/z": answer(b"octets"),
        }
    )
    assert fetched(strangers, "http://a.example/") == b"octets"
    assert len(strangers.requests) == 1 + MOST_REDIRECTS
    strangers.answers["c.example/z"] = moved("http://d.example/")
    with pytest.raises(NotFetched, match="too many"):
        fetched(strangers, "http://a.example/")
    strangers.answers["a.example/"] = moved("http://user@b.example/")
    with pytest.raises(NotFetched, match="no address"):
        fetched(strangers, "http://a.example/")


def test_a_certificate_must_be_of_the_name() -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("pics.example").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    strangers = Strangers({"pics.example/": answer(b"octets"), "other.example/": answer(b"no")})

    async def run() -> None:
        async with strangers.serving(serving):
            fetcher = Fetcher(strangers.connect, trusting)
            assert await fetcher.fetch("https://pics.example/") == b"octets"
            with pytest.raises(NotFetched, match="no connection"):
                await fetcher.fetch("https://other.example/")
            with pytest.raises(NotFetched, match="no connection"):
                await Fetcher(strangers.connect, PLAIN).fetch("https://pics.example/")

    within_a_minute(run())
    assert len(strangers.requests) == 1


PRIVATE = [
    *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1"),
    *("2002:7f00:1::", "2001:0:0:0:0:0:80ff:fffe", "fd00:ec2::254"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_inside_is_never_connected_to(address: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return [address, "9.9.9.9"]  # one public one does not help

    async def run() -> None:
        fetcher = Fetcher(PublicInternet(resolve), PLAIN)
        with pytest.raises(NotFetched, match="not a public one"):
            await fetcher.fetch("http://pics.example/")

    within_a_minute(run())


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "localhost.", "2130706433", "0x7f000001", "0177.0.0.1"),
        *("127.1", "0", "①②⑦.⓪.⓪.①", "127。0。0。1", "[::1]", "[::ffff:127.0.0.1]"),
        *("[::ffff:7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]", "0x7f.1", "127.0.0.1."),
    ],
)
def test_this_machine_is_refused_in_every_spelling(host: str) -> None:
    """By the true resolver of this machine, with a server that would answer."""
    strangers = Strangers()

    async def resolve(name: str, port: int) -> Sequence[str]:
        return await system_resolver(name, strangers.port)

    async def run() -> None:
        async with strangers.serving():
            with pytest.raises(NotFetched, match=r"not a public one|no connection|no address"):
                await Fetcher(PublicInternet(resolve), PLAIN).fetch(f"http://{host}/")

    within_a_minute(run())
    assert strangers.requests == []


def test_a_name_is_looked_up_once_and_that_address_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second look-up could say something else (DNS rebinding)."""
    looked_up: list[str] = []
    connected: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["9.9.9.9"] if len(looked_up) == 1 else ["127.0.0.1"]

    async def open_connection(host: str, port: int, **options: object) -> None:
        connected.append(host)
        assert options["server_hostname"] == "pics.example"
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", open_connection)

    async def run() -> None:
        with pytest.raises(NotFetched, match="no connection"):
            await Fetcher(PublicInternet(resolve), PLAIN).fetch("https://pics.example/")

    within_a_minute(run())
    assert (looked_up, connected) == (["pics.example"], ["9.9.9.9"])


def test_a_redirect_to_the_inside_is_refused() -> None:
    """The first host is public as far as the resolver goes; the second is the metadata service."""
    strangers = Strangers({"a.example/": moved("http://169.254.169.254/latest/meta-data/")})
    internet = PublicInternet()

    async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Any:
        if host == "a.example":
            return await strangers.connect(host, port, tls)
        return await internet(host, port, tls)

    async def run() -> None:
        async with strangers.serving():
            with pytest.raises(NotFetched, match="not a public one"):
                await Fetcher(connect, PLAIN).fetch("http://a.example/")

    within_a_minute(run())


def test_a_form_goes_over_https_with_nothing_of_the_reader_and_no_further() -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("news.example").configure_cert(tls)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    strangers = Strangers(
        {
            "news.example/u?t=1": answer(b"", "202 Accepted"),
            "news.example/moved": moved("https://news.example/u?t=1"),
        }
    )

    async def run() -> None:
        async with strangers.serving(tls):
            fetcher = Fetcher(strangers.connect, trusting)
            await fetcher.post("https://news.example/u?t=1", b"a=b")
            for url in (
                "https://news.example/moved",
                "https://news.example/no",
                "http://news.example/u?t=1",
            ):
                with pytest.raises(NotFetched):
                    await fetcher.post(url, b"a=b")

    within_a_minute(run())
    assert len(strangers.requests) == 3
    assert strangers.requests[0] == (
        "POST /u?t=1 HTTP/1.1\r\n"
        "Host: news.example\r\n"
        "User-Agent: Mozilla/5.0\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: 3\r\n"
        "Connection: close\r\n\r\n"
    )
