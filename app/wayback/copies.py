"""A sent mail into its sender's Sent folder on the primary, once.

    open the password → log in as the sender → is its Message-ID in Sent? → else APPEND

Whatever is killed in between, the next attempt looks first: before the APPEND nothing is there,
after it the copy is found and only written down. A server stores a literal whole or not at all
(RFC 9051 section 6.3.12). Where a domain has no IMAP server the copy goes by SMTP to the sender's
own mailbox, which like all SMTP is at least once.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime

from app.delivery.outcome import Deferred, Delivered, Failed, Outcome
from app.delivery.queue import Claim
from app.models import ImapAccess
from app.secret import Secret
from app.wayback.imap import ImapTrouble, LoginRefused, NoRoom
from app.wayback.logins import ImapKeys, Logins, Primary, Resting, primary_of
from app.wayback.mark import Marker
from archive_store.address import EmailAddress
from smtp_ingest.newlines import normalized
from smtp_ingest.peek import peek

log = logging.getLogger(__name__)
SESSIONS = 8  # at once, of all domains
NO_ID = Failed(0, "5.6.0 The mail has no Message-ID by which a copy could be found again")
_CODES: dict[type[ImapTrouble], str] = {NoRoom: "4.2.2", LoginRefused: "4.7.8"}


class SentCopies:
    """`app.delivery.attempt.Copies`. Close it at the end."""

    def __init__(self, logins: Logins, keys: ImapKeys, marker: Marker) -> None:
        self._logins = logins
        self._keys = keys
        self._marker = marker
        self._threads = ThreadPoolExecutor(SESSIONS, "deliver-imap")
        self._busy: Counter[Primary] = Counter()
        self._turns = asyncio.Condition()

    async def file(self, claim: Claim, address: str, octets: bytes) -> Outcome | None:
        """Into the Sent folder, once; None when that cannot be reached. Raises StoreError."""
        access = await asyncio.to_thread(self._logins.access, claim.domain.id)
        if access is None:
            return None
        loop = asyncio.get_running_loop()
        async with self._turn(primary_of(access)):
            return await loop.run_in_executor(self._threads, self._file, claim, address, octets)

    @asynccontextmanager
    async def _turn(self, primary: Primary) -> AsyncIterator[None]:
        """Wait here, not in a thread: a server that is slow must leave some to others."""
        async with self._turns:
            await self._turns.wait_for(lambda: self._busy[primary] < self._logins.most(primary))
            self._busy[primary] += 1
        try:
            yield
        finally:
            async with self._turns:
                self._busy[primary] -= 1
                self._turns.notify_all()

    def marked(self, octets: bytes, address: str) -> bytes:
        """The mail as it goes to the mailbox by SMTP."""
        return self._marker.marked(octets, EmailAddress.parse(address))

    def close(self) -> None:
        """What is under way is found done, or is done again, by whoever comes next."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _file(self, claim: Claim, address: str, octets: bytes) -> Outcome | None:
        access = self._logins.access(claim.domain.id)
        if access is None:
            return None
        message_id = peek(octets).message_id
        if not message_id or claim.message is None:
            return NO_ID
        found = self._keys.open_imap(claim.item_ids)
        try:
            return self._put(
                access,
                address,
                found.get(claim.domain.id),
                (message_id, octets, claim.message.received_at),
            )
        except ImapTrouble as trouble:
            if not isinstance(trouble, Resting):
                log.warning("a Sent copy waits: the IMAP server %s: %s", access.host, trouble)
            code = _CODES.get(type(trouble), "4.4.1")
            return Deferred(0, f"{code} The Sent folder cannot be reached: {trouble}", access.host)

    def _put(
        self,
        access: ImapAccess,
        address: str,
        password: Secret | None,
        mail: tuple[str, bytes, datetime],
    ) -> Outcome:
        message_id, octets, sent_at = mail
        with self._logins.mailbox(access, address, password, len(octets)) as box:
            folder = box.sent_folder()
            if not box.make(folder) and box.look(folder, message_id, sent_at):
                return Delivered(0, "2.0.0 It is in the Sent folder already", access.host)
            box.append(folder, normalized(octets), sent_at)
        return Delivered(0, "2.0.0 In the Sent folder", access.host)
