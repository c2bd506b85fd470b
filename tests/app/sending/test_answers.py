"""Answering and forwarding on a whole installation."""

import pytest

from app.views import BadDraft, Outgoing
from archive_store import ids
from archive_store.envelope import Envelope
from archive_store.errors import NotFound
from archive_store.models import Entry
from tests.app.conftest import World
from tests.app.reading.mail import ATTACHED, PLAIN
from tests.app.sending.outbox import envelopes, identity, letter, read


def test_an_answer_goes_as_the_identity_that_was_written_to(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(ATTACHED, "sales@acme.example")
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "reply", entry_id)
    assert draft.identity_id == identity(world, viewer, "sales@acme.example")
    assert (draft.to, draft.cc, draft.subject) == (
        "Hanna Berg <hanna@in.example>",
        "",
        "Re: The offer",
    )
    assert "> See the file." in draft.text
    assert "> Hanna" not in draft.text.partition("wrote:")[2]
    world.sending.send(
        viewer,
        Outgoing(
            identity_id=draft.identity_id,
            to=draft.to,
            cc=draft.cc,
            bcc="",
            subject=draft.subject,
            text="Yes." + draft.text,
            source_entry=entry_id,
            source_kind="reply",
        ),
    )
    _, _, octets = envelopes(world)["hanna@in.example"]
    message = read(octets)
    assert message["In-Reply-To"] == "<offer@in.example>"
    assert message["References"].split() == [
        "<first@in.example>",
        "<second@in.example>",
        "<offer@in.example>",
    ]
    assert (world.entry(entry_id).answered, world.entry(entry_id).forwarded) == (True, False)


def test_an_answer_to_all_leaves_oneself_out(world: World) -> None:
    [entry_id] = world.receive(ATTACHED, "sales@acme.example")
    draft = world.sending.draft_for(world.viewer(), "reply-all", entry_id)
    assert draft.to == "Hanna Berg <hanna@in.example>"
    assert draft.cc == "Lee <lee@kung.example>, boss@in.example"


def test_reply_to_is_honoured(world: World) -> None:
    octets = PLAIN.replace(b"To: vlad", b"Reply-To: List <list@in.example>\r\nTo: vlad")
    [entry_id] = world.receive(octets)
    assert world.sending.draft_for(world.viewer(), "reply", entry_id).to == "List <list@in.example>"


def test_an_answer_to_what_one_sent_goes_to_its_recipients(world: World) -> None:
    viewer = world.viewer()
    sent = world.sending.send(viewer, letter(world, viewer, cc="lee@kung.example"))
    draft = world.sending.draft_for(viewer, "reply-all", sent.entry_id)
    assert draft.identity_id == identity(world, viewer, "sales@acme.example")
    assert (draft.to, draft.cc) == ("Hanna Berg <hanna@in.example>", "lee@kung.example")


def test_without_an_envelope_of_ours_the_header_tells_the_identity(world: World) -> None:
    """Mail to a list, or a copy that a journal brought."""
    viewer = world.viewer()
    for to, expected in (
        (b"list@in.example, vlad@ownwebnow.example", "vlad@ownwebnow.example"),
        (b"list@in.example", "vlad@acme.example"),
    ):
        octets = PLAIN.replace(b"To: vlad@acme.example", b"To: " + to)
        [entry_id] = world.receive(octets)
        with world.db.write() as tx:
            row = tx.get_one(Entry, world.entry(entry_id).seq)
            key = world.agent.content_key(tx, row)
            place = world.acme_place(row)
            row.envelope = Envelope("hanna@in.example", "list@in.example").seal(key, place)
        draft = world.sending.draft_for(viewer, "reply", entry_id)
        assert draft.identity_id == identity(world, viewer, expected)


def test_a_forward_keeps_the_files_that_are_ticked(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(ATTACHED)
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "forward", entry_id)
    assert (draft.to, draft.subject) == ("", "Fwd: The offer")
    assert "Forwarded message" in draft.text
    kept = next(a.index for a in draft.attachments if a.content_type == "application/pdf")
    world.sending.send(
        viewer,
        letter(
            world,
            viewer,
            subject=draft.subject,
            text=draft.text,
            source_entry=entry_id,
            source_kind="forward",
            keep_attachments=(kept,),
            attachments=(("notes.txt", "text/plain", b"More"),),
        ),
    )
    _, _, octets = envelopes(world)["hanna@in.example"]
    parts = {p.get_filename(): p.get_payload(decode=True) for p in read(octets).iter_attachments()}
    assert parts == {"Angebot März.pdf": b"%PDF-1.7 offer", "notes.txt": b"More"}
    assert "References" not in read(octets)
    assert world.entry(entry_id).forwarded
    with pytest.raises(BadDraft) as error:
        world.sending.send(
            viewer,
            letter(
                world,
                viewer,
                source_entry=entry_id,
                source_kind="forward",
                keep_attachments=(77,),
            ),
        )
    assert error.value.field == "attachments"


def test_nobody_answers_or_forwards_what_is_not_theirs(world: World) -> None:
    [theirs] = world.receive(ATTACHED, "maria@acme.example")
    viewer = world.viewer()
    for kind in ("reply", "forward"):
        with pytest.raises(NotFound):
            world.sending.send(
                viewer,
                letter(world, viewer, source_entry=theirs, source_kind=kind, keep_attachments=(0,)),
            )
    assert {item.kind for item in world.queue()} == {"primary"}
    assert world.events("message.sent") == []
    assert not world.entry(theirs).answered


def test_a_new_sheet_is_as_the_own_address(world: World) -> None:
    viewer = world.viewer()
    draft = world.sending.draft_for(viewer, "new", None)
    assert draft.identity_id == identity(world, viewer, "vlad@acme.example")
    assert (draft.to, draft.subject, draft.text, draft.source_entry) == ("", "", "", None)
    with pytest.raises(NotFound):
        world.sending.draft_for(viewer, "reply", None)
    with pytest.raises(NotFound):
        world.sending.draft_for(viewer, "reply", ids.show(bytes(16)))
