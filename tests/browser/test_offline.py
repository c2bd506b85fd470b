"""Reading without a line: what a browser keeps, behind the same walls, and when it all goes."""

import contextlib
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error, Page, Request, expect

from app.web.frame import SafeHtml
from tests.app.web import sample
from tests.browser.site import Site
from tests.parts.browser import BrowserProblems, accessibility_problems, keep_screenshot

Visit = Callable[..., Page]
HANNA = sample.entry_id(1)
HOSTILE = (
    '<p onclick="parent.ran = 1">Offer</p><img src="https://spy.example/open.gif">'
    '<img src="/static/x.png" onerror="parent.ran = 1"><script>parent.ran = 1</script>'
)
# What lies on this device, as somebody would find it who may read all of it.
ON_DISK = """async () => {
  const there = (await indexedDB.databases()).some((one) => one.name === 'livearchive');
  if (!there) return { text: '', urls: [], keys: 0, extractable: false };
  const db = await new Promise((done) => {
    const asked = indexedDB.open('livearchive');
    asked.onsuccess = () => done(asked.result);
  });
  const all = (name) => new Promise((done) => {
    const asked = db.transaction(name).objectStore(name).getAll();
    asked.onsuccess = () => done(asked.result);
  });
  const [held, pages] = [await all('state'), await all('pages')];
  const state = held.filter((one) => one.key);
  db.close();
  const text = pages.map((page) => [page.page, page.about].filter(Boolean)
    .map((box) => new TextDecoder('latin1').decode(box.octets)).join()).join();
  return {
    text, urls: pages.map((page) => page.url).sort(), keys: state.length,
    extractable: state.some((one) => one.key.extractable),
  };
}"""

# All that lies there grows older by so many seconds.
AGE = """async (seconds) => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open('livearchive');
    asked.onsuccess = () => done(asked.result);
  });
  const tx = db.transaction(['state', 'pages'], 'readwrite');
  const [state, pages] = [tx.objectStore('state'), tx.objectStore('pages')];
  state.get('reading').onsuccess = ({ target: { result } }) => {
    state.put({ ...result, seen: result.seen - seconds * 1000 }, 'reading');
  };
  pages.getAll().onsuccess = ({ target: { result } }) => {
    const older = (at) => at - seconds * 1000;
    for (const one of result) pages.put({ ...one, at: older(one.at), ends: older(one.ends) });
  };
  await new Promise((done) => { tx.oncomplete = done; });
  db.close();
}"""


def on_disk(page: Page) -> Any:
    return page.evaluate(ON_DISK)


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Wait for a state: Playwright takes the promise of an asynchronous predicate for true."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(Error):  # the page goes elsewhere meanwhile
            if is_so():
                return
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def has_kept(page: Page, *urls: str) -> None:
    """Wait until these are on the device: they are sealed beside what the reader does."""
    until(page, lambda: set(urls) <= set(on_disk(page)["urls"]))


def keeps_nothing(page: Page) -> None:
    nothing = {"text": "", "urls": [], "keys": 0, "extractable": False}
    until(page, lambda: on_disk(page) == nothing)


def switch_on(page: Page) -> None:
    page.goto("/settings")
    page.get_by_role("button", name="Read offline on this device").click()
    expect(page.get_by_text("Switched on")).to_be_visible()
    page.evaluate("navigator.serviceWorker.ready")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def read(page: Page, number: int) -> str:
    """Open a message, and wait until it lies on the device; its path."""
    path = f"/mail/inbox/{sample.entry_id(number)}"
    page.goto(path)
    has_kept(page, path, f"{path}/body")
    return path


@pytest.fixture
def kept(visit: Visit, browser_problems: BrowserProblems) -> Callable[..., Page]:
    """Somebody who has switched it on, has read a message, and whose list is there, too."""
    browser_problems.allow("ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to load resource")

    def opened(**options: Any) -> Page:
        page = visit("/mail/inbox", **options)
        switch_on(page)
        page.goto("/mail/inbox")
        has_kept(page, "/mail/inbox")
        page.goto("/compose/new")  # under a policy of its own, where all goes on as ever
        expect(page.locator("[data-compose]")).to_be_visible()
        read(page, 1)
        return page

    return opened


def raw(*_: object) -> SafeHtml:
    """A body that no sanitiser has seen: the frame's policy is the wall that is left."""
    return SafeHtml(pieces=(HOSTILE,))


def test_what_was_opened_can_be_read_without_a_line(site: Site, kept: Callable[..., Page]) -> None:
    page = kept()
    page.context.set_offline(True)
    page.goto("/")
    expect(page).to_have_url("/mail/inbox")
    expect(page.get_by_text("You are offline.")).to_be_visible()
    page.locator("[data-row]").first.click()
    expect(page.frame_locator("iframe[data-frame]").get_by_text("Thursday before")).to_be_visible()
    assert accessibility_problems(page) == []
    keep_screenshot(page, "offline-message")
    calls = len(site.world.reading.calls)
    page.get_by_role("button", name="Delete").first.click()  # is not done, and not lost either
    assert len(site.world.reading.calls) == calls
    expect(page).to_have_url(f"/mail/inbox/{HANNA}")
    # What was not opened: an honest page, with what there is, to be found by its words.
    page.goto(f"/mail/inbox/{sample.entry_id(4)}")
    expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
    expect(page.locator(".offline-list .row")).to_have_count(1)
    page.get_by_label("Sender or subject").fill("nobody")
    expect(page.locator(".offline-list .row")).to_have_count(0)
    page.get_by_label("Sender or subject").fill("hanna thursday")
    expect(page.locator(".offline-list .row")).to_have_count(1)
    assert accessibility_problems(page) == []
    keep_screenshot(page, "offline-page")
    page.context.set_offline(False)  # and it comes back by itself
    expect(page.get_by_role("heading", name="Contract draft")).to_be_visible()
    expect(page.get_by_text("You are offline.")).to_be_hidden()


def test_a_kept_frame_runs_nothing_and_fetches_nothing(
    site: Site,
    kept: Callable[..., Page],
    browser_problems: BrowserProblems,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser_problems.allow("Content Security Policy|CSP violation|sandboxed|ERR_BLOCKED")
    monkeypatch.setattr(site.world.reading, "body_html", raw)
    page = kept()
    path = read(page, 2)
    page.context.set_offline(True)
    asked: list[Request] = []

    def hear(request: Request) -> None:  # a bound method of a list is none to Playwright
        asked.append(request)

    page.on("request", hear)
    page.goto(path)
    frame = page.frame_locator("iframe[data-frame]")
    expect(frame.get_by_text("Offer")).to_be_visible()
    frame.get_by_text("Offer").click()
    assert page.evaluate("window.ran") is None
    assert page.frames[1].evaluate("origin") == site.url  # so the worker answers it, too
    abroad = [request.failure for request in asked if not request.url.startswith(site.url)]
    assert abroad == ["csp"]  # the browser itself never let it out


def test_the_device_holds_noise_and_a_key_that_no_script_takes_out(
    kept: Callable[..., Page],
) -> None:
    page = kept()
    disk = on_disk(page)
    assert disk["extractable"] is False
    assert disk["keys"] == 1
    assert disk["urls"] == ["/mail/inbox", f"/mail/inbox/{HANNA}", f"/mail/inbox/{HANNA}/body"]
    assert len(disk["text"]) > 1_000
    for word in ("Thursday", "hanna", "Hanna", "4471", "<html"):
        assert word not in disk["text"]


def test_what_was_deleted_or_is_over_goes(site: Site, kept: Callable[..., Page]) -> None:
    page = kept(viewport={"width": 390, "height": 844}, color_scheme="dark")
    read(page, 2)
    del site.world.reading.letters[0]  # on another device
    page.evaluate("sessionStorage.clear()")
    page.goto("/mail/inbox")
    gone = f"/mail/inbox/{HANNA}"
    until(page, lambda: gone not in on_disk(page)["urls"])
    page.evaluate(AGE, 5 * 86_400)
    page.context.set_offline(True)
    page.goto("/mail/inbox")
    expect(page.get_by_text("Board dry run").first).to_be_visible()
    expect(page.get_by_text("Purchase order 4471")).to_have_count(0)
    expect(page.get_by_text("quote for 40 units")).to_have_count(0)  # came five days ago
    keep_screenshot(page, "offline-phone-dark")
    page.evaluate(AGE, 3 * 86_400)
    page.goto(f"/mail/inbox/{sample.entry_id(2)}")
    expect(page.locator("[data-offline-page]")).to_be_visible()
    keep_screenshot(page, "offline-page-phone-dark")
    keeps_nothing(page)


@pytest.mark.parametrize("end", ["sign out", "session", "another person", "switch off"])
def test_all_goes_with(site: Site, visit: Visit, kept: Callable[..., Page], end: str) -> None:
    page = kept()
    if end == "sign out":
        page.context.set_offline(True)  # even when the server cannot hear of it yet
        page.get_by_role("button", name="account of").first.click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
        keeps_nothing(page)
        page.context.set_offline(False)
        expect(page).to_have_url(re.compile("/login$"))
        assert not site.world.accounts.visits
    elif end == "session":
        page.goto("/settings")  # a list would notice by itself
        site.world.accounts.visits.clear()
        page.goto("/mail/inbox")
        expect(page).to_have_url(re.compile("/login$"))
    elif end == "another person":
        page.context.add_cookies([site.cookie("maria@acme.example")])
        page.goto("/mail/inbox")
    else:
        page.goto("/settings")
        expect(page.get_by_text("Messages on this device: 1")).to_be_visible()
        keep_screenshot(page, "offline-settings")
        page.get_by_role("button", name="Switch off").click()
    keeps_nothing(page)
