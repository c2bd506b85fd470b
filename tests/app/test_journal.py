"""Journal reports through the door: one entry for each, nothing of the report in it, none lost."""

import asyncio
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts import domains, feeds, users
from app.accounts.feeds import NewFeed
from app.config_kinds import HostPort
from app.door import Door
from app.models import AuditEvent
from app.viewer import Actor, Role
from archive_store.address import EmailAddress
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreBusy, StoreFull
from archive_store.sealing import Incoming
from smtp_ingest.ports import AcceptedRecipient, ReceivedMail, SessionFacts, Transmission
from smtp_ingest.replies import Reply
from tests.app.test_door import KeptArchive
from tests.corpus import reports
from tests.corpus.reports import LINES, ORIGINAL, report, whole
from tests.parts.tables import make_tables

ROOT = Actor.command_line("root")
FEED = "reports-58e1c1d77aab01cd5d@in.acme.example"
PEOPLE = ("vlad@acme.example", "maria@acme.example", "audit@acme.example", "eve@other.example")
HEAD = LINES[:3]


class House:
    """Two domains, acme.example in relay mode with a feed; a door that keeps units in a list."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.archive = KeptArchive()
        self.door = Door(db, self.archive)

    def send(self, octets: bytes, *to: str, client: str = "192.0.2.9", lmtp: bool = False) -> int:
        return self.answers(octets, *to, client=client, lmtp=lmtp)[0]

    def answers(
        self, octets: bytes, *to: str, client: str = "192.0.2.9", lmtp: bool = False
    ) -> list[int]:
        mail = received(octets, *to, client=client, lmtp=lmtp)
        return [reply.code for reply in asyncio.run(accept(self.door, mail))]

    @property
    def units(self) -> list[Incoming]:
        return [one for unit in self.archive.units for one in unit]

    def entries(self) -> list[tuple[str, str, bytes]]:
        """Whose, in which folder, what."""
        return [
            (copy.envelope.rcpt_to, copy.folder, unit.octets)
            for unit in self.units
            for copy in unit.copies
        ]

    def alarms(self) -> int:
        with self.db.read() as tx:
            found = tx.scalars(select(AuditEvent.seq).where(AuditEvent.kind == "journal.unread"))
            return len(list(found))


def received(octets: bytes, *to: str, client: str, lmtp: bool) -> ReceivedMail:
    how = Transmission.LMTP if lmtp else Transmission.ESMTP
    session = SessionFacts("exchange.acme.example", client, 25, how)
    recipients = tuple(AcceptedRecipient(EmailAddress.parse(one), one) for one in to or (FEED,))
    return ReceivedMail("", recipients, octets, session)


async def accept(door: Door, mail: ReceivedMail) -> Sequence[Reply]:
    return await door.accept(mail)


async def judged(door: Door, address: str, client: str) -> Reply | None:
    session = SessionFacts("x", client, 25, Transmission.ESMTP)
    verdict = door.rcpt(EmailAddress.parse(address), session)
    return await verdict if isinstance(verdict, Awaitable) else verdict


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    db = Database(f"sqlite:///{tmp_path / 'db'}")
    make_tables(db)
    now = utc_now()
    with db.write() as tx:
        acme = domains.add(tx, ROOT, "acme.example", HostPort("mx.acme.example", 25), now)
        other = domains.add(tx, ROOT, "other.example", None, now)
        for domain in (acme, other):
            domains.enable(tx, ROOT, domain, now, all_users=True)
        for person in PEOPLE:
            new = users.NewUser(
                address=EmailAddress.parse(person), name="A", role=Role.USER, password_hash="x"
            )
            users.add(tx, ROOT, new, now)
        wish = NewFeed(address=FEED, networks="192.0.2.0/24")
        feeds.switch_on(tx, ROOT, acme, wish, now)
    yield House(db)
    db.close()


def test_every_recipient_has_the_original_and_nobody_sees_the_report(house: House) -> None:
    assert house.send(report()) == 250
    assert house.entries() == [(one, "inbox", ORIGINAL) for one in PEOPLE[:3]]
    [unit] = house.units
    assert unit.relays == ()  # the primary has delivered it
    assert {copy.envelope.mail_from for copy in unit.copies} == {"ann@remote.example"}
    assert unit.log is not None
    assert (unit.log.recipients, unit.log.more["journal"]) == (PEOPLE[:3], "yes")
    assert b"audit@" not in unit.octets  # the Bcc is in no envelope but its own
    assert house.alarms() == 0


def test_several_reports_of_one_mail_give_everybody_one_entry(house: House) -> None:
    for line in ("To: vlad@acme.example", "Bcc: audit@acme.example", "To: vlad@acme.example"):
        assert house.send(report(lines=(*HEAD, line))) == 250
    assert house.send(report()) == 250  # all three, of whom maria has none yet
    assert [(who, what) for who, _, what in house.entries()] == [
        ("vlad@acme.example", ORIGINAL),
        ("audit@acme.example", ORIGINAL),
        ("maria@acme.example", ORIGINAL),
    ]


def test_two_at_once_give_one_entry(house: House) -> None:
    async def both() -> None:
        mail = received(report(), client="192.0.2.9", lmtp=False)
        await asyncio.gather(*(house.door.accept(mail) for _ in range(5)))

    asyncio.run(both())
    assert len(house.entries()) == 3


def test_other_octets_are_another_mail_whatever_the_message_id(house: House) -> None:
    house.send(report())
    house.send(report(ORIGINAL + b"-- \r\nfooter\r\n"))
    assert len(house.entries()) == 6


def test_what_could_not_be_stored_is_stored_when_it_comes_again(house: House) -> None:
    house.archive._error = StoreFull("full")
    assert house.send(report()) == 452
    house.archive._error = StoreBusy("busy")
    assert house.send(b"no report") == 451
    house.archive._error = None
    assert house.send(report()) == 250
    assert len(house.entries()) == 3
    assert house.alarms() == 0


def test_a_feed_reaches_only_its_own_domains(house: House) -> None:
    house.send(report(lines=(*HEAD, "To: eve@other.example", "To: vlad@acme.example")))
    assert [who for who, _, _ in house.entries()] == ["vlad@acme.example"]


def test_domains_that_share_an_address_share_the_report(house: House) -> None:
    with house.db.write() as tx:
        other = domains.find(tx, ROOT, "other.example")
        feeds.switch_on(tx, ROOT, other, NewFeed(address=FEED), utc_now())
    lines = (*HEAD, "To: eve@other.example", "To: vlad@acme.example")
    house.send(report(lines=lines))
    assert sorted(who for who, _, _ in house.entries()) == [
        "eve@other.example",
        "vlad@acme.example",
    ]
    # Where the one may not send, the other's people are reached all the same.
    house.archive.units.clear()
    house.send(report(b"Subject: 2\r\n\r\n", lines=lines), client="198.51.100.1")
    assert [who for who, _, _ in house.entries()] == ["eve@other.example"]


def test_a_report_that_is_for_nobody_here_is_taken_and_kept_nowhere(house: House) -> None:
    assert house.send(report(lines=(*HEAD, "To: ann@remote.example"))) == 250
    assert house.units == []


@pytest.mark.parametrize(
    "octets",
    [ORIGINAL, b"", report()[:-40], report(lines=HEAD), report().replace(b"rfc822", b"x")],
)
def test_what_cannot_be_read_is_kept_whole_for_nobody_with_an_alarm(
    house: House, octets: bytes
) -> None:
    assert [house.send(octets), house.send(octets)] == [250, 250]
    address = "livearchive-journal-quarantine@acme.example"
    assert house.entries() == [(address, "inbox", octets)] * 2
    with house.db.read() as tx:
        [feed] = feeds.at(tx, EmailAddress.parse(FEED))
    assert {copy.mailbox_id for unit in house.units for copy in unit.copies} == {feed.quarantine_id}
    assert house.alarms() == 1


def test_of_a_doubtful_report_people_have_their_mail_and_it_is_kept_whole(house: House) -> None:
    octets = report(lines=(*HEAD, "To: /o=Acme/cn=maria", "To: vlad@acme.example"))
    assert house.send(octets) == 250
    assert [(who.partition("@")[0], what) for who, _, what in house.entries()] == [
        ("vlad", ORIGINAL),
        ("livearchive-journal-quarantine", octets),
    ]
    assert house.alarms() == 1


def test_a_protected_mail_is_kept_beside_its_clear_copy_without_an_alarm(house: House) -> None:
    octets = whole(
        reports.envelope(), reports.attached(reports.PROTECTED), reports.attached(ORIGINAL)
    )
    house.send(octets)
    *people, aside = house.entries()
    assert {what for _, _, what in people} == {ORIGINAL}
    assert aside[1:] == ("archive", octets)
    assert house.alarms() == 0


def test_a_trouble_that_nobody_foresaw_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(octets: bytes) -> None:
        raise RecursionError

    monkeypatch.setattr("app.journal.read_report", broken)
    assert house.send(report()) == 250
    assert house.entries()[0][2] == report()


def test_strangers_may_send_no_reports(house: House) -> None:
    refused = asyncio.run(judged(house.door, FEED, "198.51.100.1"))
    assert refused is not None
    assert refused.code == 450
    again = asyncio.run(judged(house.door, FEED, "198.51.100.1"))  # remembered by now
    assert again == refused
    assert asyncio.run(judged(house.door, FEED, "192.0.2.9")) is None
    # And when the list was changed between RCPT and the end of the data:
    assert house.send(report(), client="198.51.100.1") == 451
    assert house.units == []


def test_a_report_at_a_persons_address_is_mail_like_any_other(house: House) -> None:
    house.send(report(), "vlad@acme.example")
    assert house.entries() == [("vlad@acme.example", "inbox", report())]
    assert len(house.units[0].relays) == 1


def test_a_report_and_a_mail_in_one_transaction(house: House) -> None:
    assert house.send(report(), FEED, "vlad@acme.example") == 250
    assert [what == ORIGINAL for _, _, what in house.entries()] == [True, True, True, False]


def test_by_lmtp_each_recipient_has_its_answer(house: House) -> None:
    to = (FEED, "vlad@acme.example")
    assert house.answers(report(), *to, lmtp=True) == [250, 250]
    assert house.answers(report(), *to, lmtp=True, client="198.51.100.1") == [451, 250]


def test_a_login_may_be_what_the_feed_asks_for(house: House) -> None:
    with house.db.write() as tx:
        acme = domains.find(tx, ROOT, "acme.example")
        feeds.switch_on(tx, ROOT, acme, NewFeed(address=FEED, login="exchange"), utc_now())
    mail = received(report(), client="198.51.100.1", lmtp=False)
    known = replace(mail, session=replace(mail.session, login="exchange"))
    codes = [asyncio.run(accept(house.door, one))[0].code for one in (mail, known)]
    assert codes == [451, 250]
    assert len(house.entries()) == 3
