"""A real Chromium, driven by Playwright; a test fails on whatever the browser complains about.

`page` is one page in a context of its own, `new_page` makes more, with Playwright's context options
(`base_url`, `viewport`, `color_scheme`, ...). What a test provokes on purpose it allows by name:
`browser_problems.allow("status of 403")`.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # no stubs
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.parts.needs import lack, program

ARGUMENTS = (
    "--no-sandbox",  # its sandbox refuses to work for root
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
WAIT = 30_000  # ms; for a state that comes, on a machine that is busy with other tests
OUTPUT = Path(__file__).resolve().parent.parent / "output"

expect.set_options(timeout=WAIT)

# Reported by the page itself too: a violation need not reach the console.
WATCH_POLICY = """
addEventListener('securitypolicyviolation', event => console.error(
    `CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`))
"""


class BrowserProblems:
    """What the browser complained about during one test."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._allowed: list[str] = []

    def allow(self, pattern: str) -> None:
        """Expect complaints in which this regular expression is found."""
        self._allowed.append(pattern)

    def watch(self, page: Page) -> None:
        """Collect a page's complaints: its console, its uncaught errors, its policy."""
        page.on("console", self._hear)
        page.on("pageerror", self._catch)
        page.add_init_script(WATCH_POLICY)

    @property
    def unexpected(self) -> list[str]:
        """The complaints that no `allow` covers."""
        return [text for text in self.seen if not any(re.search(a, text) for a in self._allowed)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"console {message.type}: {message.text}")

    def _catch(self, error: Error) -> None:
        self.seen.append(f"uncaught: {error}")


def accessibility_problems(page: Page) -> list[str]:
    """What axe-core finds wrong with a page: a line for each, with the place."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html']}"
        for rule in found
        for node in rule["nodes"]
    ]


def keep_screenshot(page: Page, name: str) -> Path:
    """Keep what the page looks like now, in `tests/output/NAME.png`."""
    path = OUTPUT / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def chromium() -> str:
    """The path of the browser; the test is skipped where there is none."""
    chosen = os.environ.get("CHROMIUM")
    if chosen:
        return chosen if Path(chosen).exists() else lack(f"chromium (there is no {chosen})")
    return program("chromium", "chromium")


# Not for the whole session: while Playwright is open in a thread, asyncio.run() fails there.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium for the tests of one module."""
    executable = chromium()
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def browser_problems() -> BrowserProblems:
    """What the browser complains about in this test; see `allow`."""
    return BrowserProblems()


@pytest.fixture
def new_page(browser: Browser, browser_problems: BrowserProblems) -> Iterator[Callable[..., Page]]:
    """Call it for a page in a context of its own; afterwards the browser must be content."""
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"reduced_motion": "reduce", "locale": "en-GB", **options})
        context.set_default_timeout(WAIT)
        contexts.append(context)
        context.on("page", browser_problems.watch)
        return context.new_page()

    yield open_page
    # Before the pages close: what one says when it is torn down half loaded, no reader meets.
    unexpected = list(browser_problems.unexpected)
    for context in contexts:
        context.close()
    assert unexpected == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page in a context of its own."""
    return new_page()
