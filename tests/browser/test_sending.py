"""Taking back what was sent, sending later, files that stay with a draft."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.parts.browser import keep_screenshot

Visit = Callable[..., Page]
PHONE = {"width": 390, "height": 844}
PLAN = {"name": "Plan of the quay.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7" * 999}


def write(page: Page, words: str = "At noon?") -> None:
    page.get_by_label("To", exact=True).fill("hanna@berg.example")
    page.get_by_label("Subject", exact=True).fill("Lunch")
    page.get_by_label("Message", exact=True).fill(words)


def send(page: Page) -> None:
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/mail/inbox")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_was_sent_is_taken_back_and_gone_on_with(
    site: Site, visit: Visit, scripts: bool
) -> None:
    site.world.sending.holds = True
    page = visit("/compose/new", java_script_enabled=scripts)
    write(page)
    send(page)
    keep_screenshot(page, "sent-undo")
    if scripts:
        page.keyboard.press("z")
    else:
        page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/compose/draft/*")
    expect(page.get_by_label("Message", exact=True)).to_have_value("At noon?")
    expect(page.get_by_text("It is a draft again.")).to_be_visible()
    assert site.world.outbox.waiting == {}


def test_an_undo_that_comes_too_late_says_so(site: Site, visit: Visit) -> None:
    site.world.sending.holds = True
    page = visit("/compose/new", viewport=PHONE, color_scheme="dark")
    write(page)
    send(page)
    keep_screenshot(page, "phone-dark-sent-undo")
    site.world.outbox.gone = True
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Too late: it was sent already")).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_a_mail_is_scheduled_and_made_a_draft_again(site: Site, visit: Visit, look: str) -> None:
    options = {"viewport": PHONE} if look == "phone" else {"color_scheme": look}
    page = visit("/compose/new", **options)
    write(page)
    page.locator("summary", has_text="Send later").click()
    keep_screenshot(page, f"send-later-{look}")
    page.get_by_role("button", name="Monday morning").click()
    page.wait_for_url("**/mail/inbox")
    expect(page.get_by_text("It leaves Monday 30 November, 08:00.")).to_be_visible()
    page.goto("/mail/scheduled")
    expect(page.get_by_text("Monday 30 November, 08:00")).to_be_visible()
    keep_screenshot(page, f"scheduled-{look}")
    page.get_by_role("button", name="Back to a draft: Lunch").click()
    page.wait_for_url("**/compose/draft/*")


def test_chosen_files_stay_with_the_draft(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    write(page)
    page.get_by_label("Attachments", exact=True).set_input_files([PLAN])  # type: ignore[arg-type]  # a dict of these keys will do
    kept = page.get_by_role("checkbox", name="Plan of the quay.pdf")
    expect(kept).to_be_checked()
    expect(page.locator("[data-draft-state]")).to_contain_text("Draft saved at")
    page.reload()
    expect(page.get_by_role("checkbox", name="Plan of the quay.pdf")).to_be_checked()
    keep_screenshot(page, "draft-with-file")
    send(page)
    [sent] = site.world.sending.sent
    assert (sent.draft_files, sent.attachments) == ((0,), ())


def test_a_forgotten_attachment_is_noticed_once(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    write(page, "The plan is attached.\n")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("You write of an attachment, and there is none.")).to_be_visible()
    keep_screenshot(page, "forgotten-attachment")
    assert site.world.sending.sent == []
    send(page)


def test_quoted_words_are_not_the_writers(site: Site, visit: Visit) -> None:
    page = visit("/compose/new")
    write(page, "Thank you.\n\n> The plan is attached.\n")
    send(page)
