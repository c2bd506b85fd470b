"""Whose word is taken of where a mail comes from: the checker's alone, and where only it writes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounts import domains
from app.accounts.checking import Checker
from app.reading import verdicts
from app.views import SenderCheck
from archive_store.clock import utc_now
from tests.app.conftest import OPERATOR, World
from tests.app.reading.mail import mail

OURS = "mx.acme.example"
CHECKER = Checker.parse(f"{OURS} 192.0.2.0/24 2001:db8::/32")
BELOW = Checker.parse(f"{OURS} 192.0.2.0/24 below")
CLIENT = "192.0.2.7"
RECEIVED = f"Received: from x.example ([203.0.114.9])\r\n\tby {OURS} with ESMTPS id 1;\r\n\tnow\r\n"
FORGED_RECEIVED = RECEIVED.replace("id 1", "id 2")
PASS = "dmarc=pass (p=reject; dis=none) header.from=bank.com"
REST = "From: Bank <service@bank.com>\r\nSubject: x\r\n\r\nHello\r\n"


def field(said: str, name: str = OURS) -> str:
    return f"Authentication-Results: {name};\r\n\t{said}\r\n"


def check(
    head: str, checker: Checker | None = CHECKER, client: str = CLIENT, sender: str = "a@bank.com"
) -> SenderCheck | None:
    return verdicts.check_of((head + REST).encode(), client, checker, sender)


@pytest.mark.parametrize("sender", ["a@bank.com", "a@mail.bank.com", "a@BANK.com"])
def test_what_stands_above_the_checkers_received_field_counts(sender: str) -> None:
    found = check(field(PASS) + RECEIVED, sender=sender)
    assert found is not None
    assert (found.passed, found.failed) == (True, False)
    assert found.results == (("DMARC", "pass", "bank.com"),)


SEVERAL = (
    "boss@bank.com, eve@bank.com",
    "boss@mail.bank.com, eve@bank.com",
    "<boss@bank.com> <eve@bank.com>",
    "eve@bank.com <boss@bank.com>",
    'g: "boss"@bank.com;, eve@bank.com',
    "boss@bank.com\r\nFrom: eve@bank.com",
    "boss@bank.com,\r\n\teve@bank.com",
    "boss@bank.com" + " " * verdicts.LONGEST_FROM,
)
ONE = (
    "Boss <boss@bank.com>",
    '"eve@shop.com, \\"too" <boss@bank.com>',
    "boss@bank.com <Boss@bank.com>",
    "=?utf-8?q?eve@bank.com?= <boss@bank.com>",
    "The\r\n Boss\r\n\t<boss@bank.com>",
    "Boss, The <boss@bank.com>",
)


@pytest.mark.parametrize(
    ("sender", "passed"), [(one, False) for one in SEVERAL] + [(one, True) for one in ONE]
)
def test_who_shares_a_domain_is_not_confirmed_as_another_of_it(sender: str, passed: bool) -> None:
    octets = f"{field(PASS)}{RECEIVED}From: {sender}\r\nSubject: x\r\n\r\nHello\r\n".encode()
    found = verdicts.check_of(octets, CLIENT, CHECKER, "boss@bank.com")
    assert found is not None
    assert (found.passed, found.failed) == (passed, False)


def test_several_methods_are_told_and_the_topmost_field_first() -> None:
    said = (
        'spf=pass smtp.mailfrom="a;b"@bounce.bank.com;\r\n\tdkim=pass (2048-bit) header.d=bank.com '
        'header.s=x;\r\n\tarc=none; dmarc=fail reason="no; dmarc=pass header.from=x.com"'
    )
    found = check(field("dkim=fail header.i=@shop.com") + field(said) + RECEIVED)
    assert found is not None
    assert (found.passed, found.failed) == (False, True)
    assert found.results == (
        ("DKIM", "fail", "shop.com"),
        ("DKIM", "pass", "bank.com"),
        ("DMARC", "fail", ""),
    )


STRANGERS = {
    "below our Received": RECEIVED + field(PASS),
    "below a forged Received": RECEIVED + field(PASS) + FORGED_RECEIVED,
    "without any Received": field(PASS),
    "of another name": field(PASS, "mx.evil.net") + RECEIVED,
    "of a longer name": field(PASS, f"{OURS}.evil.net") + RECEIVED,
    "of a name in a comment": field(PASS, f"({OURS}) evil.net") + RECEIVED,
    "of a name twice": field(PASS, f"evil.net {OURS}") + RECEIVED,
    "of another version": field(PASS, f"{OURS} 2") + RECEIVED,
    "of another domain": field(PASS.replace("bank.com", "evil.net")) + RECEIVED,
    "of no domain": field("dmarc=pass") + RECEIVED,
    "in a comment": field(f"spf=none ({PASS}; {PASS})") + RECEIVED,
    "in a quoted reason": field(f'spf=none reason="x; {PASS}"') + RECEIVED,
    "in an open comment": field(f"(; {PASS}") + RECEIVED,
    "in an open quote": field(f'spf=none reason="x; {PASS}') + RECEIVED,
    "of another method": field("x-dmarc=pass header.from=bank.com") + RECEIVED,
    "with a longer result": field("dmarc=passed header.from=bank.com") + RECEIVED,
    "with a property that hides": field("dmarc=pass x=\"header.from=bank.com\"") + RECEIVED,
    "encoded": field("=?utf-8?q?dmarc=3Dpass?= header.from=bank.com") + RECEIVED,
    "in the body": RECEIVED + "X: y\r\n\r\n" + field(PASS) + RECEIVED,
    "by an old name of the field": RECEIVED + field(PASS).replace("Results", "Results-Original"),
    "not first": field("dmarc=none") + field(PASS) + RECEIVED,
}  # fmt: skip


@pytest.mark.parametrize("head", STRANGERS.values(), ids=STRANGERS)
def test_what_a_stranger_can_write_confirms_nothing(head: str) -> None:
    found = check(head)
    assert found is None or not found.passed


@pytest.mark.parametrize("client", ["203.0.114.9", "", "unknown", "::1", "192.0.3.1"])
def test_mail_that_came_another_way_is_not_believed(client: str) -> None:
    assert check(field(PASS) + RECEIVED, client=client) is None


def test_without_a_checker_nothing_is_said() -> None:
    assert check(field(PASS) + RECEIVED, None) is None


def test_below_the_received_field_the_first_one_counts_and_no_other() -> None:
    own = field("dmarc=fail header.from=bank.com")
    found = check(RECEIVED + own + field(PASS) + FORGED_RECEIVED, BELOW)
    assert found is not None
    assert found.failed
    assert check(RECEIVED + FORGED_RECEIVED + field(PASS), BELOW) is None
    found = check(own + RECEIVED + field(PASS), BELOW)  # what stands above outweighs it
    assert found is not None
    assert found.failed


def test_a_checker_of_several_hosts_says_how_many_received_fields_it_writes() -> None:
    head = RECEIVED + field(PASS) + RECEIVED
    assert check(head) is None
    found = check(head, Checker.parse(f"{OURS} 192.0.2.0/24 received=2"))
    assert found is not None
    assert found.passed


@given(st.text(alphabet='();"\\=.a ;dmarc=pass', max_size=300) | st.text(max_size=300))
@settings(max_examples=300, deadline=None)
def test_malformed_fields_raise_nothing(said: str) -> None:
    octets = (field(said) + RECEIVED + REST).encode("utf-8", "surrogatepass")
    verdicts.check_of(octets, CLIENT, BELOW, "a@bank.com")


@pytest.mark.parametrize(
    "said", ["(" * 60_000, '"' * 60_000, "a=b " * 15_000, "\\" * 60_000, ";" * 60_000]
)
def test_long_fields_are_read_in_linear_time(said: str) -> None:
    assert check(field(said) + RECEIVED) is None
    assert verdicts.read_field(f"{OURS};{said}", OURS) == []


@pytest.mark.parametrize(
    "text",
    ["mx.acme.example", "192.0.2.0/24", "mx 192.0.2.0/99", "mx 192.0.2.1 received=0", "a b c"],
)
def test_a_checker_needs_a_name_and_networks(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Checker.parse(text)


def test_an_open_message_has_what_the_checker_found(world: World) -> None:
    with world.db.write() as tx:
        domain = domains.find(tx, OPERATOR, "acme.example")
        changes = {"checked-by": f"  {OURS.upper()}  192.0.2.7/24 "}
        domains.change(tx, OPERATOR, domain, changes, utc_now())
        assert domain.checked_by == f"{OURS} 192.0.2.0/24"
    octets = (field(PASS) + RECEIVED).encode()
    ours, twice = octets + mail(sender="x@bank.com"), octets + b"From: <y@bank.com>\r\n"
    [came] = world.receive(ours, client_ip=CLIENT)
    [elsewhere] = world.receive(ours, client_ip="203.0.114.9")
    [several] = world.receive(twice + mail(sender="x@bank.com"), client_ip=CLIENT)
    viewer = world.viewer()
    found = world.reading.open_message(viewer, came).check
    assert found is not None
    assert found.passed
    assert world.reading.open_message(viewer, elsewhere).check is None
    assert world.reading.open_message(viewer, several).check is None
