"""What the pages of the door call beside the log-in by password; see `ways_in`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.accounts.caller import Caller, client_of
from app.accounts.passkeys import Site
from app.accounts.service import session_of
from app.accounts.ways_in import Over, WaysIn
from app.login_views import StepOver
from app.secret import Secret
from app.views import LoginRefused
from archive_store.clock import utc_now


class Entrance:
    """Each begins a session and gives its token; or raises LoginRefused, LoginThrottled, or
    StepOver.
    """

    def __init__(
        self, ways: WaysIn, site: Site | None, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._ways = ways
        self._now = now
        self.offers_passkeys = site is not None

    def by_code(self, address: str, code: Secret, caller: Caller) -> Secret:
        """A limited session, with a one-time code alone."""
        return session_of(self._ways.by_code(address, code, client_of(caller), self._now()))

    def second_half(self, step: Secret, code: Secret, caller: Caller) -> Secret:
        """What follows a right password: a code of the app, or of the own list."""
        outcome = self._ways.second_half(step, code, client_of(caller), self._now())
        if isinstance(outcome, Over):
            raise StepOver
        return session_of(outcome)

    def ask_passkey(self, caller: Caller) -> tuple[Secret, str]:
        """The token of a step, and the options for the browser, as JSON."""
        asked = self._ways.ask_passkey(client_of(caller), self._now())
        if asked is None:
            raise LoginRefused
        return asked

    def by_passkey(self, step: Secret, answer: str, caller: Caller) -> Secret:
        """What the browser answered."""
        outcome = self._ways.by_passkey(step, answer, client_of(caller), self._now())
        if isinstance(outcome, Over):
            raise StepOver
        return session_of(outcome)
