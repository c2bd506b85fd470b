"""Each of the two walls in a real browser, without the other one: nothing acts, nothing fetches.

The attacks of the corpus call `pwned()` and fetch from elsewhere. Wall one: sanitised, shown as a
page of its own without any policy. Wall two: as the attacker wrote it, in the frame and under the
policy that bodies are served with.
"""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from app.web.sanitize import FRAME_CSP, plain_text_document, sanitize_html
from tests.corpus.markup import HOSTILE, NEWSLETTER
from tests.corpus.ordinary import PNG
from tests.parts.browser import BrowserProblems
from tests.parts.frames import POKE, SANDBOX, Site, paths


def test_wall_one_alone_the_sanitised_page_does_nothing(page: Page) -> None:
    site = Site(page, sandbox=None, headers={})
    site.show([sanitize_html(markup, {"x": PNG}).document for markup in HOSTILE.values()])
    page.evaluate(POKE)
    assert site.acted() == []
    assert site.fetched == []
    assert site.where() == paths(len(HOSTILE))


def test_wall_two_alone_the_policy_of_the_frame_stops_the_attack_itself(
    page: Page, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow(
        "Security Policy|sandboxed|Unsafe attempt|ERR_|CSP violation|Error|not valid"
    )
    site = Site(page, sandbox=SANDBOX, headers={"Content-Security-Policy": FRAME_CSP})
    site.show([f"<!DOCTYPE html>{markup}" for markup in HOSTILE.values()])
    assert site.acted() == []
    assert site.fetched == []
    assert site.where() == paths(len(HOSTILE))


def test_the_watch_sees_an_attack_where_there_is_no_wall(
    page: Page, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow("ERR_FAILED")
    site = Site(page, sandbox=None, headers={})
    site.show([HOSTILE["script"], HOSTILE["picture"]])
    assert site.acted() == ["/0"]
    assert site.fetched == ["http://evil.example/a.gif"]


def framed(page: Page, document: str) -> None:
    site = Site(page, sandbox=SANDBOX, headers={"Content-Security-Policy": FRAME_CSP})
    site.show([document])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_newsletter_in_its_frame_is_complete_and_light_in_both_themes(
    new_page: Callable[..., Page], scheme: Any
) -> None:
    page = new_page(color_scheme=scheme)
    framed(page, sanitize_html(NEWSLETTER, {"hero@shop.example": PNG}).document)
    body = page.frame_locator("iframe")
    hero = body.get_by_alt_text("Coats")
    assert hero.evaluate("image => image.naturalWidth") == 1
    assert hero.evaluate("image => image.width") > 200  # as wide as the frame lets it be
    assert body.get_by_role("link", name="Shop").count() == 1  # by the text of its blocked picture
    assert body.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == (
        "rgb(244, 244, 244)"
    )
    assert body.get_by_text("Autumn sale").evaluate("e => getComputedStyle(e).fontSize") == "24px"


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_plain_text_in_its_frame_is_light_or_dark_with_the_reader(
    new_page: Callable[..., Page], scheme: Any, dark: bool
) -> None:
    page = new_page(color_scheme=scheme)
    framed(page, plain_text_document("Hello\n> quoted").document)
    lightness = (
        page.frame_locator("iframe")
        .locator("html")
        .evaluate("e => Number(getComputedStyle(e).backgroundColor.match(/[.0-9]+/)[0])")
    )
    assert (lightness < 0.5) is dark


def test_a_link_in_the_frame_opens_beside_it(page: Page) -> None:
    framed(page, sanitize_html('<a href="https://shop.example/x">to the shop</a>').document)
    page.context.route("https://shop.example/**", lambda route: route.fulfill(body="shop"))
    with page.expect_popup() as popup:
        page.frame_locator("iframe").get_by_text("to the shop").click()
    assert popup.value.evaluate("window.opener") is None
