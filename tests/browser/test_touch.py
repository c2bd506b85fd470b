"""Fingers: a row is swiped away or marked, a scroll is no swipe, and what is pressed is large."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.app.drawn import made_paper
from tests.app.web import sample
from tests.browser.site import Site

Visit = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
FIRST = sample.entry_id(1)
SMALLEST = 44  # pixels, of what a finger presses

# What a finger would miss: elements lower than they should be, with what extends them.
TOO_SMALL = """smallest => [...document.querySelectorAll("a, button, summary, input, label.pick")]
    .filter(one => one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(one => !one.matches(".sr, .skip, .row-link, .file a"))
    .map(one => {
        const box = one.getBoundingClientRect();
        const more = getComputedStyle(one, "::after");
        const wider = more.position === "absolute" ? -2 * parseFloat(more.insetBlockStart) : 0;
        return [one.outerHTML.slice(0, 90), Math.round(box.height + (wider > 0 ? wider : 0))];
    })
    .filter(([, height]) => height < smallest - 1)"""


class Finger:
    """One finger on a touch screen, as the browser gets it from the system."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._at = (0.0, 0.0)

    def down(self, x: float, y: float) -> None:
        self._at = (x, y)
        self._tell("touchStart")

    def move(self, across: float, down: float = 0) -> None:
        """In steps, as a finger does."""
        for _ in range(8):
            self._at = (self._at[0] + across / 8, self._at[1] + down / 8)
            self._tell("touchMove")

    def up(self) -> None:
        self._cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _tell(self, kind: str) -> None:
        points = [{"x": self._at[0], "y": self._at[1]}]
        self._cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def row_of(page: Page, finger: Finger, across: float, down: float = 0) -> None:
    """Put a finger on the first row and move it."""
    box = page.locator(f"[data-id='{FIRST}']").bounding_box()
    assert box is not None
    finger.down(195, box["y"] + box["height"] / 2)
    finger.move(across, down)


def test_a_row_is_swiped_into_the_trash_and_comes_back(visit: Visit) -> None:
    page = visit("/mail/inbox", **PHONE)
    finger = Finger(page)
    row = page.locator(f"[data-id='{FIRST}']")

    row_of(page, finger, -170)
    expect(row.locator(".swipe-under.is-far[data-verb=delete]")).to_contain_text("Trash")
    finger.move(150)  # not that one
    expect(row.locator(".is-far")).to_have_count(0)
    finger.up()
    expect(row.locator(".swipe-under")).to_have_count(0)
    expect(page.locator("[data-list]")).to_be_visible()  # nor was it a tap

    row_of(page, finger, 0, -60)  # a scroll is none
    finger.move(-170)
    expect(page.locator(".swipe-under")).to_have_count(0)
    finger.up()
    page.evaluate("scrollTo(0, 0)")

    row_of(page, finger, -170)
    finger.up()
    expect(page.get_by_role("status").filter(has_text="is in the trash")).to_be_visible()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize(("direction", "across"), [("ltr", 170), ("rtl", -170)])
def test_the_other_way_marks_it_in_a_mirror_too(visit: Visit, direction: str, across: int) -> None:
    page = visit("/mail/inbox", **PHONE)
    page.evaluate("way => { document.documentElement.dir = way }", direction)
    row = page.locator(f"[data-id='{FIRST}']")
    was_unread = "is-unread" in (row.get_attribute("class") or "")
    finger = Finger(page)
    row_of(page, finger, across)
    finger.up()
    expect(page.get_by_role("status").filter(has_text="is marked")).to_be_visible()
    assert ("is-unread" in (row.get_attribute("class") or "")) is not was_unread


def test_a_mouse_swipes_nothing_and_neither_does_who_wants_none(visit: Visit) -> None:
    page = visit("/mail/inbox", **PHONE)
    page.mouse.move(300, 160)
    page.mouse.down()
    page.mouse.move(100, 160, steps=6)
    assert page.locator(".swipe-under").count() == 0
    page.context.add_cookies(
        [{"name": "look", "value": "auto.comfortable..messages.right..off", "url": page.url}]
    )
    page.reload()
    row_of(page, Finger(page), -170)
    assert page.locator(".swipe-under").count() == 0


@pytest.mark.parametrize("path", ["/mail/inbox", f"/mail/inbox/{FIRST}", "/compose/new"])
def test_what_a_finger_presses_is_large(visit: Visit, path: str) -> None:
    page = visit(path, **PHONE)
    if path == "/mail/inbox":
        page.locator(".pick").click()
        page.locator(".row-check").first.check()
        bulk = page.get_by_role("toolbar", name="What is ticked").bounding_box()
        assert bulk is not None
        assert bulk["y"] > 700  # at the thumb
    assert page.evaluate(TOO_SMALL, SMALLEST) == []


def test_a_menu_lies_on_the_lower_edge_and_a_page_of_a_document_is_whole(
    site: Site, visit: Visit
) -> None:
    place = site.world.reading.place_of(FIRST)
    paper = sample.Attachment(0, "offer.pdf", "application/pdf", 900, octets=made_paper("Clause"))
    letter = site.world.reading.letters[place]
    site.world.reading.letters[place] = replace(letter, attachments=(paper,))
    page = visit(f"/mail/inbox/{FIRST}", **PHONE)
    page.get_by_role("button", name="More", exact=True).click()
    menu = page.locator("#more")
    expect(menu).to_be_visible()
    assert menu.evaluate("(it) => innerHeight - it.getBoundingClientRect().bottom") == 0
    page.set_viewport_size({"width": 1440, "height": 700})
    page.goto(f"/mail/inbox/{FIRST}/attachments/0/pages")
    sheet = page.get_by_role("figure")
    assert sheet.evaluate("(it) => it.scrollHeight - it.clientHeight") == 0
