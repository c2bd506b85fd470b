"""Log-ins as the master user, so few that no server locks him out.

What a server refuses is counted with the domain's settings, so that no restart forgets it: after
REFUSALS in a row nobody logs in for a while, and somebody is told. A mailbox that is not there
looks just like a wrong password; so the first success of any other ends the count. Until one has
succeeded since the last refusal there is one log-in at a time: others at once would all be refused
before the first is counted. A server that is away rests for a shorter while, in this process.
"""

import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from app.audit import alarms
from app.audit.events import ImapRefused
from app.models import Domain, ImapAccess
from app.secret import Secret
from app.wayback import imap
from app.wayback.imap import ImapTrouble, LoginRefused, Mailbox, Patience, ServerAway
from archive_store.clock import utc_now
from archive_store.db import Database

REFUSALS = 3
AT_ONCE = 3  # sessions with one server that lets us in
REFUSED_REST = timedelta(minutes=15)  # doubled with each refusal after that
LONGEST_REST = timedelta(hours=1)
_AWAY_REST, _LONGEST_AWAY = 10.0, 300.0  # seconds


Primary = tuple[str, int, str]


class Resting(ImapTrouble):
    """It is not asked for now."""


class ImapKeys(Protocol):
    """The keys role, as far as passwords of master users go."""

    def open_imap(self, item_ids: Sequence[bytes], /) -> Mapping[bytes, Secret | None]:
        """By domain, of copies that wait; None: it does not open. Raises StoreError."""


@dataclass(slots=True)
class _Away:
    failures: int = 0
    until: float = 0.0  # of time.monotonic


class Logins:
    """Opens mailboxes of any domain. Safe to share between threads; keeps no password."""

    def __init__(
        self, db: Database, authorities: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._db = db
        self._patience = patience or Patience()
        self._tls = ssl.create_default_context()
        if authorities is not None:
            self._tls.load_verify_locations(authorities)
        self._away: dict[bytes, _Away] = {}
        self._open: set[Primary] = set()  # those that let us in and have refused nobody since

    def access(self, domain_id: bytes) -> ImapAccess | None:
        """How the domain's mailboxes are reached, if they are."""
        with self._db.read() as tx:
            return tx.get(ImapAccess, domain_id)

    def most(self, primary: Primary) -> int:
        """How many sessions there may be with a server now."""
        return AT_ONCE if primary in self._open else 1

    @contextmanager
    def mailbox(
        self, access: ImapAccess, address: str, password: Secret | None, octets: int = 0
    ) -> Iterator[Mailbox]:
        """A session with one mailbox, to store so much. Raises ImapTrouble, and StoreError."""
        self._check_rest(access)
        if password is None:
            self._refused(access)
            raise LoginRefused("its password does not open here: set it anew")
        try:
            patience = self._patience.for_mail(octets)
            with imap.mailbox(access, address, password, self._tls, patience) as box:
                self._welcome(access)
                yield box
        except LoginRefused:
            self._refused(access)
            raise
        except ServerAway:
            self._note_away(access)
            raise
        self._away.pop(access.domain_id, None)

    def _check_rest(self, access: ImapAccess) -> None:
        if access.rests_until is not None and access.rests_until > utc_now():
            raise Resting("it refused log-ins, and is left alone for a while")
        away = self._away.get(access.domain_id)
        if away is not None and time.monotonic() < away.until:
            raise Resting("it did not answer a moment ago")

    def _note_away(self, access: ImapAccess) -> None:
        away = self._away.setdefault(access.domain_id, _Away())
        away.until = time.monotonic() + min(_AWAY_REST * 2**away.failures, _LONGEST_AWAY)
        away.failures = min(away.failures + 1, 10)

    def _welcome(self, access: ImapAccess) -> None:
        self._open.add(primary_of(access))
        if access.refusals:
            with self._db.write() as tx:
                row = tx.get(ImapAccess, access.domain_id)
                if row is not None and row.id == access.id:
                    row.refusals, row.rests_until = 0, None

    def _refused(self, access: ImapAccess) -> None:
        self._open.discard(primary_of(access))
        now = utc_now()
        with self._db.write() as tx:
            row = tx.get(ImapAccess, access.domain_id, with_for_update=True)
            if row is None or row.id != access.id:
                return  # it was set anew meanwhile
            row.refusals += 1
            refusals = row.refusals
            if refusals >= REFUSALS:
                row.rests_until = now + rest(refusals)
            domain = tx.get_one(Domain, row.domain_id).name
        if refusals >= REFUSALS:
            alarms.raise_alarm(self._db, ImapRefused(domain=domain), "deliver", now)


def primary_of(access: ImapAccess) -> Primary:
    """The server and the user whom it could lock out; domains may share them."""
    return access.host, access.port, access.master


def rest(refusals: int) -> timedelta:
    """How long nobody logs in after so many refusals in a row."""
    doubled = REFUSED_REST * (1 << min(refusals - REFUSALS, 8))
    return min(doubled, LONGEST_REST)
