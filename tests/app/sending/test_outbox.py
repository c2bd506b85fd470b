"""What was sent can be taken back until it leaves: it is sent once, or is a draft."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from app.accounts import users
from app.delivery import queue
from app.delivery.outcome import GONE, Failed
from app.models import Identity, QueueItem
from app.sending.outbox import Outbox, OutboxParts
from app.sending.posting import Posting
from app.views import BadDraft, Outgoing, SentReceipt
from archive_store import ids
from archive_store.models import OUTBOX, Entry, Message
from archive_store.reader import frame_ref
from archive_store.segments.frame import ERASED, MessageFrame
from tests.app.conftest import OPERATOR, World
from tests.app.reading.mail import PLAIN
from tests.app.sending.outbox import envelopes, inbox, letter, read

HOLD = timedelta(seconds=15)
PLAN = ("plan.pdf", "application/pdf", b"%PDF-1.7 plan")


def outbox(world: World) -> Outbox:
    return Outbox(
        OutboxParts(
            db=world.db, segments=world.segments, rows=world.reading.to_be_sent, now=world.clock
        )
    )


def send(world: World, **changed: object) -> SentReceipt:
    viewer = world.viewer()
    return world.sends(HOLD).send(viewer, letter(world, viewer, **changed))


def claimed(world: World) -> tuple[queue.Claim, bytes]:
    """The one item that is due, in a worker's hands, and its octets."""
    with world.db.write() as tx:
        claims = [one for one in queue.claim(tx, world.clock(), "w1", 9) if one.kind == "pending"]
        [claim] = claims
        keys = world.agent.queue_keys(tx, list(claim.items))
    assert claim.message is not None
    return claim, world.reader.open(claim.message, keys[claim.items[0].id]).octets


def posting(world: World) -> Posting:
    return Posting(world.db, world.archive, world.segments, world.clock)


def post(world: World) -> Failed | None:
    return posting(world).post(*claimed(world))


def folders(world: World) -> dict[str, int]:
    """How many entries of Vlad's lie where."""
    box = world.mailbox("vlad@acme.example").id
    with world.db.read() as tx:
        found = list(tx.scalars(select(Entry.folder).where(Entry.mailbox_id == box)))
    return {folder: found.count(folder) for folder in set(found)}


def test_until_it_leaves_nobody_has_anything_of_it(any_world: World) -> None:
    world = any_world
    receipt = send(world, to="maria@acme.example, hanna@in.example", bcc="nora@other.example")
    world.index()
    assert receipt.leaves_at == world.clock() + HOLD
    assert folders(world) == {OUTBOX: 1}
    assert inbox(world, "maria") == inbox(world, "nora") == []
    assert [item.kind for item in world.queue()] == ["pending"]
    with world.db.write() as tx:
        assert queue.claim(tx, world.clock(), "w1", 9) == []
    [one] = outbox(world).scheduled(world.viewer())
    assert (one.row.subject, one.row.id, one.leaves_at) == (
        "Lunch", receipt.entry_id, receipt.leaves_at
    )  # fmt: skip
    assert world.reading.counts(world.viewer()).folders[OUTBOX] == 1
    assert world.events("message.sent") == []
    assert len(world.events("message.scheduled")) == 1


def test_when_its_time_comes_it_is_sent_once(any_world: World) -> None:
    world = any_world
    send(world, to="maria@acme.example, hanna@in.example", bcc="nora@other.example")
    world.clock.moment += HOLD
    assert post(world) is None
    assert folders(world) == {"sent": 1}
    assert len(inbox(world, "maria")) == len(inbox(world, "nora")) == 1
    with world.db.read() as tx:
        kinds = sorted(tx.scalars(select(QueueItem.kind).where(QueueItem.state == "queued")))
    assert kinds == ["outgoing", "outgoing", "primary"]
    [sent] = world.events("message.sent")
    assert b'"recipients":3' in sent
    assert b"vlad@acme.example" in sent
    message = read(envelopes_waiting(world)["hanna@in.example"])
    assert "Bcc" not in message
    assert not any(name.startswith("X-") for name in message)
    with world.db.write() as tx:
        assert [c for c in queue.claim(tx, world.clock(), "w2", 9) if c.kind == "pending"] == []


def envelopes_waiting(world: World) -> dict[str, bytes]:
    with world.db.write() as tx:
        tx.execute(delete(QueueItem).where(QueueItem.kind == "pending"))
    return {to: octets for to, (_, _, octets) in envelopes(world).items()}


def test_what_is_taken_back_is_a_draft_with_all_that_was_written(any_world: World) -> None:
    world = any_world
    receipt = send(world, bcc="nora@other.example", attachments=(PLAN,))
    entry = world.entry(receipt.entry_id)
    assert outbox(world).take_back(world.viewer(), receipt.entry_id)
    assert folders(world) == {"drafts": 1}
    draft = world.drafts.open(world.viewer(), receipt.entry_id)
    assert (draft.to, draft.bcc) == ("Hanna Berg <hanna@in.example>", "nora@other.example")
    assert draft.attachments == (PLAN,)
    world.clock.moment += HOLD
    with world.db.write() as tx:
        assert queue.claim(tx, world.clock(), "w1", 9) == []
    assert len(world.events("message.taken-back")) == 1
    with world.db.read() as tx:
        message = tx.get_one(Message, entry.message_id)
    frame = MessageFrame.decode(world.segments.read(frame_ref(message)))
    assert [slot.wrap == ERASED for slot in frame.slots] == [False, True]


def test_an_undo_that_comes_too_late_changes_nothing(any_world: World) -> None:
    world = any_world
    receipt = send(world)
    world.clock.moment += HOLD
    claim, octets = claimed(world)
    assert not outbox(world).take_back(world.viewer(), receipt.entry_id)
    assert posting(world).post(claim, octets) is None
    assert not outbox(world).take_back(world.viewer(), receipt.entry_id)
    assert folders(world) == {"sent": 1}
    assert world.events("message.taken-back") == []


def test_nobody_takes_back_or_sends_what_is_another_persons(world: World) -> None:
    receipt = send(world)
    maria = world.viewer("maria")
    assert not outbox(world).take_back(maria, receipt.entry_id)
    assert not outbox(world).send_now(maria, receipt.entry_id)
    assert outbox(world).scheduled(maria) == ()
    assert folders(world) == {OUTBOX: 1}


def lost_lease(world: World) -> None:
    """Another worker has it."""
    with world.db.write() as tx:
        tx.execute(update(QueueItem).values(lease_owner="w2"))


def gone(world: World) -> None:
    """It was taken back after all."""
    with world.db.write() as tx:
        tx.execute(update(QueueItem).values(state="dropped"))
        tx.execute(update(Entry).values(folder="drafts"))


@pytest.mark.parametrize("meanwhile", [lost_lease, gone])
def test_who_has_lost_it_stores_nothing(
    world: World, meanwhile: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(world, to="maria@acme.example")
    world.clock.moment += HOLD
    claim, octets = claimed(world)
    submit = world.archive.submit

    def late(*given: object) -> object:
        meanwhile(world)
        return submit(*given)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(world.archive, "submit", late)
    assert posting(world).post(claim, octets) is None
    assert inbox(world, "maria") == []
    assert "sent" not in folders(world)
    assert world.events("message.sent") == []


def test_it_is_sent_by_the_next_worker_when_the_first_one_dies(world: World) -> None:
    send(world, to="maria@acme.example")
    world.clock.moment += HOLD
    first = claimed(world)
    world.clock.moment += queue.LEASE
    assert post(world) is None  # the lease has run out
    # Should the first one still be there: a report that it failed would be a lie.
    assert posting(world).post(*first) is None
    assert len(inbox(world, "maria")) == 1
    assert folders(world) == {"sent": 1}


def test_what_left_with_its_days_before_it_was_sent_is_reported(world: World) -> None:
    send(world, to="maria@acme.example")
    world.clock.moment += HOLD
    claim, octets = claimed(world)
    with world.db.write() as tx:
        tx.execute(delete(Entry))
    assert posting(world).post(claim, octets) == GONE


def test_a_report_that_it_failed_would_go_to_its_writer(world: World) -> None:
    send(world)  # as sales@, which somebody else may have when the report is written
    assert envelopes(world)["vlad@acme.example"][1].mail_from == "vlad@acme.example"


def without_identity(world: World) -> None:
    with world.db.write() as tx:
        tx.execute(delete(Identity).where(Identity.address == "sales@acme.example"))


def disabled(world: World) -> None:
    with world.db.write() as tx:
        user = users.find(tx, OPERATOR, "vlad@acme.example")
        users.set_disabled(tx, OPERATOR, user, True, world.clock())


@pytest.mark.parametrize("meanwhile", [without_identity, disabled])
def test_what_cannot_be_sent_any_more_is_a_draft_again(
    world: World, meanwhile: Callable[[World], None]
) -> None:
    send(world)
    meanwhile(world)
    world.clock.moment += HOLD
    failed = post(world)
    assert failed is not None
    assert "a draft again" in failed.text
    assert folders(world) == {"drafts": 1}
    assert len(world.events("message.not-sent")) == 1
    assert [item.state for item in world.queue()] == ["failed"]


def test_an_answer_marks_what_it_answers_when_it_leaves(world: World) -> None:
    [source] = world.receive(PLAIN)
    send(world, source_entry=source, source_kind="reply")
    assert not world.entry(source).answered
    world.clock.moment += HOLD
    assert post(world) is None
    assert world.entry(source).answered
    message = read(envelopes_waiting(world)["hanna@in.example"])
    assert message["In-Reply-To"] in message["References"]


def test_its_draft_goes_in_the_same_breath(any_world: World) -> None:
    world = any_world
    viewer = world.viewer()
    written = letter(world, viewer, attachments=(PLAN,))
    saved = world.drafts.save(viewer, written, None)
    again = replace(written, attachments=(), draft=saved.id, draft_files=(0,))
    receipt = world.sends(HOLD).send(viewer, again)
    assert folders(world) == {OUTBOX: 1}
    assert outbox(world).take_back(viewer, receipt.entry_id)
    assert world.drafts.open(viewer, receipt.entry_id).attachments == (PLAN,)


def at(world: World, **ahead: float) -> Outgoing:
    viewer = world.viewer()
    world.sending.send(viewer, letter(world, viewer), world.clock() + timedelta(**ahead))
    return letter(world, viewer)


def test_a_chosen_time_is_to_come_and_within_the_days_that_mail_is_kept(world: World) -> None:
    for ahead in ({"seconds": -1}, {"days": 7}):
        with pytest.raises(BadDraft) as caught:
            at(world, **ahead)
        assert caught.value.field == "when"
    at(world, days=6, hours=22)
    assert folders(world) == {OUTBOX: 1}
    [one] = outbox(world).scheduled(world.viewer())
    assert outbox(world).send_now(world.viewer(), one.row.id)
    assert post(world) is None
    assert folders(world) == {"sent": 1}


def test_no_folder_and_no_search_shows_what_is_to_be_sent(world: World) -> None:
    receipt = send(world)
    world.index()
    viewer = world.viewer()
    for folder in ("inbox", "sent", "drafts", "archive", "trash", "starred"):
        assert world.reading.list_folder(viewer, folder, page=1, filter="all").rows == ()
    assert world.reading.search(viewer, "lunch", 1).page.rows == ()
    assert ids.read(receipt.entry_id)
