"""Writing on a whole installation: where a message goes, and what is said of it."""

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.accounts import domains, users
from app.models import PrimaryHealth
from app.sending.service import NOT_NOW, Sending, SendingParts
from app.views import BadDraft
from archive_store.archive import Stored, Then
from archive_store.clock import utc_now
from archive_store.errors import NotFound, StoreBusy, StoreError
from archive_store.models import Entry
from archive_store.sealing import Incoming
from tests.app.conftest import OPERATOR, World
from tests.app.reading.mail import PLAIN
from tests.app.sending.outbox import envelopes, inbox, letter, log_entries, read


def test_a_letter_lies_in_sent_and_waits_for_the_outside(any_world: World) -> None:
    world = any_world
    viewer = world.viewer()
    receipt = world.sending.send(viewer, letter(world, viewer))
    world.index()
    assert receipt.text == "Sent as sales@acme.example. A copy is in Sent."
    [row] = world.reading.list_folder(viewer, "sent", page=1, filter="all").rows
    assert (row.id, row.seen, row.only_here) == (receipt.entry_id, True, False)
    assert row.to == ("Hanna Berg <hanna@in.example>",)
    opened = world.reading.open_message(viewer, receipt.entry_id)
    assert opened.delivery.state == "waiting"
    assert opened.genuine
    assert inbox(world, "vlad") == []
    [(recipient, (kind, envelope, octets))] = envelopes(world).items()
    assert (recipient, kind) == ("hanna@in.example", "outgoing")
    assert envelope.mail_from == "sales@acme.example"
    message = read(octets)
    assert message["From"] == "Sales <sales@acme.example>"
    assert message["To"] == "Hanna Berg <hanna@in.example>"
    assert message["Subject"] == "Lunch"
    [event] = world.events("message.sent")
    assert b'"identity":"sales@acme.example"' in event
    assert b'"recipients":1' in event
    assert receipt.entry_id.encode() in event
    assert b"hanna" not in event
    [log] = log_entries(world, world.acme.id)
    assert (log.event, log.recipients, log.subject) == ("sent", ("hanna@in.example",), "Lunch")


def test_colleagues_have_it_at_once_and_their_server_when_it_answers(any_world: World) -> None:
    world = any_world
    viewer = world.viewer()
    to = "maria@acme.example, unknown@acme.example, nora@other.example, x@in.example"
    receipt = world.sending.send(viewer, letter(world, viewer, to=to))
    [hers] = inbox(world, "maria")
    [noras] = inbox(world, "nora")
    octets = world.reading.original(viewer, receipt.entry_id)
    assert world.reading.original(world.viewer("maria"), hers) == octets
    assert world.reading.original(world.viewer("nora"), noras) == octets
    waiting = {recipient: kind for recipient, (kind, _, _) in envelopes(world).items()}
    assert waiting == {
        "maria@acme.example": "primary",
        "unknown@acme.example": "primary",
        "nora@other.example": "outgoing",  # copy mode: her own server is found by its MX
        "x@in.example": "outgoing",
    }
    assert world.reading.open_message(world.viewer("maria"), hers).delivery.state == "only_here"
    [received] = log_entries(world, world.other.id)
    assert (received.event, received.recipients) == ("received", ("nora@other.example",))


def test_when_the_server_is_down_the_receipt_says_what_happens(world: World) -> None:
    with world.db.write() as tx:
        now = world.clock()
        tx.add(
            PrimaryHealth(
                domain_id=world.acme.id, state="down", since=now, checked_at=now, last_error=""
            )
        )
    viewer = world.viewer()
    receipt = world.sending.send(viewer, letter(world, viewer, to="maria@acme.example"))
    assert receipt.text == (
        "Sent as sales@acme.example. Colleagues read it here now. "
        "The mail server of acme.example gets it when it is back."
    )


def test_a_hidden_recipient_is_seen_by_nobody(any_world: World) -> None:
    world = any_world
    viewer = world.viewer()
    sent = world.sending.send(
        viewer,
        letter(world, viewer, to="maria@acme.example, h@in.example", bcc="nora@other.example"),
    )
    world.index()
    [hers], [noras] = inbox(world, "maria"), inbox(world, "nora")
    seen = {
        "own": world.reading.original(viewer, sent.entry_id),
        "maria": world.reading.original(world.viewer("maria"), hers),
        "nora": world.reading.original(world.viewer("nora"), noras),
        **{recipient: octets for recipient, (_, _, octets) in envelopes(world).items()},
    }
    assert set(seen) >= {"h@in.example", "maria@acme.example", "nora@other.example"}
    for who, octets in seen.items():
        assert b"nora" not in octets, who
        assert b"bcc" not in octets.lower(), who
    opened = world.reading.open_message(world.viewer("maria"), hers)
    assert "nora" not in repr(opened)
    assert "nora" not in repr(world.reading.open_message(viewer, sent.entry_id))
    assert world.reading.open_message(world.viewer("nora"), noras).envelope_to == (
        "nora@other.example"
    )


def test_writing_to_oneself_makes_two_entries(world: World) -> None:
    viewer = world.viewer()
    sent = world.sending.send(
        viewer, letter(world, viewer, to="vlad@acme.example, sales@acme.example")
    )
    [received] = inbox(world, "vlad")
    assert received != sent.entry_id
    assert world.entry(sent.entry_id).folder == "sent"
    assert world.reading.original(viewer, received) == world.reading.original(viewer, sent.entry_id)
    assert sorted(envelopes(world)) == ["sales@acme.example", "vlad@acme.example"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"to": ""}, "to"),
        ({"to": "hanna"}, "to"),
        ({"cc": "a@b@c"}, "cc"),
        ({"bcc": "x y z"}, "bcc"),
        ({"to": ", ".join(f"a{n}@b.example" for n in range(101))}, "to"),
        ({"subject": "x" * 501}, "subject"),
        ({"identity_id": "a" * 26}, "from"),
        ({"identity_id": "nonsense"}, "from"),
        ({"attachments": (("a", "b/c", bytes(26 * 1024 * 1024)),)}, "attachments"),
    ],
)
def test_what_cannot_be_sent_is_said_beside_its_field(
    world: World, changed: dict[str, object], field: str
) -> None:
    viewer = world.viewer()
    with pytest.raises(BadDraft) as error:
        world.sending.send(viewer, letter(world, viewer, **changed))
    assert error.value.field == field
    assert world.queue() == []
    assert world.events("message.sent") == []


def test_nobody_sends_as_somebody_else(any_world: World) -> None:
    world = any_world
    vlad, maria = world.viewer(), world.viewer("maria")
    hers = world.sending.identities(maria)[0].id
    with pytest.raises(BadDraft) as error:
        world.sending.send(vlad, letter(world, vlad, identity_id=hers))
    assert error.value.field == "from"
    with pytest.raises(NotFound):
        world.sending.draft_for(world.viewer("provider"), "new", None)


def test_an_unknown_colleague_is_said_where_the_domain_knows_everybody(world: World) -> None:
    with world.db.write() as tx:
        domain = domains.find(tx, OPERATOR, "acme.example")
        domains.change(tx, OPERATOR, domain, {"unknown-recipients": "reject"}, world.clock())
    viewer = world.viewer()
    with pytest.raises(BadDraft) as error:
        world.sending.send(viewer, letter(world, viewer, cc="nobody@acme.example"))
    assert error.value.field == "cc"
    assert "nobody@acme.example" in error.value.message
    world.sending.send(viewer, letter(world, viewer, to="somebody@other.example"))
    assert envelopes(world)["somebody@other.example"][0] == "outgoing"


def test_a_person_whose_mail_is_not_kept_gets_it_by_the_server_alone(world: World) -> None:
    with world.db.write() as tx:
        maria = users.find(tx, OPERATOR, "maria@acme.example")
        users.change(tx, OPERATOR, maria, {"live": "off"}, world.clock())
    viewer = world.viewer()
    world.sending.send(viewer, letter(world, viewer, to="maria@acme.example"))
    assert envelopes(world)["maria@acme.example"][0] == "primary"
    with world.db.read() as tx:
        assert [entry.folder for entry in tx.scalars(select(Entry))] == ["sent"]


def test_header_injection_reaches_no_header_and_no_envelope(world: World) -> None:
    viewer = world.viewer()
    world.sending.send(
        viewer,
        letter(
            world,
            viewer,
            to='"Evil\r\nBcc: b@evil.example" <hanna@in.example>',
            subject="Hi\r\nBcc: c@evil.example\r\n\r\nbody",
            attachments=(("a\r\nBcc: d@evil.example", "text/plain\r\nX: y", b"x"),),
        ),
    )
    [(recipient, (_, _, octets))] = envelopes(world).items()
    assert recipient == "hanna@in.example"
    message = read(octets)
    assert "Bcc" not in message
    assert "X" not in message
    assert [a.addr_spec for a in message["To"].addresses] == ["hanna@in.example"]
    assert not message.defects


class Stubborn:
    """An archive that cannot store, or takes its time: then it stores when it is told to."""

    def __init__(self, error: StoreError | None) -> None:
        self.future: Future[list[Stored]] = Future()
        self.given: list[tuple[Sequence[Incoming], Then]] = []
        if error is not None:
            self.future.set_exception(error)

    def submit(self, mails: Sequence[Incoming], then: Then) -> Future[list[Stored]]:
        self.given.append((mails, then))
        return self.future


def sending_with(world: World, archive: Stubborn) -> Sending:
    return Sending(
        SendingParts(
            db=world.db,
            archive=archive,  # type: ignore[arg-type]  # all that is used of it
            opener=world.reading.opener,
            checks=world.reading.checks,
            parsers=world.parsers,
            drafts=world.drafts,
            now=utc_now,
            patience=timedelta(),
        )
    )


def test_when_the_archive_fails_the_draft_is_kept(world: World) -> None:
    viewer, archive = world.viewer(), Stubborn(StoreBusy("locked"))
    with pytest.raises(BadDraft) as caught:
        sending_with(world, archive).send(viewer, letter(world, viewer))
    assert caught.value.field == "message"
    assert "nothing was sent" in caught.value.message
    assert world.events("message.sent") == []


def test_what_is_stored_late_is_on_the_record_all_the_same(world: World) -> None:
    viewer, archive = world.viewer(), Stubborn(None)
    with pytest.raises(BadDraft) as caught:
        sending_with(world, archive).send(viewer, letter(world, viewer))
    assert "Look into Sent" in caught.value.message
    assert world.events("message.sent") == []
    [(mails, then)] = archive.given
    world.archive.submit(mails, then).result(20)
    assert len(world.events("message.sent")) == 1


@pytest.mark.parametrize("where", ["_source", "_count", "_store"])
def test_a_store_that_cannot_serve_is_said_at_every_step(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """So that the page keeps the words."""

    def fail(*_: object) -> None:
        raise StoreBusy("away")

    [entry_id] = world.receive(PLAIN)
    viewer, waiting = world.viewer(), world.queue()
    monkeypatch.setattr(world.sending, where, fail)
    with pytest.raises(BadDraft) as error:
        world.sending.send(
            viewer, letter(world, viewer, source_entry=entry_id, source_kind="reply")
        )
    assert (error.value.field, error.value.message) == ("message", NOT_NOW)
    assert len(world.queue()) == len(waiting)
