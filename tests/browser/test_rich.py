"""Rich text in a real browser: what is written, pasted, quoted; what must not act or fetch."""

import re
from collections.abc import Callable
from dataclasses import replace

from playwright.sync_api import FilePayload, Page, expect

from app.views import Habits, RichText
from tests.app.web import sample
from tests.browser.site import Site
from tests.corpus.markup import HOSTILE
from tests.corpus.ordinary import PNG
from tests.parts.browser import BrowserProblems, accessibility_problems, keep_screenshot

Visit = Callable[..., Page]
REPLY = f"/compose/reply/{sample.entry_id(1)}"
TEXT = "Message as rich text"
SAVED = "Draft saved at"
# What no element of the editor may be or have.
STRANGE = """() => [...document.querySelectorAll('[data-editor] *')].filter(element =>
    element.matches('script, style, link, meta, base, svg, math, form, input, button, iframe')
    || element.matches('object, embed, video, audio, template')
    || [...element.attributes].some(({name, value}) => name.startsWith('on')
        || (['href', 'src'].includes(name) && !/^(https?:|mailto:|tel:|data:image)/i.test(value))
        || (name === 'src' && /^https?:/i.test(value))
        || (name === 'style' && /url|position|[\\\\]/i.test(value))))
    .map(element => element.outerHTML)"""
OVER = '<p style="position:fixed;inset:0">x</p><p style="background:u\\72l(//e.example)">x</p>'


def begin_rich(site: Site) -> None:
    site.world.habits.kept = Habits(rich=True, signatures={"i0": "Vlad", "i1": "Vlad\nSales"})


def test_what_is_formatted_is_sent_with_its_forms_and_without(site: Site, visit: Visit) -> None:
    begin_rich(site)
    page = visit("/compose/new")
    page.get_by_label("To", exact=True).fill("hanna@berg.example")
    text = page.get_by_label(TEXT)
    text.click()
    page.keyboard.type("Dear Hanna, ")
    page.keyboard.press("Control+b")
    page.keyboard.type("noon")
    page.keyboard.press("Control+b")
    page.keyboard.type(" it is.")
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    assert accessibility_problems(page) == []
    keep_screenshot(page, "rich")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/mail/inbox")
    [sent] = site.world.sending.sent
    assert sent.rich is not None
    assert "<b>noon</b> it is." in sent.rich.html
    assert "Dear Hanna, noon it is." in sent.text


def test_a_hostile_mail_acts_and_fetches_nothing_in_the_editor(
    site: Site, visit: Visit, browser_problems: BrowserProblems
) -> None:
    begin_rich(site)
    letters = site.world.reading.letters
    place = site.world.reading.place_of(sample.entry_id(1))
    html = "<p>Begin</p>" + OVER + "".join(HOSTILE.values()) + "<p>End</p>"
    letter = letters[place]
    letters[place] = replace(letter, parsed=replace(letter.parsed, html=html))
    page = visit("/settings")
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.add_init_script("window.acted = []; window.pwned = () => acted.push(1)")
    page.goto(REPLY)
    text = page.get_by_label(TEXT)
    expect(text).to_contain_text("Begin")
    expect(text).to_contain_text("End")
    # And once more past the server: as if its list had a hole, or somebody pasted it.
    browser_problems.allow(
        "CSP violation|Content Security Policy|Refused to|violates the following"
    )
    page.evaluate(
        """html => {
            const data = new DataTransfer();
            data.setData('text/html', html);
            const facts = {clipboardData: data, bubbles: true, cancelable: true};
            const paste = new ClipboardEvent('paste', facts);
            document.querySelector('[data-editor]').dispatchEvent(paste);
        }""",
        html,
    )
    page.evaluate(
        """() => { for (const element of document.querySelectorAll('[data-editor] *'))
            for (const kind of ['mouseover', 'focus', 'animationstart', 'toggle', 'load', 'error'])
                element.dispatchEvent(new Event(kind)); }"""
    )
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    assert page.evaluate("window.acted") == []
    assert [url for url in fetched if not url.startswith(site.url)] == []
    assert page.evaluate(STRANGE) == []
    [draft] = site.world.drafts.kept.values()
    assert draft.rich is not None
    assert not re.search('<img[^>]*src="http', draft.rich.html)


def test_the_signature_follows_the_identity_and_the_text_goes_from_form_to_form(
    site: Site, visit: Visit
) -> None:
    begin_rich(site)
    site.world.habits.kept = replace(site.world.habits.kept, rich=False)
    page = visit("/compose/new")
    plain = page.get_by_label("Message", exact=True)
    plain.fill("Hello\n\n-- \nVlad\n")
    page.get_by_label("From").select_option("i1")
    expect(plain).to_have_value("Hello\n\n-- \nVlad\nSales\n")
    page.get_by_role("button", name="Rich text").click()
    text = page.get_by_label(TEXT)
    expect(text).to_contain_text("Sales")
    page.get_by_label("From").select_option("i0")
    expect(text).not_to_contain_text("Sales")
    page.get_by_label("From").select_option("i2")
    expect(text).not_to_contain_text("Vlad")
    page.get_by_label("From").select_option("i1")
    expect(text.locator(".la-signature")).to_contain_text("Sales")
    text.locator(".la-signature").evaluate("one => one.append(' Mine')")
    page.get_by_label("From").select_option("i0")
    expect(text.locator(".la-signature")).to_contain_text("Sales Mine")
    page.get_by_role("button", name="Plain text").click()
    expect(plain).to_have_value("Hello\n\n-- \nVlad\nSales Mine\n")
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)


def test_a_picture_is_put_in_kept_and_shown_again(site: Site, visit: Visit) -> None:
    begin_rich(site)
    page = visit("/compose/new", viewport={"width": 390, "height": 844}, color_scheme="dark")
    expect(page.get_by_label(TEXT)).to_be_visible()  # its script is there
    picture = FilePayload(name="view.png", mimeType="image/png", buffer=PNG)
    page.locator("[data-picture-choice]").set_input_files(picture)
    expect(page.locator("[data-editor] img")).to_have_attribute("alt", "view.png")
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    keep_screenshot(page, "phone-dark-rich")
    [draft] = site.world.drafts.kept.values()
    [(name, kind, octets)] = draft.attachments
    assert isinstance(draft.rich, RichText)
    assert f'src="cid:{name}"' in draft.rich.html
    assert (kind, octets) == ("image/png", PNG)
    page.reload()
    shown = page.locator("[data-editor] img")
    expect(shown).to_have_attribute(
        "src", page.locator("[data-picture]").get_attribute("src") or ""
    )
    page.get_by_label("To", exact=True).fill("hanna@berg.example")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**/mail/inbox")
    [sent] = site.world.sending.sent
    assert sent.rich is not None
    assert f'src="cid:{name}"' in sent.rich.html
    assert sent.draft_files == (0,)


def test_recipients_are_suggested_and_taken_by_the_keyboard_and_files_are_dropped(
    site: Site, visit: Visit
) -> None:
    page = visit("/compose/new")
    to = page.get_by_role("combobox", name="To", exact=True)
    to.press_sequentially('"Lee, Bruce" <lee@kung.example>, hann')
    option = page.get_by_role("option", name="Hanna Berg")
    expect(option).to_be_visible()
    expect(to).to_have_attribute("aria-expanded", "true")
    assert accessibility_problems(page) == []
    keep_screenshot(page, "people")
    to.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    to.press("Enter")
    expect(to).to_have_value(
        '"Lee, Bruce" <lee@kung.example>, Hanna Berg <hanna.berg@brightwater.example>, '
    )
    expect(option).to_have_count(0)
    page.evaluate(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(['abc'], 'plan.txt', {type: 'text/plain'}));
            const form = document.querySelector('[data-compose]');
            const facts = {dataTransfer: data, bubbles: true, cancelable: true};
            form.dispatchEvent(new DragEvent('drop', facts));
        }"""
    )
    expect(page.get_by_label("plan.txt")).to_be_checked()
    expect(page.locator("[data-draft-state]")).to_contain_text(SAVED)
    [draft] = site.world.drafts.kept.values()
    assert draft.attachments == (("plan.txt", "text/plain", b"abc"),)
