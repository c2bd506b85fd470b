"""Where mail to the outside goes, asked of a DNS server of the test's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.asyncresolver
import pytest

from app.accounts.domains import Tls
from app.config_kinds import HostPort
from app.delivery.mx import (
    DNS_TROUBLE,
    LOOP,
    NO_DOMAIN,
    NO_SERVER,
    NULL_MX,
    MailExchangers,
    Target,
    may_connect,
)
from app.delivery.outcome import Deferred, Failed
from app.delivery.routes import NO_PRIMARY, Route, Routes, primary_route
from app.models import Domain
from archive_store.address import EmailAddress
from tests.app.delivery.names import Zone, answered

ZONE = {
    ("two.example", "MX"): ["20 b.two.example.", "10 a.two.example."],
    ("a.two.example", "A"): ["192.0.2.1"],
    ("b.two.example", "A"): ["192.0.2.2"],
    ("b.two.example", "AAAA"): ["2001:db8::2"],
    ("bare.example", "A"): ["192.0.2.3"],
    ("null.example", "MX"): ["0 ."],
    ("nothing.example", "TXT"): ['"no mail here"'],
    ("dangling.example", "MX"): ["10 gone.example."],
    ("inside.example", "MX"): ["10 inside.example."],
    ("inside.example", "A"): ["127.0.0.1"],
    ("half.example", "MX"): ["10 broken.example.", "20 a.two.example."],
    ("sick.example", "MX"): ["10 broken.example."],
    ("own.example", "MX"): ["10 a.two.example.", "20 live.example.", "30 b.two.example."],
    ("loop.example", "MX"): ["10 live.example.", "20 b.two.example."],
}


class Dns(asyncio.DatagramProtocol):
    """Answers from a zone."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        octets = answered(self._zone, data)
        self._transport.sendto(octets, addr)  # type: ignore[attr-defined]  # a datagram one


@asynccontextmanager
async def resolver() -> AsyncIterator[dns.asyncresolver.Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: Dns(ZONE), local_addr=("127.0.0.1", 0)
    )
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers = ["127.0.0.1"]
    made.port = transport.get_extra_info("sockname")[1]
    made.lifetime = 2
    try:
        yield made
    finally:
        transport.close()


def find(domain: str) -> tuple[Target, ...] | Deferred | Failed:
    async def scenario() -> tuple[Target, ...] | Deferred | Failed:
        async with resolver() as ours:
            return await MailExchangers("live.example", ours).find(domain)

    return asyncio.run(scenario())


def test_servers_come_by_preference_with_all_their_addresses() -> None:
    assert find("two.example") == (
        Target("a.two.example", 25, ("192.0.2.1",)),
        Target("b.two.example", 25, ("2001:db8::2", "192.0.2.2")),
    )


def test_a_domain_without_mx_is_its_own_server() -> None:
    assert find("bare.example") == (Target("bare.example", 25, ("192.0.2.3",)),)


def test_an_address_literal_needs_no_dns() -> None:
    assert find("[192.0.2.9]") == (Target("192.0.2.9", 25, ("192.0.2.9",)),)
    assert find("[IPv6:2001:db8::1]") == (Target("2001:db8::1", 25, ("2001:db8::1",)),)


@pytest.mark.parametrize(
    ("domain", "outcome"),
    [
        ("null.example", NULL_MX),
        ("unknown.example", NO_DOMAIN),
        ("nothing.example", NO_SERVER),
        ("dangling.example", NO_SERVER),
        ("broken.example", DNS_TROUBLE),
        ("sick.example", DNS_TROUBLE),
        ("inside.example", NO_SERVER),
        ("[127.0.0.1]", LOOP),
        ("loop.example", LOOP),
    ],
)
def test_what_takes_no_mail_fails_and_what_is_unknown_waits(
    domain: str, outcome: Deferred | Failed
) -> None:
    assert find(domain) == outcome


def test_a_null_mx_has_the_code_of_its_standard() -> None:
    assert (NULL_MX.code, NULL_MX.status) == (556, "5.1.10")


def test_only_servers_better_than_ourselves_are_tried() -> None:
    found = find("own.example")
    assert isinstance(found, tuple)
    assert [target.host for target in found] == ["a.two.example"]


def test_without_a_resolver_mail_waits() -> None:
    async def scenario() -> tuple[Target, ...] | Deferred | Failed:
        nobody = dns.asyncresolver.Resolver(configure=False)
        nobody.nameservers = ["127.0.0.1"]
        nobody.port, nobody.lifetime = 9, 0.3
        return await MailExchangers("live.example", nobody).find("two.example")

    assert asyncio.run(scenario()) == DNS_TROUBLE


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "0.0.0.0", "::", "::ffff:127.0.0.1"]
)
def test_a_strangers_mx_never_leads_to_this_machine(address: str) -> None:
    assert not may_connect(address)
    assert may_connect("192.0.2.1")


def domain(name: str, *, relay: str = "", smarthost: str = "") -> Domain:
    host, _, port = relay.partition(":")
    mode = "relay" if relay else "copy"
    return Domain(
        name=name, mode=mode, relay_host=host, relay_port=int(port or 0), smarthost=smarthost
    )


def test_a_primary_is_where_its_domain_says() -> None:
    assert primary_route(domain("x.example", relay="mx.x.example:2526")) == Route(
        "mx.x.example:2526", (Target("mx.x.example", 2526),)
    )
    assert primary_route(domain("x.example")) == NO_PRIMARY


def test_what_a_domain_asks_of_its_servers_is_in_the_route() -> None:
    ours = domain("x.example", relay="mx.x.example:25", smarthost="out.example:587")
    ours.relay_tls, ours.smarthost_tls = Tls.VERIFY, Tls.ENCRYPT
    checked = Route("mx.x.example:25 verify", (Target("mx.x.example", 25, tls=Tls.VERIFY),))
    assert primary_route(ours) == checked

    async def scenario(recipient: str) -> Route | Deferred | Failed:
        async with resolver() as known:
            routes = Routes(MailExchangers("live.example", known), None)
            return await routes.outgoing(ours, EmailAddress.parse(recipient), {"x.example": ours})

    assert asyncio.run(scenario("a@x.example")) == checked  # inside, by its own server
    outside = Route("out.example:587 encrypt", (Target("out.example", 587, tls=Tls.ENCRYPT),))
    assert asyncio.run(scenario("a@two.example")) == outside


@pytest.mark.parametrize(
    ("recipient", "sender", "installation", "key"),
    [
        ("a@two.example", domain("o.example"), None, "two.example"),
        ("a@two.example", domain("o.example"), HostPort("out", 25), "out:25"),
        ("a@two.example", domain("o.example", smarthost="own:587"), HostPort("out", 25), "own:587"),
        # never to the MX of a domain that we relay for, which is this service
        ("a@ours.example", domain("o.example", smarthost="own:587"), None, "primary:25"),
        ("a@copied.example", domain("o.example", smarthost="own:587"), None, "own:587"),
    ],
)
def test_outgoing_mail_goes_by_smarthost_or_mx(
    recipient: str, sender: Domain, installation: HostPort | None, key: str
) -> None:
    ours = {
        "ours.example": domain("ours.example", relay="primary:25"),
        "copied.example": domain("copied.example"),
    }

    async def scenario() -> Route | Deferred | Failed:
        async with resolver() as known:
            routes = Routes(MailExchangers("live.example", known), installation)
            return await routes.outgoing(sender, EmailAddress.parse(recipient), ours)

    route = asyncio.run(scenario())
    assert isinstance(route, Route)
    assert route.key == key
