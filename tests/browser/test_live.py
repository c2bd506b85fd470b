"""New mail by itself: in the list, the title and each tab; what the reader did there stays."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.views import News
from tests.app.web import sample
from tests.browser.site import Site

Visit = Callable[..., Page]
FRESH = "Fresh from the wire"
LONG_AGO = 11 * 60_000  # ms; longer than a page counts as used


def arrive(site: Site) -> None:
    site.world.reading.letters.insert(0, sample.arrived(FRESH))
    site.tell(News.CHANGED)


def test_new_mail_is_in_the_list_and_in_the_title(site: Site, visit: Visit) -> None:
    page = visit("/mail/inbox")
    expect(page).to_have_title("(4) Inbox - LiveArchive")
    ticked = page.locator(".row-check").nth(1)
    ticked.check()
    value = ticked.get_attribute("value")
    page.locator("[data-row]").nth(2).focus()
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    page.evaluate("window.same = true")
    arrive(site)
    expect(page.get_by_role("link", name=FRESH)).to_be_visible()
    expect(page).to_have_title("(5) Inbox - LiveArchive")
    expect(page.get_by_role("status").get_by_text("New mail has come.")).to_be_attached()
    expect(page.locator(".nav [aria-current] .nav-count")).to_have_text("5 unread")
    # The page was not loaded anew, and what the reader did to it is still there.
    assert page.evaluate("window.same")
    expect(page.locator(f".row-check[value='{value}']")).to_be_checked()
    expect(page.locator("[data-count]")).to_have_text("1")
    assert page.evaluate("document.activeElement.getAttribute('href')") == focused
    page.locator("[data-all]").check()
    assert page.locator(".row-check:checked").count() == page.locator(".row-check").count()


def test_new_mail_appears_beside_an_open_message_without_opening_it_again(
    site: Site, visit: Visit
) -> None:
    page = visit(f"/mail/inbox/{sample.entry_id(1)}")
    subject = page.locator("h1").inner_text()
    opened = len(site.world.reading.calls)
    arrive(site)
    expect(page.get_by_role("link", name=FRESH)).to_be_attached()
    expect(page.locator(".row.is-selected [aria-current]")).to_have_count(1)
    expect(page).to_have_title(f"(5) {subject} - LiveArchive")
    assert len(site.world.reading.calls) == opened


def test_one_tab_listens_for_all(site: Site, visit: Visit) -> None:
    page = visit("/mail/inbox")
    with page.context.expect_page() as opening:
        page.evaluate("window.open('/mail/inbox')")
    other = opening.value
    arrive(site)
    for one in (page, other):
        expect(one.get_by_role("link", name=FRESH)).to_be_visible()
    assert len(site.world.live.listening) == 1


def test_a_page_that_nobody_uses_counts_but_keeps_no_session_alive(
    site: Site, visit: Visit
) -> None:
    page = visit("/mail/inbox")
    page.clock.install()
    page.reload()
    page.clock.fast_forward(LONG_AGO)
    used = site.world.accounts.used
    arrive(site)
    expect(page).to_have_title("(5) Inbox - LiveArchive")
    expect(page.get_by_role("link", name=FRESH)).to_have_count(0)
    assert site.world.accounts.used == used
    page.mouse.wheel(0, 1)
    page.clock.run_for(5_000)
    expect(page.get_by_role("link", name=FRESH)).to_be_visible()


def test_a_session_that_ended_leaves_no_mail_on_the_screen(site: Site, visit: Visit) -> None:
    page = visit("/mail/inbox")
    site.tell(News.QUIET)
    site.world.accounts.visits.clear()
    site.tell(News.ENDED)
    page.wait_for_url("**/login")
