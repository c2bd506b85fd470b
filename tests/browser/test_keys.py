"""The keys that mail readers know, alone and two in a row; and a sheet that tells all of them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from app.resources import resource_dir
from tests.app.web import sample
from tests.browser.site import Site
from tests.parts.browser import keep_screenshot

Visit = Callable[..., Page]
MESSAGE = f"/mail/inbox/{sample.entry_id(1)}"


BOTH = """keys => keys.forEach(key => document.activeElement.dispatchEvent(
    new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })))"""


def press(page: Page, keys: str) -> None:
    for key in keys.split(" "):
        page.keyboard.press(key)


def together(page: Page, keys: str) -> None:
    """Two keys in a row, whatever else this machine is at."""
    page.evaluate(BOTH, keys.split(" "))


def test_the_sheet_tells_every_key_and_no_other(visit: Visit) -> None:
    script = (resource_dir("static") / "js" / "keys.js").read_text()
    table = script.partition("const KEYS = {")[2].partition("\n};")[0]
    keys = {found.strip('"') for found in re.findall(r'^  ("[^"]+"|\w): ?', table, re.MULTILINE)}
    keys |= set(re.findall(r"^  (\w): \w+,$", table, re.MULTILINE))
    page = visit("/mail/inbox")
    press(page, "?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    keep_screenshot(page, "keys")
    told = {" ".join(text.split()) for text in sheet.locator("dt").all_inner_texts()}
    assert {text.replace("Shift ", "") for text in told} == keys | {"Ctrl Enter"}
    press(page, "Escape")
    expect(sheet).to_be_hidden()


def test_the_sheet_fits_a_phone_in_the_dark(visit: Visit) -> None:
    page = visit("/settings", viewport={"width": 390, "height": 844}, color_scheme="dark")
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    keep_screenshot(page, "phone-dark-keys")


def test_two_keys_lead_to_a_folder_and_only_in_a_row(visit: Visit) -> None:
    page = visit("/settings")
    for key, folder in (
        ("i", "inbox"),
        ("s", "starred"),
        ("t", "sent"),
        ("d", "drafts"),
        ("a", "archive"),
    ):
        together(page, f"g {key}")
        page.wait_for_url(f"**/mail/{folder}")
    together(page, "g x i")  # the third begins anew
    page.get_by_role("combobox", name="Search").focus()
    press(page, "g i")
    expect(page.get_by_role("combobox", name="Search")).to_have_value("gi")
    assert page.url.endswith("/mail/archive")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("e", "2 messages are in the archive."),
        ("#", "2 messages are in the trash."),
        ("!", "2 messages are in spam."),
        ("Shift+I", "2 messages are marked read."),
        ("Shift+U", "2 messages are marked unread."),
    ],
)
def test_a_key_is_for_all_that_is_ticked_and_z_takes_it_back(
    visit: Visit, key: str, said: str
) -> None:
    page = visit("/mail/inbox")
    press(page, "j x j x")
    expect(page.locator("[data-count]")).to_have_text("2")
    press(page, key)
    expect(page.get_by_role("status").get_by_text(said)).to_be_visible()
    page.wait_for_load_state()  # a key that comes before the page's script is lost
    press(page, "z")
    expect(page.get_by_role("status").get_by_text(said)).to_be_hidden()
    expect(page.locator("[data-toast]")).to_be_visible()


def test_all_and_none_are_ticked_and_the_row_with_the_focus_is_enough(
    site: Site, visit: Visit
) -> None:
    page = visit("/mail/inbox")
    rows = page.locator(".row-check").count()
    together(page, "* a")
    expect(page.locator(".row-check:checked")).to_have_count(rows)
    together(page, "* n")
    expect(page.locator(".row-check:checked")).to_have_count(0)
    press(page, "j !")
    expect(page.get_by_role("status").get_by_text("1 message is in spam.")).to_be_visible()


def test_an_open_message_is_filed_by_its_keys(visit: Visit) -> None:
    page = visit(MESSAGE)
    press(page, "!")
    expect(page.get_by_role("status").get_by_text("1 message is in spam.")).to_be_visible()
