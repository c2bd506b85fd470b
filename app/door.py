"""The tee: what SMTP accepts becomes copies in mailboxes and items in the mailbag.

The facts of a recipient come from `accounts.routing`; this module turns them
into SMTP replies and into one unit for the archive, so that all recipients of a
transaction are stored together or the sender keeps the mail.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from time import monotonic

from app.accounts.routing import Disposition, Route, resolve
from app.journal import Journal
from app.tee import Store, as_unit, without_own_copies
from app.wayback.mark import Marks
from archive_store.address import EmailAddress
from archive_store.db import Database
from archive_store.errors import StoreError, StoreFull
from smtp_ingest.ports import RcptVerdict, ReceivedMail, SessionFacts, Transmission
from smtp_ingest.replies import Reply

REMEMBER_SECONDS = 2.0  # how long a change to people or domains takes to reach the door
REMEMBER_ROUTES = 20_000

NOT_OURS = Reply(550, "5.7.1", "This server takes no mail for that domain")
UNKNOWN = Reply(550, "5.1.1", "No such mailbox here")
OFF = Reply(550, "5.1.1", "No mail is kept for this address")
# Not for good: whoever set up the feed with a network too few finds the reports in his queue.
NOT_THIS_FEED = Reply(450, "4.7.1", "Journal reports are not taken from here")
STORED = Reply(250, "2.6.0", "Stored")
NO_ROOM = Reply(452, "4.3.1", "No room to store mail now, try again later")
NOT_NOW = Reply(451, "4.3.0", "The mail could not be stored now, try again later")

_REFUSALS = {
    Disposition.NOT_OURS: NOT_OURS,
    Disposition.REJECT_UNKNOWN: UNKNOWN,
    Disposition.REJECT_OFF: OFF,
}


@dataclass(frozen=True, slots=True)
class _Remembered:
    route: Route
    until: float


class Door:
    """MailDoor over a store. Lives on the event loop of the ingest role."""

    def __init__(self, db: Database, store: Store, marks: Marks | None = None) -> None:
        self._db = db
        self._store = store
        self._marks = marks
        self._journal = Journal(db, store, marks=marks)
        self._routes: dict[str, _Remembered] = {}

    def rcpt(
        self, address: EmailAddress, session: SessionFacts
    ) -> RcptVerdict | Awaitable[RcptVerdict]:
        """Judge a recipient: from memory at once, else by asking the database in a thread."""
        remembered = self._routes.get(address.key)
        if remembered is not None and remembered.until > monotonic():
            return _refusal(remembered.route, session)
        return self._ask(address, session)

    async def accept(self, mail: ReceivedMail) -> Sequence[Reply]:
        """Store the mail for everybody, durably, or for nobody."""
        routes = [await self._route(recipient.address) for recipient in mail.recipients]
        # Between RCPT and here somebody may have switched a domain or a person off: then a
        # recipient has nowhere to go any more, and a 250 for him would be a lie.
        lost = [_refusal(route, mail.session) is not None for route in routes]
        by_recipient = mail.session.transmission is Transmission.LMTP
        if all(lost) or (any(lost) and not by_recipient):
            return [NOT_NOW] * (len(lost) if by_recipient else 1)
        reply = await self._keep(mail, routes)
        if not by_recipient:
            return [reply]
        return [NOT_NOW if one else reply for one in lost]

    async def _keep(self, mail: ReceivedMail, routes: Sequence[Route]) -> Reply:
        try:
            # First the reports: what of them is stored already is known when they come again.
            for route in routes:
                await self._journal.take(mail, route.feeds)
            if unit := as_unit(mail, without_own_copies(mail, routes, self._marks)):
                await asyncio.wrap_future(self._store.submit(unit))
        except StoreFull:
            return NO_ROOM
        except StoreError:
            return NOT_NOW
        return STORED

    async def _ask(self, address: EmailAddress, session: SessionFacts) -> RcptVerdict:
        try:
            route = await self._route(address)
        except StoreError:
            return NOT_NOW
        return _refusal(route, session)

    async def _route(self, address: EmailAddress) -> Route:
        remembered = self._routes.get(address.key)
        if remembered is not None and remembered.until > monotonic():
            return remembered.route
        route = await asyncio.to_thread(self._look_up, address)
        if len(self._routes) >= REMEMBER_ROUTES:
            self._routes.clear()
        self._routes[address.key] = _Remembered(route, monotonic() + REMEMBER_SECONDS)
        return route

    def _look_up(self, address: EmailAddress) -> Route:
        with self._db.read() as tx:
            return resolve(tx, address)


def _refusal(route: Route, session: SessionFacts) -> Reply | None:
    if route.feeds:
        known = any(feed.comes_from(session.client_ip, session.login) for feed in route.feeds)
        return None if known else NOT_THIS_FEED
    return _REFUSALS.get(route.disposition)
