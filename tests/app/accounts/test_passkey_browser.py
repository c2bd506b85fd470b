"""Passkeys in a real Chromium, whose virtual device keeps and uses them."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Page, expect

from app.accounts.passkeys import Site
from tests.app.accounts.conftest import PASSWORD, Town
from tests.app.accounts.house import VLAD, House
from tests.browser.site import READY_SECONDS, Server
from tests.parts.browser import BrowserProblems, accessibility_problems

DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def address(town: Town, tmp_path: Path) -> Iterator[str]:
    """The site under a name, as passkeys need it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://localhost:{listening.getsockname()[1]}"
        site = Site.at(address)
        assert site is not None
        app = House(town, tmp_path / "house", site).pages(address)
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
        config.timeout_graceful_shutdown = 2
        server = Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        assert server.listens.wait(READY_SECONDS)
        yield address
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_passkey_is_made_signs_in_and_is_removed(
    address: str, new_page: Callable[..., Page], browser_problems: BrowserProblems
) -> None:
    page = new_page(base_url=address, viewport={"width": 390, "height": 844})
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    added = device.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    page.goto("/login")
    page.get_by_label("E-mail address").fill(VLAD)
    page.get_by_label("Password").fill(PASSWORD.reveal())
    page.get_by_role("button", name="Sign in").click()
    page.goto("/settings/login")
    page.get_by_label("Name of the new passkey").fill("Office laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey is saved.")).to_be_visible()
    expect(page.get_by_role("button", name="Remove the passkey Office laptop")).to_be_visible()
    assert accessibility_problems(page) == []

    page.context.clear_cookies()
    page.goto("/login")
    assert accessibility_problems(page) == []
    unverified = {"authenticatorId": added["authenticatorId"], "isUserVerified": False}
    device.send("WebAuthn.setUserVerified", unverified)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Your browser gave no passkey.")).to_be_visible()
    device.send("WebAuthn.setUserVerified", unverified | {"isUserVerified": True})
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/mail/inbox")

    page.goto("/settings/login")
    page.get_by_role("button", name="Remove the passkey Office laptop").click()
    expect(page.get_by_text("That passkey no longer signs in.")).to_be_visible()
    page.context.clear_cookies()
    page.goto("/login")
    browser_problems.allow("status of 401")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("That passkey does not sign in here.")).to_be_visible()
