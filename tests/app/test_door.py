"""The tee's door: who gets what of a transaction, and no 250 for a mail that nobody keeps."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import cast

import pytest

from app import door as doors
from app.accounts.routing import Disposition, Route
from app.door import Door
from app.tee import as_unit
from archive_store.address import EmailAddress
from archive_store.archive import Archive, Stored
from archive_store.db import Database
from archive_store.envelope import DsnWishes
from archive_store.errors import StoreBusy, StoreError, StoreFull
from archive_store.ids import new_id
from archive_store.sealing import Incoming
from smtp_ingest.forwarding import Origin
from smtp_ingest.ports import AcceptedRecipient, ReceivedMail, SessionFacts, Transmission
from smtp_ingest.replies import Reply

TENANT, OTHER, BOX = new_id(), new_id(), new_id()


def kept(box: bytes = BOX, tenant: bytes = TENANT, *, relay: bool = True) -> Route:
    return Route(
        disposition=Disposition.KEEP,
        domain_id=tenant,
        hands_on=relay,
        tenant_id=tenant,
        mailbox_id=box,
    )


GONE = Route(disposition=Disposition.NOT_OURS)
HANDED_ON = Route(disposition=Disposition.HAND_ON, domain_id=TENANT, hands_on=True)


def received(*addresses: str, how: Transmission = Transmission.ESMTP) -> ReceivedMail:
    recipients = tuple(AcceptedRecipient(EmailAddress.parse(one), one) for one in addresses)
    session = SessionFacts("client.example", "192.0.2.1", 1234, how)
    return ReceivedMail("a@b.example", recipients, b"Subject: x\r\n\r\n", session)


class KeptArchive:
    """Takes units, or fails as it is told."""

    def __init__(self, error: StoreError | None = None) -> None:
        self.units: list[Sequence[Incoming]] = []
        self._error = error

    def submit(self, mails: Sequence[Incoming]) -> Future[list[Stored]]:
        future: Future[list[Stored]] = Future()
        if self._error is not None:
            future.set_exception(self._error)
        else:
            self.units.append(mails)
            future.set_result([])
        return future


class KnownRoutes(Door):
    """A door that knows its routes, whatever the database says."""

    def __init__(self, archive: KeptArchive, routes: dict[str, Route]) -> None:
        super().__init__(cast(Database, None), cast(Archive, archive))
        self._known = routes

    def _look_up(self, address: EmailAddress) -> Route:
        return self._known[address.text]


def answers(archive: KeptArchive, mail: ReceivedMail, routes: list[Route]) -> Sequence[Reply]:
    known = {one.text: route for one, route in zip(mail.recipients, routes, strict=True)}
    return asyncio.run(KnownRoutes(archive, known).accept(mail))


def test_two_addresses_of_one_mailbox_are_one_copy_and_two_relays() -> None:
    mail = received("vlad@acme.example", "sales@acme.example")
    [incoming] = as_unit(mail, [kept(), kept()])
    assert [copy.envelope.rcpt_to for copy in incoming.copies] == ["vlad@acme.example"]
    assert [one.envelope.rcpt_to for one in incoming.relays] == [
        "vlad@acme.example",
        "sales@acme.example",
    ]


def test_each_tenant_has_its_own_part_and_sees_only_its_own_recipients() -> None:
    mail = received("a@acme.example", "b@other.example")
    parts = as_unit(mail, [kept(), kept(new_id(), OTHER, relay=False)])
    assert [part.tenant_id for part in parts] == [TENANT, OTHER]
    assert [part.log.recipients for part in parts if part.log] == [
        ("a@acme.example",),
        ("b@other.example",),
    ]
    assert [len(part.relays) for part in parts] == [1, 0]


def test_the_log_names_each_recipient_once_in_their_order() -> None:
    names = ("b@acme.example", "a@acme.example", "b@acme.example")
    [part] = as_unit(received(*names), [kept(), kept(new_id()), kept()])
    assert part.log is not None
    assert part.log.recipients == names[:2]


def test_who_is_only_handed_on_gets_no_copy() -> None:
    [part] = as_unit(received("nobody@acme.example"), [HANDED_ON])
    assert (len(part.copies), len(part.relays)) == (0, 1)


def test_a_recipient_that_went_away_since_rcpt_is_never_answered_250() -> None:
    archive = KeptArchive()
    mail = received("gone@acme.example", "vlad@acme.example")
    assert [one.code for one in answers(archive, mail, [GONE, kept()])] == [451]
    assert archive.units == []


def test_by_lmtp_the_others_are_stored_and_he_alone_is_refused() -> None:
    archive = KeptArchive()
    mail = received("gone@acme.example", "vlad@acme.example", how=Transmission.LMTP)
    assert [one.code for one in answers(archive, mail, [GONE, kept()])] == [451, 250]
    assert len(archive.units) == 1
    assert [one.code for one in answers(archive, mail, [GONE, GONE])] == [451, 451]
    assert len(archive.units) == 1


@pytest.mark.parametrize(
    ("error", "reply"),
    [(StoreFull("full"), doors.NO_ROOM), (StoreBusy("locked"), doors.NOT_NOW)],
)
def test_trouble_of_ours_is_temporary(error: StoreError, reply: Reply) -> None:
    archive = KeptArchive(error)
    assert answers(archive, received("vlad@acme.example"), [kept()]) == [reply]
    assert reply.code // 100 == 4


def test_where_a_mail_came_from_before_its_sender_is_in_the_log() -> None:
    mail = received("vlad@acme.example")
    [unit] = as_unit(mail, [kept()])
    assert unit.log is not None
    assert unit.log.more == {"helo": "client.example", "protocol": "ESMTP"}
    origin = Origin(client_ip="198.51.100.9", helo="laptop.example", queue_id="4FxyZ")
    [unit] = as_unit(replace(mail, origin=origin), [kept()])
    assert unit.log is not None
    assert unit.log.more == {
        "helo": "client.example",
        "protocol": "ESMTP",
        "origin": "198.51.100.9",
        "origin_helo": "laptop.example",
        "origin_queue_id": "4FxyZ",
    }
    assert unit.copies[0].envelope.client_ip == "192.0.2.1"  # the Received line names who sent it


def test_what_the_sender_wants_to_hear_goes_along_in_the_envelope() -> None:
    mail = replace(received("vlad@acme.example", "b@acme.example"), ret="FULL")
    asked = replace(mail.recipients[0], notify="SUCCESS", orcpt="rfc822;v@acme.example")
    [unit] = as_unit(
        replace(mail, recipients=(asked, mail.recipients[1])), [kept(), kept(new_id())]
    )
    assert [relay.envelope.dsn for relay in unit.relays] == [
        DsnWishes("SUCCESS", "rfc822;v@acme.example", "FULL"),
        DsnWishes(ret="FULL"),
    ]
    [unit] = as_unit(received("vlad@acme.example"), [kept()])
    assert unit.relays[0].envelope.dsn is None
