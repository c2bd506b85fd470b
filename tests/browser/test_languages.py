"""Pages in the language with the longest words, and in the one that runs from right to left."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.app.web import sample

Visit = Callable[..., Page]
INBOX = "/mail/inbox"
PATHS = (INBOX, f"{INBOX}/{sample.entry_id(1)}", "/compose/new", "/settings")
SCREENS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}
# By how much the first letter of a text stands outside of its box.
LOST = """box => {
    const letter = document.createRange();
    letter.setStart(box.firstChild, 0);
    letter.setEnd(box.firstChild, 1);
    const [seen, whole] = [letter.getBoundingClientRect(), box.getBoundingClientRect()];
    return Math.max(whole.left - seen.left, seen.right - whole.right);
}"""


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["de", "ar"])
def test_a_language_fits(visit: Visit, language: str, screen: str) -> None:
    page = visit(INBOX, locale=language, **SCREENS[screen])
    for path in PATHS:
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == language
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert beyond <= 0, f"{path} is {beyond} pixels wider than the window"


def test_from_right_to_left_time_and_long_names_run_as_they_should(visit: Visit) -> None:
    page = visit(INBOX, locale="ar", **SCREENS["desk"])
    week = page.locator(".nav .week")
    assert left(week.locator(".today")) < left(week.locator(".leaving"))
    names = page.locator(".row-from > bdi").all()
    cut = [name for name in names if name.evaluate("it => it.scrollWidth > it.clientWidth")]
    assert cut
    assert all(name.evaluate(LOST) <= 1 for name in cut), "a long name loses its beginning"


def left(part: Locator) -> float:
    """Where something begins, in pixels."""
    box = part.bounding_box()
    assert box is not None
    return box["x"]
