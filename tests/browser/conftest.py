"""A running site for a module of browser tests, its world fresh for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.app.web.double import World
from tests.browser.site import Site, running

VLAD = "vlad@acme.example"


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    with running(World()) as site:
        yield site


@pytest.fixture
def site(served: Site) -> Site:
    served.reset()
    return served


@pytest.fixture
def visit(site: Site, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Open a page of somebody: `visit("/mail/inbox")`, as Vlad unless said otherwise."""

    def open_page(path: str, who: str | None = VLAD, **options: Any) -> Page:
        page = new_page(base_url=site.url, timezone_id="Europe/Berlin", **options)
        if who:
            page.context.add_cookies([site.cookie(who)])
        page.context.add_cookies([{"name": "tz", "value": "Europe/Berlin", "url": site.url}])
        page.goto(path)
        return page

    return open_page
