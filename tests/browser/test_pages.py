"""Every page, wide and narrow, light and dark: accessible, nothing overflows, nothing is blocked.

`LIVEARCHIVE_SHOTS=1 pytest tests/browser/test_pages.py` also keeps a picture of each.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.app.web import sample
from tests.app.web.health_double import OUTAGE
from tests.browser.site import Site
from tests.parts.browser import BrowserProblems, accessibility_problems, keep_screenshot

Visit = Callable[..., Page]
ID = sample.entry_id
VLAD, MARIA = "vlad@acme.example", "maria@acme.example"
AUDITOR, PROVIDER = "audit@acme.example", "provider@livearchive.example"
PAGES: dict[str, tuple[str | None, str]] = {
    "login": (None, "/login"),
    "inbox": (VLAD, "/mail/inbox"),
    "last-page": (VLAD, "/mail/inbox?page=2"),
    "identity": (VLAD, "/mail/inbox?to=2"),
    "sent": (VLAD, "/mail/sent"),
    "trash": (VLAD, "/mail/trash"),
    "empty-folder": (VLAD, "/mail/archive"),
    "empty-filter": (VLAD, "/mail/sent?filter=unread"),
    "message": (VLAD, f"/mail/inbox/{ID(1)}"),
    "message-many": (VLAD, f"/mail/inbox/{ID(2)}"),
    "message-arabic": (VLAD, f"/mail/inbox/{ID(5)}"),
    "message-long": (VLAD, f"/mail/inbox/{ID(6)}"),
    "message-forged": (VLAD, f"/mail/inbox/{ID(7)}"),
    "message-unreadable": (VLAD, f"/mail/inbox/{ID(8)}"),
    "message-40-files": (VLAD, f"/mail/inbox/{ID(9)}"),
    "source": (VLAD, f"/mail/inbox/{ID(1)}/source"),
    "write": (VLAD, "/compose/new"),
    "reply-all": (VLAD, f"/compose/reply-all/{ID(2)}"),
    "forward": (VLAD, f"/compose/forward/{ID(9)}"),
    "search": (VLAD, "/search"),
    "settings": (VLAD, "/settings"),
    "overview": (PROVIDER, "/admin/"),
    "domains": (PROVIDER, "/admin/domains"),
    "domain-new": (PROVIDER, "/admin/domains/new"),
    "domain": (MARIA, f"/admin/domains/{ID(900)}"),
    "people": (PROVIDER, "/admin/users"),
    "person-new": (PROVIDER, "/admin/users/new"),
    "audit": (AUDITOR, "/admin/audit"),
    "holds": (AUDITOR, "/admin/holds"),
    "hold": (AUDITOR, f"/admin/holds/{ID(600)}"),
    "hold-release": (AUDITOR, f"/admin/holds/{ID(600)}/release"),
    "maillog": (MARIA, "/admin/maillog"),
    "maillog-line": (MARIA, f"/admin/maillog/{ID(500)}"),
    "queue": (MARIA, "/admin/queue"),
    "drop": (MARIA, f"/admin/queue/{ID(300)}/drop"),
}
VARIANTS: dict[str, dict[str, Any]] = {
    "desk-light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "phone-dark": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "has_touch": True,
    },
}
KEEP_PICTURES = os.environ.get("LIVEARCHIVE_SHOTS") == "1"


def expect_fine(page: Page, name: str) -> None:
    if KEEP_PICTURES:
        keep_screenshot(page, name)
    beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond <= 0, f"{beyond} pixels wider than the window"
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_fine(site: Site, visit: Visit, name: str, variant: str) -> None:
    site.world.health.shown = OUTAGE
    who, path = PAGES[name]
    expect_fine(visit(path, who, **VARIANTS[variant]), f"{name}-{variant}")


@pytest.mark.parametrize("path", [f"/mail/inbox/{ID(2)}", "/settings"])
def test_strong_contrast_in_a_dark_mirror_is_fine(visit: Visit, path: str) -> None:
    page = visit(path, **VARIANTS["desk-light"], contrast="more")
    look = "dark.compact.ar.conversations.below"
    page.context.add_cookies([{"name": "look", "value": look, "url": page.url}])
    page.reload()
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert accessibility_problems(page) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_error_page_is_fine(
    visit: Visit, browser_problems: BrowserProblems, variant: str
) -> None:
    browser_problems.allow("status of 404")
    expect_fine(visit("/nothing", None, **VARIANTS[variant]), f"error-{variant}")


@pytest.mark.parametrize("variant", VARIANTS)
def test_found_mail_is_fine(visit: Visit, variant: str) -> None:
    page = visit("/search", **VARIANTS[variant])
    page.get_by_label("Words, names, addresses").fill("order has:attachment foo:bar")
    page.get_by_role("button", name="Search").click()
    expect_fine(page, f"found-{variant}")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_search_that_was_counted_for_a_hold_is_fine(visit: Visit, variant: str) -> None:
    page = visit("/admin/holds", AUDITOR, **VARIANTS[variant])
    page.get_by_label("Mailbox, by address").fill(VLAD)
    page.get_by_label("Only what a search finds").fill(f"from:anna {sample.LONG_WORD}")
    page.get_by_label("Reason").fill("Matter 9")
    page.get_by_role("button", name="Place under hold").click()
    page.get_by_role("heading", name="Place 12 messages under hold?").wait_for()
    expect_fine(page, f"hold-found-{variant}")


@pytest.mark.parametrize("opens", ["account", "keys", "folders", "more"])
def test_what_floats_is_fine(visit: Visit, opens: str) -> None:
    narrow = opens in ("folders", "more")
    path = f"/mail/inbox/{ID(1)}" if opens == "more" else "/mail/inbox"
    page = visit(path, MARIA, **VARIANTS["phone-dark" if narrow else "desk-light"])
    page.locator(f"[popovertarget={opens}]:visible").first.click()
    expect_fine(page, f"float-{opens}")


@pytest.mark.parametrize("width", [820, 1920])
@pytest.mark.parametrize("path", ["/mail/inbox", f"/mail/inbox/{ID(2)}", "/admin/", "/compose/new"])
def test_other_widths_hold(visit: Visit, path: str, width: int) -> None:
    page = visit(path, MARIA, viewport={"width": width, "height": 1000}, color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("path", ["/mail/inbox", f"/mail/inbox/{ID(1)}", "/settings"])
def test_right_to_left_is_a_mirror(visit: Visit, path: str) -> None:
    page = visit(path, **VARIANTS["desk-light"])
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    nav = page.locator(".nav").bounding_box()
    assert nav is not None
    assert nav["x"] > 1000
