"""Reading, filing and writing as a person does it, with a script and without."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.app.web import sample
from tests.browser.site import Site
from tests.parts.browser import BrowserProblems, keep_screenshot

Visit = Callable[..., Page]
ID = sample.entry_id
MESSAGE = f"/mail/inbox/{ID(1)}"
SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])


@SCRIPTS
def test_signing_in_reading_answering_and_signing_out(
    site: Site, visit: Visit, scripts: bool
) -> None:
    page = visit("/login", None, java_script_enabled=scripts)
    page.get_by_label("E-mail address").fill("vlad@acme.example")
    page.get_by_label("Password").fill(sample.PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Purchase order 4471").click()
    expect(page.get_by_role("heading", name="Purchase order 4471")).to_be_visible()
    body = page.frame_locator("iframe[title='Message body']")
    expect(body.get_by_text("Thursday before noon works")).to_be_visible()

    page.get_by_role("link", name="Reply", exact=True).click()
    expect(page.get_by_label("From", exact=True)).to_have_value("i1")
    text = page.get_by_label("Message", exact=True)
    text.fill("Confirmed.\n" + text.input_value())
    page.get_by_label("Bcc", exact=True).fill("boss@acme.example")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status").get_by_text("Sent as sales@acme.example.")).to_be_visible()
    assert site.world.sending.sent[0].text.startswith("Confirmed.\n")
    assert site.world.sending.sent[0].bcc == "boss@acme.example"

    page.get_by_role("button", name="account of Vlad Mazek").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to your mail")).to_be_visible()


@SCRIPTS
def test_ticking_deleting_and_undoing(visit: Visit, scripts: bool) -> None:
    page = visit("/mail/inbox", java_script_enabled=scripts)
    for number in (1, 4):
        page.locator(f'input[value="{ID(number)}"]').check()
    page.get_by_role("toolbar").get_by_role("button", name="Move to trash").click()
    expect(page.get_by_text("2 messages are in the trash.")).to_be_visible()
    expect(page.get_by_role("link", name="Purchase order 4471")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Purchase order 4471")).to_be_visible()


@SCRIPTS
def test_what_is_in_the_trash_comes_back_or_goes_for_good(
    site: Site, visit: Visit, scripts: bool
) -> None:
    page = visit("/mail/inbox", java_script_enabled=scripts)
    for number in (1, 4):
        page.locator(f'input[value="{ID(number)}"]').check()
    page.get_by_role("toolbar").get_by_role("button", name="Move to trash").click()
    page.goto(f"{site.url}/mail/trash")
    page.locator(f'input[value="{ID(1)}"]').check()
    page.get_by_role("toolbar").get_by_role("button", name="Put back").click()
    expect(page.locator(f'input[value="{ID(1)}"]')).to_have_count(0)
    page.locator(f'input[value="{ID(4)}"]').check()
    page.get_by_role("toolbar").get_by_role("button", name="For good").click()
    expect(page.get_by_role("heading", name="Delete 1 message for good?")).to_be_visible()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("1 message is deleted for good.")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    page.goto(f"{site.url}/mail/inbox")
    expect(page.locator(f'input[value="{ID(1)}"]')).to_have_count(1)
    expect(page.locator(f'input[value="{ID(4)}"]')).to_have_count(0)


def test_a_message_is_deleted_from_its_page(visit: Visit) -> None:
    page = visit(MESSAGE)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 message is in the trash.")).to_be_visible()


def test_the_frame_is_as_tall_as_the_message(site: Site, visit: Visit) -> None:
    place = site.world.reading.place_of(ID(1))
    letter = site.world.reading.letters[place]
    object.__setattr__(letter, "text", "line\n" * 200)
    page = visit(MESSAGE)
    frame = page.locator("iframe[title='Message body']")
    expect(frame).to_have_class(re.compile("is-fitted"))
    page.wait_for_function("() => document.querySelector('[data-frame]').offsetHeight > 4000")
    inside = page.frames[1]
    assert inside.evaluate("document.documentElement.scrollHeight - innerHeight") <= 1


def test_files_and_the_original_are_downloads(visit: Visit) -> None:
    page = visit(MESSAGE)
    with page.expect_download() as file:
        page.get_by_role("link", name="PO-4471 signed.pdf", exact=True).click()
    assert file.value.suggested_filename == "PO-4471 signed.pdf"
    with page.expect_download() as original:
        page.get_by_role("link", name="Download original").click()
    assert original.value.suggested_filename == f"{ID(1)}.eml"


def test_keys_move_through_the_mail(visit: Visit) -> None:
    page = visit("/mail/inbox")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Board dry run, new time")).to_be_focused()
    page.keyboard.press("o")
    expect(page.get_by_role("heading", name="Board dry run, new time")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="Purchase order 4471")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Reply", exact=True)).to_be_visible()


def test_keys_sleep_while_somebody_types_and_can_be_switched_off(visit: Visit) -> None:
    page = visit("/mail/inbox")
    page.keyboard.press("/")
    expect(page.get_by_role("combobox", name="Search")).to_be_focused()
    page.keyboard.type("c?")
    expect(page.get_by_role("combobox", name="Search")).to_have_value("c?")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single keys work on this device").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/mail/inbox$"))


def test_what_cannot_be_sent_keeps_every_word(
    site: Site, visit: Visit, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow("status of 422")
    page = visit("/compose/new")
    page.get_by_label("To", exact=True).fill("hanna")
    page.get_by_label("Subject", exact=True).fill('A < B & "C"')
    page.get_by_label("Message", exact=True).fill("\nfirst line empty\n</textarea><b>no</b>")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("To", exact=True)).to_have_accessible_description(
        re.compile("lacks its ending")
    )
    expect(page.get_by_label("Subject", exact=True)).to_have_value('A < B & "C"')
    expect(page.get_by_label("Message", exact=True)).to_have_value(
        "\nfirst line empty\n</textarea><b>no</b>"
    )
    assert site.world.sending.sent == []


def test_words_written_while_the_session_ends_are_not_lost(
    site: Site, visit: Visit, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow("status of (401|403|422)")
    page = visit("/compose/new")
    page.clock.install()
    page.reload()
    text = page.get_by_label("Message", exact=True)
    page.get_by_label("To", exact=True).fill("hanna@brightwater.example")
    text.fill("an hour of work")
    expect(page.get_by_text("You are signed out.")).to_be_hidden()
    site.world.accounts.visits.clear()
    page.clock.run_for(180_000)
    text.press_sequentially("!")
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.context.add_cookies([site.cookie("vlad@acme.example")])
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("you signed in anew since you began")).to_be_visible()
    expect(text).to_have_value("an hour of work!")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Sent as vlad@acme.example.")).to_be_visible()


def test_words_are_not_sent_into_nothing(
    site: Site, visit: Visit, browser_problems: BrowserProblems
) -> None:
    browser_problems.allow("ERR_INTERNET_DISCONNECTED")
    page = visit("/compose/new")
    page.get_by_label("To", exact=True).fill("hanna@brightwater.example")
    text = page.get_by_label("Message", exact=True)
    text.fill("an hour of work")
    send = page.get_by_role("button", name="Send")
    page.context.set_offline(True)
    send.click()
    expect(page.get_by_text("or you are offline. Nothing was sent.")).to_be_visible()
    page.context.set_offline(False)
    site.world.accounts.visits.clear()
    send.click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    expect(page.get_by_text("or you are offline.")).to_be_hidden()
    expect(text).to_have_value("an hour of work")
    assert site.world.sending.sent == []


def test_files_that_are_too_much_are_told_before_they_are_sent(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit("/compose/new")
    files = page.get_by_label("Attachments", exact=True)
    for name in ("one.bin", "two.bin"):
        (tmp_path / name).write_bytes(bytes(14 * 1024 * 1024))
    files.set_input_files([tmp_path / "one.bin", tmp_path / "two.bin"])
    expect(files).to_have_accessible_description(re.compile("29.4 MB. Together this is more than"))
    page.get_by_label("To", exact=True).fill("hanna@brightwater.example")
    expect(page.locator("[data-draft-state]")).to_have_text(re.compile("Draft saved"))
    page.get_by_role("button", name="Send").click()
    expect(page).to_have_url(re.compile("/compose/"))
    expect(files).to_have_accessible_description(re.compile("29.4 MB. Together this is more than"))
    files.set_input_files([tmp_path / "one.bin"])
    expect(files).to_have_accessible_description(re.compile("14.7 MB. Up to 25 MB together."))


def test_the_labels_of_a_narrow_pane_are_names_still(visit: Visit) -> None:
    page = visit(MESSAGE, viewport={"width": 1000, "height": 800})
    tools = page.get_by_role("toolbar", name="Actions").first
    for name in ("Reply", "Reply all", "Forward"):
        expect(tools.get_by_role("link", name=name, exact=True)).to_be_visible()
    for name in ("Archive", "Delete"):
        expect(tools.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_the_theme_is_dark_before_anything_is_drawn(visit: Visit) -> None:
    page = visit("/settings", color_scheme="light")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save the look").click()
    shade = page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert shade == "dark"
    page.goto("/mail/inbox")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_search_can_be_gone_back_to(visit: Visit) -> None:
    page = visit("/mail/inbox")
    box = page.get_by_role("combobox", name="Search")
    box.fill("order")
    box.press("Enter")
    expect(page.get_by_role("heading", name="1 message")).to_be_visible()
    assert "order" not in page.url
    page.get_by_role("link", name="Purchase order 4471").click()
    page.go_back()
    expect(page.get_by_role("heading", name="1 message")).to_be_visible()


def test_a_phone_shows_one_pane_at_a_time(visit: Visit) -> None:
    page = visit("/mail/inbox", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("link", name="Purchase order 4471").click()
    expect(page.get_by_role("heading", name="Purchase order 4471")).to_be_visible()
    expect(page.get_by_role("link", name="Board dry run")).to_be_hidden()
    for name in ("Reply", "Forward"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    page.get_by_role("link", name="Inbox", exact=True).click()
    expect(page.get_by_role("link", name="Board dry run")).to_be_visible()
    page.get_by_role("button", name="Folders").click()
    page.get_by_role("link", name="Sent", exact=True).click()
    expect(page.get_by_role("link", name="Re: Terms for 2027")).to_be_visible()


def test_a_phone_keeps_the_search_box_above_what_was_found(visit: Visit) -> None:
    page = visit("/search", viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("combobox", name="Words").fill("order larger:much")
    page.get_by_role("combobox", name="Words").press("Enter")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_visible()
    expect(box).to_have_value("order larger:much")
    keep_screenshot(page, "phone-found")
    box.fill("order")
    box.press("Enter")
    expect(page.get_by_role("heading", name="1 message")).to_be_visible()


@SCRIPTS
def test_a_conversation_is_read_on_one_page(site: Site, visit: Visit, scripts: bool) -> None:
    page = visit("/settings", java_script_enabled=scripts)
    page.get_by_label("A row for each conversation").check()
    page.get_by_role("button", name="Save the look").click()
    page.goto("/mail/inbox")
    page.get_by_role("link", name="me, Tomás, Hanna").click()
    bodies = page.locator("iframe[title='Message body']")
    expect(bodies).to_have_count(1)
    page.locator("summary", has_text="Tomás Ferreira").click()
    if not scripts:
        page.get_by_role("link", name="Open this message").click()
    expect(bodies).to_have_count(2)
    first = page.frame_locator("iframe[title='Message body']").first
    expect(first.get_by_text("this is a short message")).to_be_visible()
    expect(page.locator("summary", has_text="Hanna, we can do")).to_be_visible()
    page.locator("[data-message] .pane-head button[value=archive]").click()
    expect(page.get_by_text("2 messages are in the archive.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="me, Tomás, Hanna")).to_be_visible()
