"""A domain's records, asked of a DNS server of the test's own, and what is said of them."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dns.resolver
import pytest

from app.accounts.dkim import TxtRecord
from app.config_kinds import HostPort
from app.delivery.dns_check import Expected, Finding, Resolver, Result, expected, look
from app.models import DkimKey, Domain
from tests.app.delivery.names import Zone, answered

KEY = TxtRecord("one._domainkey.acme.example", "v=DKIM1; k=rsa; p=" + "MIIB" * 98)
EXPECTED = Expected("acme.example", "live.acme.example", "out.acme.example", (KEY,))
GOOD: dict[tuple[str, str], list[str]] = {
    ("acme.example", "MX"): ["20 other.acme.example.", "10 LIVE.acme.example."],
    ("acme.example", "TXT"): ['"some=thing"', '"v=spf1 a:out.acme.example -all"'],
    ("out.acme.example", "A"): ["192.0.2.7"],
    ("out.acme.example", "AAAA"): ["2001:db8::7"],
    (KEY.host, "TXT"): [KEY.zone_text],
    ("_dmarc.acme.example", "TXT"): ['"v=DMARC1; p=reject; adkim=s"'],
}


@contextmanager
def asking(zone: Zone) -> Iterator[Resolver]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            socket.sendto(answered(zone, data), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        resolver.retry_servfail = False
        try:
            yield Resolver(resolver)
        finally:
            server.shutdown()
            thread.join()


def found(wanted: Expected = EXPECTED, /, **changes: Any) -> dict[str, Finding]:
    """By kind; `changes` put other records in the zone, None takes them away."""
    places = {
        "mx": ("acme.example", "MX"),
        "spf": ("acme.example", "TXT"),
        "key": (KEY.host, "TXT"),
        "dmarc": ("_dmarc.acme.example", "TXT"),
    }
    zone = GOOD | {places[name]: records for name, records in changes.items()}
    with asking({place: records for place, records in zone.items() if records}) as resolver:
        return {one.kind: one for one in look(wanted, resolver.ask)}


def test_records_that_are_as_they_should_be_are_right() -> None:
    by_kind = found()
    assert list(by_kind) == ["MX", "SPF", "DKIM", "DMARC"]
    assert {one.result for one in by_kind.values()} == {Result.RIGHT}
    assert by_kind["DKIM"].found == (KEY.value,)


@pytest.mark.parametrize(
    ("kind", "records", "result"),
    [
        ("mx", None, Result.MISSING),
        ("mx", ["10 mail.elsewhere.example."], Result.DIFFERENT),
        ("spf", None, Result.MISSING),
        ("spf", ['"v=spf10 a:out.acme.example"'], Result.MISSING),
        ("spf", ['"v=spf1 -all"'], Result.DIFFERENT),
        ("spf", ['"v=spf1 ip4:192.0.2.0/29 -all"'], Result.RIGHT),
        ("spf", ['"v=spf1 ip4:192.0.2.8 ip6:2001:db8::/64 ~all"'], Result.RIGHT),
        ("spf", ['"v=spf1 -ip4:192.0.2.7 -all"'], Result.DIFFERENT),
        ("spf", ['"v=spf1 ip4:192.0.2.8 ip6:nonsense -all"'], Result.DIFFERENT),
        ("spf", ['"v=spf1 mx -all"'], Result.DIFFERENT),
        ("spf", ['"v=spf1 include:spf.big.example -all"'], Result.UNCLEAR),
        ("spf", ['"v=spf1 a:out.acme.example"', '"v=spf1 mx"'], Result.DIFFERENT),
        ("key", None, Result.MISSING),
        ("key", ['"v=DKIM1; p="'], Result.DIFFERENT),
        ("key", ['"k=rsa ; p=' + "MIIB" * 40 + '" " ' + "MIIB" * 58 + '"'], Result.RIGHT),
        ("dmarc", None, Result.MISSING),
        ("dmarc", ['"v=DMARC1; p=none"', '"v=DMARC1; p=reject"'], Result.DIFFERENT),
    ],
)
def test_what_is_otherwise_is_told(kind: str, records: list[str] | None, result: Result) -> None:
    one = found(EXPECTED, **{kind: records})["DKIM" if kind == "key" else kind.upper()]
    assert one.result is result
    assert one.wanted


@pytest.mark.parametrize(
    ("sender", "named"),
    [
        ("out.acme.example", "a:out.acme.example"),
        ("192.0.2.7", "ip4:192.0.2.7"),
        ("2001:db8::7", "ip6:2001:db8::7"),
    ],
)
def test_the_record_that_is_wanted_names_an_address_as_one(sender: str, named: str) -> None:
    one = found(replace(EXPECTED, sender=sender), spf=[f'"v=spf1 {named} -all"'])["SPF"]
    assert one.wanted.startswith(f"v=spf1 {named} ")
    assert one.result is Result.RIGHT


def test_a_policy_of_the_domain_above_counts() -> None:
    deep = replace(EXPECTED, domain="mail.acme.example")
    assert found(deep)["DMARC"].result is Result.RIGHT


def test_a_dns_that_does_not_answer_is_told_from_an_absent_record() -> None:
    broken = Expected(
        "broken.example", "", "a.broken.example", (replace(KEY, host="k.broken.example"),)
    )
    assert {one.result for one in found(broken).values()} == {Result.SILENT}


def test_a_name_that_is_none_is_no_error() -> None:
    assert found(replace(EXPECTED, sender="-..-"))["SPF"].result is Result.DIFFERENT


@pytest.mark.parametrize(
    ("mode", "own", "installation", "takes", "sender"),
    [
        ("relay", "", None, "live.example", "live.example"),
        ("relay", "", HostPort("out.example", 25), "live.example", "out.example"),
        ("copy", "smart.example:587", HostPort("out.example", 25), "", "smart.example"),
        ("copy", "[2001:db8::1]:25", None, "", "2001:db8::1"),
    ],
)
def test_mail_goes_out_by_the_smarthost_else_from_here(
    mode: str, own: str, installation: HostPort | None, takes: str, sender: str
) -> None:
    domain = Domain(name="acme.example", mode=mode, relay_host="mail", relay_port=25, smarthost=own)
    domain.dkim_keys.append(
        DkimKey(selector="one", algorithm="rsa", public=b"p", created_at=datetime.now(UTC))
    )
    wanted = expected(domain, "Live.example", installation)
    record = TxtRecord("one._domainkey.acme.example", "v=DKIM1; k=rsa; p=cA==")
    assert wanted == Expected("acme.example", takes, sender, (record,))
