"""What is shown of who sent a mail and where its links lead, desk and phone, light and dark.

`LIVEARCHIVE_SHOTS=1 pytest tests/browser/test_trust.py` also keeps a picture of each.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.phrase import phrase
from app.views import SenderCheck
from tests.app.web import sample
from tests.browser.site import Site
from tests.browser.test_pages import VARIANTS, expect_fine

CHECK = SenderCheck(
    by="mx.acme.example",
    domain="brightwater.example",
    passed=True,
    failed=False,
    results=(("DMARC", "pass", "brightwater.example"), ("SPF", "pass", "brightwater.example")),
)
HTML = """<style>span, p span { display: none !important } a { color: #b4351f }</style>
<h2>Your account is about to end</h2>
<p>Please log in at <a href="https://bank.com.evil.example/login" title="https://bank.com">
https://www.bank.com/login</a> until Friday, or
<a href="https://click.example/42">read more</a>.</p>
<p>Your <a href="https://bank.com@evil.example/">branch</a>, your
<a href="https://p\u0430ypal.com/">account</a>, our <a href="http://203.0.114.7/x">help</a>.</p>"""
TEXT = "See https://bank.com@evil.example/now or\nhttps://brightwater.example/gates, please.\n"


def change(site: Site, number: int, **changes: Any) -> None:
    reading = site.world.reading
    place = reading.place_of(sample.entry_id(number))
    letter: Any = reading.letters[place]
    parsed = replace(
        letter.parsed, **{key: changes.pop(key) for key in ("html",) if key in changes}
    )
    reading.letters[place] = replace(letter, parsed=parsed, **changes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_mail_is_shown_for_what_it_is(
    site: Site, visit: Callable[..., Page], variant: str
) -> None:
    told = phrase("This mail is not what it says.")
    change(site, 2, html=HTML, marked_links=4, told=told)
    change(site, 3, text=TEXT, marked_links=1, check=CHECK, first_time=True)
    page = visit(f"/mail/inbox/{sample.entry_id(2)}", **VARIANTS[variant])
    expect(
        page.get_by_text("4 links in this message do not lead where they seem to.")
    ).to_be_visible()
    frame = page.frame_locator("iframe[title='Message body']")
    for place in ("bank.com.evil.example", "xn--pypal-4ve.com (p\u0430ypal.com)", "203.0.114.7"):
        expect(frame.get_by_text(f"\u26a0 {place}", exact=True)).to_be_visible()
    expect(frame.get_by_text("\u26a0")).to_have_count(4)
    expect_fine(page, f"trust-html-{variant}")
    link = frame.get_by_role("link", name="read more")
    assert "noreferrer" in (link.get_attribute("rel") or "")
    assert link.get_attribute("target") == "_blank"
    link.focus()
    page.keyboard.press("Shift+Tab")  # by the keyboard, so that it shows where it leads
    said = "(link) => getComputedStyle(link, '::after').content"
    shown = frame.get_by_role("link", name="https://www.bank.com/login").evaluate(said)
    assert shown == '"bank.com.evil.example/login"'
    expect_fine(page, f"trust-focus-{variant}")
    page.goto(f"/mail/inbox/{sample.entry_id(3)}")
    expect(page.get_by_text("brightwater.example confirms this mail.")).to_be_visible()
    expect(page.get_by_text("The first mail from this address")).to_be_visible()
    expect(frame.get_by_text("\u26a0 evil.example", exact=True)).to_be_visible()
    expect(frame.get_by_text("\u26a0")).to_have_count(1)
    expect_fine(page, f"trust-text-{variant}")
