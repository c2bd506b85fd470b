"""The real parts are what they say: each starts, answers, and is gone afterwards."""

import smtplib
import subprocess
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import Page
from sqlalchemy.engine import make_url

from tests.parts.browser import BrowserProblems, accessibility_problems
from tests.parts.dovecot import Dovecot
from tests.parts.network import free_port, listens, wait_until
from tests.parts.postfix import Postfix, Route


def test_every_database_is_fresh_and_empty(postgresql_url: str) -> None:
    url = make_url(postgresql_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string()) as tx:
        mine = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert tx.execute(mine).fetchone() == (0,)
        tx.execute("CREATE TABLE left_behind (id int)")


def test_free_ports_differ_and_nobody_listens_on_them() -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == len(ports)
    assert not any(listens(port) for port in ports)


def test_dovecot_gives_back_the_octets_that_it_took(dovecot: Dovecot) -> None:
    octets = b"Subject: =?x?broken\r\n\r\n\xff\xfe text \r\n.dot\r\n"
    with smtplib.LMTP("127.0.0.1", dovecot.lmtp_port, timeout=30) as lmtp:
        lmtp.sendmail("a@remote.example", ["octets@acme.example"], octets)
    (kept,) = dovecot.messages("octets@acme.example")
    assert kept.endswith(octets)


def test_postfix_hands_on_and_copies_to_the_same_address(
    start_postfix: Callable[..., Postfix], dovecot: Dovecot, swaks: str
) -> None:
    kept = start_postfix(Route("acme.example", dovecot.lmtp_port, "lmtp"))
    seen = start_postfix(Route("acme.example", dovecot.lmtp_port, "lmtp"))
    entry = start_postfix(Route("acme.example", kept.port, copy_port=seen.port))
    words = ["--from", "a@remote.example", "--to", "copied+tag@acme.example", "--body", "once each"]
    subprocess.run([swaks, "--server", f"127.0.0.1:{entry.port}", *words], check=True)
    first, second = dovecot.wait_for("copied+tag@acme.example", 2)
    assert b"once each" in first
    assert b"once each" in second


def test_postfix_keeps_its_queue_over_an_outage(
    start_postfix: Callable[..., Postfix], dovecot: Dovecot, swaks: str
) -> None:
    primary = start_postfix(Route("acme.example", dovecot.lmtp_port, "lmtp"))
    entry = start_postfix(Route("acme.example", primary.port))
    primary.stop()
    words = ["--from", "a@remote.example", "--to", "patient@acme.example"]
    subprocess.run([swaks, "--server", f"127.0.0.1:{entry.port}", *words], check=True)
    wait_until(lambda: "Connection refused" in entry.log, "a failed attempt")
    assert len(entry.queue()) == 1
    primary.start()
    assert len(dovecot.wait_for("patient@acme.example", 1)) == 1


STRICT = "default-src 'none'; script-src 'nonce-right'"
BAD_PAGES = {
    "a blocked script": "<script>document.title = 'ran'</script>",
    "a script error": "<script nonce=right>missing()</script>",
    "a console error": "<script nonce=right>console.error('no')</script>",
    "a blocked style": "<p style='color: red'>",
}


def show(page: Page, body: str) -> None:
    """Show a page under a strict policy, as if a server had sent it."""
    html = f"<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{body}</main>"
    page.route(
        "**/*",
        lambda route: route.fulfill(
            body=html, content_type="text/html", headers={"content-security-policy": STRICT}
        ),
    )
    page.goto("http://product.example/")


@pytest.mark.parametrize("body", BAD_PAGES.values(), ids=BAD_PAGES.keys())
def test_the_browser_tells_what_is_wrong(
    page: Page, browser_problems: BrowserProblems, body: str
) -> None:
    show(page, body)
    page.wait_for_load_state("networkidle")
    assert browser_problems.unexpected
    browser_problems.allow("")


def test_a_good_page_is_no_problem_and_accessible(page: Page) -> None:
    show(page, "<p>Nothing wrong</p>")
    assert accessibility_problems(page) == []


def test_an_inaccessible_page_is_told(page: Page) -> None:
    show(page, "<button></button>")
    assert [text for text in accessibility_problems(page) if text.startswith("button-name")]
