"""`Holds`: what the pages may do with legal holds.

Administrators and auditors of a domain see its holds, a service provider all of them. Only an
auditor places and releases them, and opens what they hold: the keys role looks at the session
itself. Whose mail is held sees that it is, and since when; not why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, or_, select

from app.accounts.permissions import Permission, reachable_domain
from app.admin import holds
from app.admin.gate import Gate, read_id
from app.admin_views import FoundToHold, HoldLine, HoldPage
from app.models import AddressRoute, Hold
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry
from archive_store import ids
from archive_store.address import BadAddress, EmailAddress
from archive_store.clock import day_of, utc_now
from archive_store.db import Database
from archive_store.errors import NotFound
from archive_store.held import HeldReader
from archive_store.models import HeldEntry, Mailbox
from archive_store.search import parse_query

HELD_ROWS = 50
LONGEST_REASON = 500
NO_REASON = phrase("Say why: the reason stands in the list and in the audit trail.")
NO_WORDS = phrase("Say what to search for: a search without words would find everything.")
NOTHING_FOUND = phrase("This search finds nothing in that mailbox now.")
LONG_REASON = phrase("A reason has %(most)s characters at most.", most=LONGEST_REASON)
NOBODY = phrase("Nobody of your domain has a mailbox with this address.")


class HoldKeys(Protocol):
    """What holds need of the keys role."""

    def place_hold(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes
    ) -> bytes: ...
    def count_found(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes, words: str
    ) -> tuple[int, int]: ...
    def place_found(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes, words: str
    ) -> bytes: ...
    def release_hold(self, token: Secret, client_ip: str, reason: str, hold_id: bytes) -> None: ...
    def open_held(
        self, token: Secret, client_ip: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldParts:
    """What the use cases are made of."""

    db: Database
    keys: HoldKeys
    reader: HeldReader
    now: Callable[[], datetime] = field(default=utc_now)


class Holds:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: HoldParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._reader = parts.reader
        self._now = parts.now
        self._gate = Gate(parts.db, parts.now)

    def list_holds(self, viewer: Viewer) -> tuple[HoldLine, ...]:
        """The holds that the viewer may see, newest first."""
        reach = self._reach(viewer)
        with self._db.read() as tx:
            return tuple(holds.active(tx, reach))

    def hold(self, viewer: Viewer, hold_id: str, page: int = 1) -> HoldPage:
        """One of them, with a page of what it holds."""
        reach, wanted = self._reach(viewer), read_id(hold_id)
        with self._db.read() as tx:
            found = holds.active(tx, reach, wanted)
            if not found:
                raise NotFound("no such hold")
            pages = max(1, -(-found[0].messages // HELD_ROWS))
            number = min(max(page, 1), pages)
            offset = (number - 1) * HELD_ROWS
            rows = holds.messages(tx, wanted, limit=HELD_ROWS, offset=offset)
        return HoldPage(hold=found[0], rows=tuple(rows), page=number, pages=pages)

    def place(self, viewer: Viewer, address: str, reason: str) -> str:
        """Hold a mailbox of the auditor's domain; the hold's id."""
        self._require_auditor(viewer)
        why = _checked(reason)
        mailbox_id = self._mailbox(viewer, address)
        placed = self._keys.place_hold(viewer.token, viewer.client_ip, why, mailbox_id)
        return ids.show(placed)

    def count_found(self, viewer: Viewer, address: str, words: str, reason: str) -> FoundToHold:
        """How much a search in a mailbox of the auditor's domain would hold; audited."""
        self._require_auditor(viewer)
        why, mailbox_id = _checked(reason), self._mailbox(viewer, address)
        token, client_ip = viewer.token, viewer.client_ip
        checked = self._checked_words(words)
        count, octets = self._keys.count_found(token, client_ip, why, mailbox_id, checked)
        if not count:
            raise BadEntry("words", NOTHING_FOUND)
        return FoundToHold(messages=count, octets=octets)

    def place_found(self, viewer: Viewer, address: str, words: str, reason: str) -> str:
        """Hold what a search finds now in a mailbox of the auditor's domain; the hold's id."""
        self._require_auditor(viewer)
        why, mailbox_id = _checked(reason), self._mailbox(viewer, address)
        token, client_ip = viewer.token, viewer.client_ip
        checked = self._checked_words(words)
        return ids.show(self._keys.place_found(token, client_ip, why, mailbox_id, checked))

    def release(self, viewer: Viewer, hold_id: str, reason: str) -> None:
        """Release a hold of the auditor's domain."""
        self._require_auditor(viewer)
        found = read_id(self.hold(viewer, hold_id).hold.id)
        self._keys.release_hold(viewer.token, viewer.client_ip, _checked(reason), found)

    def original(self, viewer: Viewer, hold_id: str, entry_id: str) -> bytes:
        """The octets of a held message as received; audited."""
        self._require_auditor(viewer)
        hold, entry = read_id(self.hold(viewer, hold_id).hold.id), read_id(entry_id)
        keys = self._keys.open_held(viewer.token, viewer.client_ip, hold, [entry])
        with self._db.read() as tx:
            held = tx.get(HeldEntry, (hold, entry))
        if held is None or entry not in keys:
            raise NotFound("no such message under this hold")
        return self._reader.open(held, keys[entry]).octets

    def held_since(self, viewer: Viewer) -> datetime | None:
        """Since when anything of the viewer's own mailbox is under a hold; None: nothing is."""
        if viewer.mailbox_id is None:
            return None
        theirs = HeldEntry.mailbox_id == viewer.mailbox_id
        some = select(HeldEntry.hold_id).where(theirs).distinct()
        query = select(func.min(Hold.placed_at)).where(
            Hold.released_at.is_(None),
            or_(Hold.mailbox_id == viewer.mailbox_id, Hold.id.in_(some)),
        )
        with self._db.read() as tx:
            return tx.scalar(query)

    def _reach(self, viewer: Viewer) -> bytes | None:
        reach = reachable_domain(viewer.user)
        self._gate.require(viewer, Permission.SEE_HOLDS, reach)
        return reach

    def _require_auditor(self, viewer: Viewer) -> None:
        self._gate.require(viewer, Permission.HOLD_MAIL, viewer.user.domain_id)

    def _checked_words(self, words: str) -> str:
        query = parse_query(words, today=day_of(self._now()))
        if query.empty:
            raise BadEntry("words", NO_WORDS)
        if query.problems:
            typed = query.problems[0].typed or words
            raise BadEntry(
                "words", phrase("Not all of this makes sense as a search: %(typed)s", typed=typed)
            )
        return words

    def _mailbox(self, viewer: Viewer, address: str) -> bytes:
        try:
            key = EmailAddress.parse(address.strip()).key
        except BadAddress:
            raise BadEntry("address", NOBODY) from None
        with self._db.read() as tx:
            route = tx.get(AddressRoute, key)
            mailbox = tx.get(Mailbox, route.mailbox_id) if route else None
        if mailbox is None or mailbox.tenant_id != viewer.user.domain_id:
            raise BadEntry("address", NOBODY)
        return mailbox.id


def _checked(reason: str) -> str:
    if not reason.strip():
        raise BadEntry("reason", NO_REASON)
    if len(reason) > LONGEST_REASON:
        raise BadEntry("reason", LONG_REASON)
    return reason.strip()
