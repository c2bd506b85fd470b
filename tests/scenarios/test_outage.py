"""The outage story, as the people in it live it: real processes, a real browser."""

import email.policy
import re
from email.message import EmailMessage
from email.parser import BytesParser

from playwright.sync_api import Locator, Page, expect

from tests.parts.browser import keep_screenshot
from tests.parts.network import wait_until
from tests.scenarios.conftest import Town
from tests.scenarios.service import PASSWORD, mail

SUBJECT = "Purchase order 4471: delivery moved to Thursday?"


def test_mail_is_read_and_answered_while_the_mail_server_is_down_and_reaches_it_later(
    town: Town, page: Page
) -> None:
    service, primary = town.service, town.primary
    vlad = service.newcomer()
    sales = f"sales-{vlad}"
    service.add_identity(vlad, f"Acme Sales <{sales}>")
    before = mail("Before the outage")
    service.send(before, vlad)
    primary.wait_for(vlad)

    primary.control.stop()
    order = mail(SUBJECT, "Could you take delivery on Thursday?\r\n\r\nHanna\r\n")
    service.send(order, sales, sender="hanna@brightwater.example")

    _sign_in(page, service.url, vlad)
    banner = page.get_by_text(re.compile("Your mail server has not answered since"))
    row = page.get_by_role("link", name=re.compile(f"Hanna Berg.*{re.escape(SUBJECT)}"))
    # Noticing the outage and listing the order are two roles' work: either may come first.
    wait_until(lambda: _seen(page, banner, row), "the outage is noticed, the order listed")
    expect(banner).to_be_visible()
    keep_screenshot(page, "outage-inbox")

    row.click()
    expect(page.get_by_role("heading", name=SUBJECT)).to_be_visible()
    frame = page.frame_locator('iframe[title="Message body"]')
    expect(frame.get_by_text("Could you take delivery on Thursday?")).to_be_visible()
    expect(page.get_by_text(re.compile("Only here"))).not_to_have_count(0)
    keep_screenshot(page, "outage-message")

    page.get_by_role("link", name="Reply", exact=True).first.click()
    chosen = page.get_by_label("From", exact=True)
    expect(chosen.locator("option:checked")).to_have_text(re.compile(re.escape(sales)))
    page.get_by_label("Message", exact=True).press_sequentially("Thursday suits us.\n")
    keep_screenshot(page, "outage-reply")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text(re.compile(f"Sent as {re.escape(sales)}"))).to_be_visible()
    keep_screenshot(page, "outage-sent")

    wait_until(
        lambda: len(primary.octets("hanna@brightwater.example", "outside")) == 1,
        "the answer reaches Hanna",
    )
    answer = _parsed(primary.octets("hanna@brightwater.example", "outside")[0])
    assert answer["From"].addresses[0].addr_spec == sales
    assert answer["In-Reply-To"] == _parsed(order)["Message-ID"]
    assert "Thursday suits us." in answer.get_content()
    assert len(primary.octets(vlad)) == 1  # the one from before; the outage goes on

    primary.control.start()
    [arrived] = primary.wait_for(sales)
    assert arrived.endswith(order)
    assert arrived.removesuffix(order).lower().count(b"received:") == 1
    wait_until(lambda: service.waiting() == 0, "nothing waits any more")
    # The original and nothing but the original: no answer, no copy, no notice.
    assert len(primary.octets(sales)) == 1
    assert len(primary.octets(vlad)) == 1

    page.goto(f"{service.url}/mail/sent")
    expect(page.get_by_role("link", name=re.compile("Purchase order 4471"))).to_be_visible()
    page.goto(f"{service.url}/mail/inbox")
    page.get_by_role("link", name=re.compile(re.escape(SUBJECT))).click()
    expect(page.get_by_text(re.compile("Delivered to your mail server"))).to_be_visible()
    keep_screenshot(page, "outage-over")


def test_what_is_deleted_goes_to_the_trash_and_then_for_good(town: Town, page: Page) -> None:
    vlad = town.service.newcomer()
    town.service.send(mail("To be deleted"), vlad)
    _sign_in(page, town.service.url, vlad)
    row = page.get_by_role("link", name=re.compile("To be deleted"))
    row.click()
    page.get_by_role("button", name="Delete", exact=True).first.click()
    expect(page.get_by_text(re.compile("Trash")).first).to_be_visible()
    page.goto(f"{town.service.url}/mail/trash")
    assert [one.folder for one in town.service.messages(vlad)] == ["trash"]
    row.click()
    page.get_by_role("button", name="Delete", exact=True).first.click()
    page.get_by_role("button", name="Delete for good").click()
    expect(row).to_have_count(0)
    assert town.service.messages(vlad) == []


def _sign_in(page: Page, url: str, address: str) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/mail/inbox")


def _seen(page: Page, *things: Locator) -> bool:
    if all(thing.count() for thing in things):
        return True
    page.reload()
    return False


def _parsed(octets: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(octets)
