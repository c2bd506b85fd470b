"""Mail written without a line: it waits on the device, and is sent once, by its writer alone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.views import SentReceipt
from tests.app.web import sample
from tests.browser.site import Site
from tests.browser.test_offline import has_kept, read, switch_on, until
from tests.parts.browser import BrowserProblems, accessibility_problems, keep_screenshot

Visit = Callable[..., Page]
SEALED = """async () => {
  const db = await new Promise((done) => {
    const asked = indexedDB.open('livearchive');
    asked.onsuccess = () => done(asked.result);
  });
  const all = await new Promise((done) => {
    const asked = db.transaction('outbox').objectStore('outbox').getAll();
    asked.onsuccess = () => done(asked.result);
  });
  db.close();
  const plain = new TextDecoder('latin1');
  return all.map((one) => plain.decode(one.letter.octets) + JSON.stringify(one));
}"""


@pytest.fixture
def ready(visit: Visit, browser_problems: BrowserProblems) -> Callable[..., Page]:
    browser_problems.allow("ERR_INTERNET_DISCONNECTED|ERR_FAILED|Failed to load resource")

    def opened(**options: Any) -> Page:
        page = visit("/mail/inbox", **options)
        switch_on(page)
        page.goto("/mail/inbox")
        has_kept(page, "/mail/inbox")
        return page

    return opened


def write(page: Page, path: str, text: str, to: str = "") -> None:
    page.goto(path)
    if to:
        page.get_by_label("To").fill(to)
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send when my line is back").click()
    expect(page.get_by_role("heading", name="Waiting for your line")).to_be_visible()


def sent(site: Site) -> list[tuple[str, str, str | None]]:
    return [(one.to, one.text, one.source_entry) for one in site.world.sending.sent]


def test_what_was_written_without_a_line_is_sent_once_it_is_back(
    site: Site, ready: Callable[..., Page]
) -> None:
    page = ready()
    read(page, 1)
    page.context.set_offline(True)
    write(page, "/compose/new", "Hello", "hanna@in.example")
    write(page, f"/compose/reply/{sample.entry_id(1)}", "Thursday is fine")
    assert len(page.evaluate(SEALED)) == 2
    assert "Thursday" not in "".join(page.evaluate(SEALED))
    assert accessibility_problems(page) == []
    keep_screenshot(page, "outbox")
    rows = page.locator("[data-waiting] li")
    rows.first.get_by_role("link", name="Change").click()
    expect(page.get_by_label("Message")).to_have_value("Hello")
    page.get_by_label("Message").fill("Hello again")
    page.get_by_role("button", name="Send when my line is back").click()
    expect(rows).to_have_count(2)
    write(page, "/compose/new", "Never mind", "x@in.example")
    rows.filter(has_text="x@in.example").get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(2)
    page.context.set_offline(False)
    expect(page.locator("[data-toast]")).to_be_visible()
    assert sorted(sent(site)) == [
        ("hanna.berg@brightwater.example", "Thursday is fine", sample.entry_id(1)),
        ("hanna@in.example", "Hello again", None),
    ]
    answer = next(one for one in site.world.sending.sent if one.source_entry)
    assert (answer.identity_id, answer.subject[:3]) == ("i1", "Re:")
    assert len({one.submission for one in site.world.sending.sent}) == 2
    until(page, lambda: page.evaluate(SEALED) == [])


def test_an_answer_that_was_lost_sends_the_same_name_again(
    site: Site, ready: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ready(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.context.set_offline(True)
    write(page, "/compose/new", "Once", "hanna@in.example")
    send = site.world.sending.send

    def lose(*given: Any) -> SentReceipt:
        receipt = send(*given)
        if len(site.world.sending.sent) == 1:
            raise ConnectionError
        return receipt

    monkeypatch.setattr(site.world.sending, "send", lose)
    page.context.set_offline(False)
    page.wait_for_url("**/mail/inbox")
    expect(page.locator("[data-outbox-note]")).to_be_visible()
    keep_screenshot(page, "outbox-phone-dark")
    until(page, lambda: len(site.world.sending.sent) == 1)
    page.goto("/settings")
    until(page, lambda: page.evaluate(SEALED) == [])
    first, second = site.world.sending.sent
    assert first.submission == second.submission != ""  # which the server takes as one


def test_only_its_writer_sees_and_sends_it_after_the_session_ended(
    site: Site, ready: Callable[..., Page]
) -> None:
    page = ready()
    page.goto("/compose/new")
    page.get_by_label("To", exact=True).fill("hanna@in.example")
    page.get_by_label("Message", exact=True).first.fill("Begun with a line")
    page.context.set_offline(True)
    page.locator("[data-send]").click()
    expect(page.get_by_role("heading", name="Waiting for your line")).to_be_visible()
    site.world.accounts.visits.clear()
    page.context.set_offline(False)
    page.wait_for_url("**/login")
    page.context.add_cookies([site.cookie("maria@acme.example")])
    page.goto("/settings")
    page.goto("/offline")
    expect(page.locator("[data-waiting]")).to_be_hidden()
    assert site.world.sending.sent == []
    page.context.add_cookies([site.cookie("vlad@acme.example")])
    page.goto("/settings")
    expect(page.locator("[data-toast]")).to_be_visible()
    assert [one[1] for one in sent(site)] == ["Begun with a line"]
