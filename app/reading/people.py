"""Whom somebody may want to write to: who wrote, who was written to, and the colleagues.

Read from the opened summaries of the session and from the accounts of the own domain: nothing of
it is kept anywhere. Whoever was written to comes before who only wrote, often before once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.accounts import identities
from app.models import User
from app.reading import finding
from app.reading.desk import Desk
from app.viewer import Viewer
from app.views import Correspondent
from archive_store.address import BadAddress, EmailAddress
from archive_store.errors import SealBroken
from archive_store.mime.folding import fold
from archive_store.mime.summary import Summary
from archive_store.models import Entry
from archive_store.summary_scan import OpenedSummary

MOST = 8
LONGEST = 100  # characters that somebody has typed
MOST_MESSAGES = 2_000
WRITTEN_TO = 4  # as much as four mails that came in
COLLEAGUE = 2
_NAMED = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]+)>")
_WORDS = re.compile(r"[^\w]+")


@dataclass(slots=True)
class _Known:
    name: str
    address: str
    weight: int = 0

    @property
    def words(self) -> list[str]:
        """What may be typed of them, folded."""
        said = fold(f"{self.name} {self.address}")
        return [fold(self.address), *_WORDS.split(said)]


class People(Desk):
    """The use case of suggesting addresses."""

    def suggest(self, viewer: Viewer, typed: str) -> tuple[Correspondent, ...]:
        """The people whose name or address has words that begin as those typed; the likeliest
        first.
        """
        wanted = [word for word in fold(typed[:LONGEST]).split() if word]
        if not wanted:
            return ()
        with self._db.read() as tx:
            known = self._known(tx, viewer)
        found = [one for one in known if _begins(one.words, wanted)]
        found.sort(key=lambda one: (-one.weight, one.address))
        return tuple(Correspondent(name=one.name, address=one.address) for one in found[:MOST])

    def _known(self, tx: Session, viewer: Viewer) -> Iterable[_Known]:
        window, known = self._window(viewer), dict[str, _Known]()
        own = {one.address_key for one in identities.list_of(tx, viewer.user.id)}
        kept = Entry.folder.not_in(("spam", "trash", "drafts"))
        lines = finding.lines(tx, *window.conditions, kept, limit=MOST_MESSAGES)
        summaries = self._shelves.summaries(tx, viewer, lines, self._now())
        for line in lines:  # the newest first: whose name has changed goes by the new one
            summary = _summary(summaries.get(line.seq))
            if summary is None:
                continue
            if line.folder == "sent":
                for person in (*summary.to, *summary.cc):
                    _note(known, *_read(person), WRITTEN_TO)
            else:
                _note(known, summary.sender_name, summary.sender_address, 1)
        for name, address in tx.execute(_colleagues(viewer)):
            _note(known, name, address, COLLEAGUE)
        return [one for key, one in known.items() if key not in own]


def _summary(opened: OpenedSummary | None) -> Summary | None:
    try:
        return opened.parse().summary if opened else None
    except SealBroken:  # the list says so
        return None


def _colleagues(viewer: Viewer) -> Select[str, str]:
    return select(User.name, User.address).where(
        User.domain_id == viewer.user.domain_id,
        User.disabled.is_(False),
        User.mailbox_id.is_not(None),
    )


def _note(known: dict[str, _Known], name: str, address: str, weight: int) -> None:
    try:
        key = EmailAddress.parse(address).key
    except BadAddress:
        return
    one = known.setdefault(key, _Known(name, address))
    one.name = one.name or name
    one.weight += weight


def _read(person: str) -> tuple[str, str]:
    found = _NAMED.fullmatch(person)
    return (found["name"].strip(), found["address"]) if found else ("", person)


def _begins(words: list[str], wanted: list[str]) -> bool:
    return all(any(word.startswith(one) for word in words) for one in wanted)
