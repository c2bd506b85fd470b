"""Published attacks on sanitisers in a real browser, with each of the two walls removed in turn.

Wall one alone: each is sanitised and shown without a policy that binds; one that only reports tells
of whatever would have run or loaded. Wall two alone: each as its author wrote it, in the frame and
under the policy of a body. A part of them here: `python -m bench.vectors` sends all by mail.
"""

import pytest
from playwright.sync_api import Page

from app.web.sanitize import FRAME_CSP, sanitize_html
from tests.corpus.vectors import REPORTING, published
from tests.parts.browser import BrowserProblems
from tests.parts.frames import POKE, SANDBOX, Site, paths

EVERY = 20
MARKUPS = [vector.markup for vector in published()[::EVERY]]
ANYTHING = ""  # what a policy stops it tells


@pytest.fixture
def reports(page: Page) -> list[str]:
    """What the browser says of a page."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


def test_sanitised_none_of_them_acts_where_no_policy_stops_it(
    page: Page, reports: list[str]
) -> None:
    site = Site(page, sandbox=None, headers={"Content-Security-Policy-Report-Only": REPORTING})
    site.show([sanitize_html(markup).document for markup in MARKUPS])
    page.evaluate(POKE)
    assert reports == []
    assert site.where() == paths(len(MARKUPS))
    assert site.acted() == []
    assert site.fetched == []


def test_as_written_none_of_them_acts_under_the_policy_of_a_body(
    page: Page, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow(ANYTHING)
    site = Site(page, sandbox=SANDBOX, headers={"Content-Security-Policy": FRAME_CSP})
    site.show([f"<!DOCTYPE html>{markup}" for markup in MARKUPS])
    assert site.where() == paths(len(MARKUPS))
    assert site.acted() == []
    assert site.fetched == []


@pytest.mark.parametrize(
    "attack", ["<script>1</script>", "<b onclick=1>x</b>", "<img src=//evil.example/a.gif>"]
)
def test_the_reports_tell_of_an_attack_where_there_is_no_wall(
    page: Page, reports: list[str], browser_problems: BrowserProblems, attack: str
) -> None:
    browser_problems.allow(ANYTHING)
    site = Site(page, sandbox=None, headers={"Content-Security-Policy-Report-Only": REPORTING})
    site.show([attack])
    assert any("violate" in report for report in reports)
