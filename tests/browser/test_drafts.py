"""Writing is kept while it goes on, wherever one looks next."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.views import Outgoing
from archive_store.errors import StoreBusy
from tests.browser.site import Site
from tests.parts.browser import BrowserProblems, keep_screenshot

Visit = Callable[..., Page]


def test_a_draft_keeps_itself_and_is_gone_on_with(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    page.get_by_label("To", exact=True).fill("hanna@berg.exam")
    page.get_by_label("Message", exact=True).fill("Dear Hanna,\n\nwe could")
    state = page.locator("[data-draft-state]")
    expect(state).to_contain_text("Draft saved at")
    assert "/compose/draft/" in page.url
    keep_screenshot(page, "draft-saved")
    page.get_by_label("Subject", exact=True).fill("A thought")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")
    page.reload()  # nothing is asked: nothing would be lost
    expect(page.get_by_label("Message", exact=True)).to_have_value("Dear Hanna,\n\nwe could")
    page.goto("/mail/drafts")
    keep_screenshot(page, "drafts")
    page.get_by_role("link", name="A thought").click()
    page.get_by_label("To", exact=True).fill("hanna@berg.example")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/mail/inbox")
    assert site.world.sending.sent[0].text == "Dear Hanna,\n\nwe could"
    assert site.world.drafts.kept == {}


def test_opening_a_sheet_alone_saves_nothing(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    expect(page.locator("[data-format]")).to_be_visible()  # the editor has begun
    page.locator("[data-editor]").evaluate("editor => editor.append('moved')")
    asked = "!dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert not page.evaluate(asked), "nothing to lose yet"
    page.get_by_role("button", name="Discard").click()
    page.wait_for_url("**/mail/inbox")
    assert site.world.drafts.saves == 0


def test_discarding_can_be_undone(site: Site, visit: Visit) -> None:
    page = visit("/compose/new", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.get_by_label("Subject", exact=True).fill("Not for the trash")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")
    keep_screenshot(page, "phone-dark-draft")
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 message is back.")).to_be_visible()


def test_another_device_is_noticed(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    page.get_by_label("Subject", exact=True).fill("Mine")
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")
    (draft_id,) = site.world.drafts.kept
    (visitor,) = site.world.accounts.visits.values()
    theirs = Outgoing(identity_id="i0", to="", cc="", bcc="", subject="Theirs", text="")
    site.world.drafts.save(visitor.viewer, theirs, draft_id)
    page.get_by_label("Subject", exact=True).fill("Mine again")
    expect(page.get_by_text("also changed or sent on another device")).to_be_visible()
    subjects = {one.subject for one in site.world.drafts.kept.values()}
    assert subjects == {"Theirs", "Mine again"}


def test_what_cannot_be_saved_is_said_and_tried_again(
    site: Site, visit: Visit, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow("503")
    site.world.drafts.fails = StoreBusy("locked")
    page = visit("/compose/new")
    page.get_by_label("Subject", exact=True).fill("Kept in the end")
    expect(page.locator("[data-draft-state]")).to_contain_text("not saved yet")
    site.world.drafts.fails = None
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")


def test_a_draft_is_saved_without_a_script(site: Site, visit: Visit) -> None:
    page = visit("/compose/new", java_script_enabled=False)
    page.get_by_label("Subject", exact=True).fill("By hand")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("status").get_by_text("The draft is saved.")).to_be_visible()
    expect(page.get_by_label("Subject", exact=True)).to_have_value("By hand")
