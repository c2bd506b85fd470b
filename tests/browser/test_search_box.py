"""The search box: the words it understands while one types, and what was looked for before."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

Visit = Callable[..., Page]
KEPT = "Object.keys(localStorage).filter(key => key.startsWith('searches-')).length"


def look_for(page: Page, words: str) -> None:
    box = page.get_by_role("combobox", name="Search seven days of mail")
    box.fill(words)
    box.press("Enter")
    page.wait_for_url("**/search/*")


def test_words_are_suggested_and_searches_kept_only_when_asked(visit: Visit) -> None:
    page = visit("/mail/inbox")
    box = page.get_by_role("combobox", name="Search seven days of mail")
    words = page.get_by_role("listbox", name="Search words")
    box.press_sequentially("order is")
    expect(words.get_by_role("option")).to_have_count(2)
    box.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "words-bar-6")
    box.press("Enter")
    expect(box).to_have_value("order is:unread ")
    expect(words).to_be_hidden()
    box.press_sequentially("-fr")
    words.get_by_role("option").click()
    expect(box).to_have_value("order is:unread -from:")
    box.press_sequentially("zo")
    box.press("Enter")
    page.wait_for_url("**/search/*")
    assert page.evaluate(KEPT) == 0

    page.goto("/settings")
    page.get_by_label("Stays on this device").check()
    page.get_by_role("button", name="Save the look").click()
    page.goto("/mail/inbox")
    look_for(page, "purchase")
    look_for(page, "board")
    box.fill("")
    expect(words.get_by_role("option")).to_have_text(["board", "purchase"])
    words.get_by_text("purchase").click()
    page.wait_for_url("**/search/*")
    expect(page.locator(".chip")).to_have_text("purchase")

    page.goto("/settings")
    page.get_by_label("Is forgotten").check()
    page.get_by_role("button", name="Save the look").click()
    page.wait_for_function(f"{KEPT} === 0")
