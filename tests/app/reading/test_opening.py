"""One message: opened, shown, downloaded, each on the record; and nobody else's."""

from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from sqlalchemy import event

from app.accounts import sessions
from app.audit.kinds import Kind
from app.delivery.outcome import Delivered, Failed
from app.delivery.sealed import seal_reply
from app.models import QueueItem
from app.viewer import Viewer
from app.views import NOWHERE
from archive_store import ids
from archive_store.errors import NotFound, StoreError
from archive_store.models import Entry, Message
from archive_store.sealing import queue_key
from tests.app.conftest import KEEP, World
from tests.app.reading.mail import ATTACHED, PLAIN, mail


def test_opening_shows_marks_and_is_on_the_record(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(ATTACHED, "sales@acme.example")
    viewer = world.viewer()
    opened = world.reading.open_message(viewer, entry_id)
    assert opened.row.subject == "The offer"
    assert opened.row.sent_to == opened.envelope_to == "sales@acme.example"
    assert opened.row.seen
    assert world.entry(entry_id).seen
    assert opened.genuine
    assert opened.blocked_images == 1
    assert [a.filename for a in opened.attachments] == ["Angebot März.pdf"]
    assert opened.leaves_on == world.entry(entry_id).received_at + KEEP
    assert opened.delivery.state == "only_here"
    assert opened.position == (1, 1, None, None)
    [event] = world.events("message.opened")
    assert entry_id.encode() in event
    assert b"offer" not in event


def test_what_the_session_knows_of_its_domain_is_not_asked_again(world: World) -> None:
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.open_message(viewer, entry_id)
    event.listen(world.db.engine, "before_cursor_execute", note)
    world.reading.open_message(viewer, entry_id)
    event.remove(world.db.engine, "before_cursor_execute", note)
    assert any("FROM entry" in one for one in asked)
    assert not [one for one in asked if "FROM domain" in " ".join(one.split())]


def test_the_frame_has_the_sanitised_body_and_is_no_second_opening(world: World) -> None:
    [entry_id] = world.receive(ATTACHED)
    viewer = world.viewer()
    world.reading.open_message(viewer, entry_id)
    document = world.reading.body_html(viewer, entry_id).document
    assert "<b>file</b>" in document
    assert "data:image/png;base64," in document
    assert "tracker.example" not in document
    assert "alert(1)" not in document
    assert len(world.events("message.opened")) == 1


def test_a_frame_without_an_opening_is_an_opening(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    assert "Shall we meet at noon?" in world.reading.body_html(world.viewer(), entry_id).document
    assert len(world.events("message.opened")) == 1
    assert not world.entry(entry_id).seen


def test_downloads_are_the_octets_and_on_the_record(world: World) -> None:
    [entry_id] = world.receive(ATTACHED)
    viewer = world.viewer()
    assert world.reading.original(viewer, entry_id) == ATTACHED
    index = next(
        a.index for a in world.reading.open_message(viewer, entry_id).attachments if not a.inline
    )
    facts, octets = world.reading.attachment(viewer, entry_id, (index,))
    assert (facts.filename, octets) == ("Angebot März.pdf", b"%PDF-1.7 offer")
    assert len(world.events("message.downloaded")) == 1
    [event] = world.events("attachment.downloaded")
    assert b"Angebot" not in event
    with pytest.raises(NotFound):
        world.reading.attachment(viewer, entry_id, (99,))


def test_what_no_parser_understands_is_shown_as_its_source(world: World) -> None:
    source = b"\x00\xff\xfe garbage <b>\r\n" * 20
    [entry_id] = world.receive(source)
    world.index()
    viewer = world.viewer()
    assert world.reading.list_folder(viewer, "inbox", page=1, filter="all").total == 1
    world.reading.open_message(viewer, entry_id)
    document = world.reading.body_html(viewer, entry_id).document
    assert "garbage &lt;b&gt;" in document
    assert world.reading.original(viewer, entry_id) == source


def test_a_message_is_there_for_its_owner_alone_and_checking_opens_nothing(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    world.reading.check(world.viewer(), entry_id)
    with pytest.raises(NotFound):
        world.reading.check(world.viewer(), "a" * 26)
    assert world.events("message.opened") == []
    assert not world.entry(entry_id).seen


def test_a_damaged_message_says_so_and_the_others_stay(world: World) -> None:
    [damaged] = world.receive(mail(subject="Damaged"))
    [whole] = world.receive(PLAIN)
    world.index()
    with world.db.read() as tx:
        message = tx.get_one(Message, world.entry(damaged).message_id)
    path = world.config.objects_dir / message.day.isoformat() / message.segment
    with path.open("r+b") as file:
        file.seek(message.frame_offset + message.frame_length - 20)
        file.write(bytes(8))
    viewer = world.viewer()
    opened = world.reading.open_message(viewer, damaged)
    assert opened.row.subject == opened.parsed.subject == "Damaged"
    assert "damaged" in opened.parsed.problems[0]
    assert not opened.genuine
    assert "damaged" in world.reading.body_html(viewer, damaged).document
    with pytest.raises(StoreError):
        world.reading.original(viewer, damaged)
    assert not world.entry(damaged).seen  # nobody could read it
    world.reading.mark(viewer, [damaged], seen=True)
    world.reading.open_message(viewer, damaged)
    assert world.entry(damaged).seen  # as its owner wants it
    assert world.reading.open_message(viewer, whole).row.subject == "Lunch"


def test_neighbours_in_the_list(world: World) -> None:
    given = [world.receive(mail(subject=str(n)))[0] for n in range(3)]
    viewer = world.viewer()
    assert world.reading.open_message(viewer, given[1]).position == (2, 3, given[2], given[0])
    world.reading.delete(viewer, [given[2]])
    assert world.reading.open_message(viewer, given[1]).position == (1, 2, None, given[0])


def test_neighbours_in_the_list_as_it_was_filtered(any_world: World) -> None:
    world = any_world
    given = [world.receive(mail(subject=str(n)))[0] for n in range(5)]
    viewer, reading = world.viewer(), world.reading
    reading.mark(viewer, [given[1], given[3]], seen=True)
    for _ in range(2):  # once it is read, it stays where it was
        opened = reading.open_message(viewer, given[2], "inbox", filter="unread")
        assert opened.position == (2, 3, given[4], given[0])
    reading.mark(viewer, [given[0], given[4]], starred=True)
    opened = reading.open_message(viewer, given[4], "starred")
    assert opened.position == (1, 2, None, given[0])
    reading.mark(viewer, [given[4]], starred=False)
    opened = reading.open_message(viewer, given[4], "starred")
    assert opened.position == (1, 2, None, given[0])
    assert reading.open_message(viewer, given[0], "archive").position == NOWHERE
    talk = reading.open_conversation(viewer, "inbox", given[0], filter="starred")
    assert talk.position[:2] == (1, 1)


def test_neighbours_among_what_was_sent_to_one_address(world: World) -> None:
    given = [world.receive(mail(subject=str(n)))[0] for n in range(3)]
    world.index()
    viewer, reading = world.viewer(), world.reading
    mine, other = "vlad@acme.example", "sales@acme.example"
    opened = reading.open_message(viewer, given[1], "inbox", to=mine)
    assert opened.position == (2, 3, given[2], given[0])
    assert reading.open_message(viewer, given[1], "inbox", to=other).position == NOWHERE
    talk = reading.open_conversation(viewer, "inbox", given[0], to=other)
    assert talk.position == NOWHERE


def test_what_the_server_said_is_shown_to_the_reader_alone(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    [item] = world.queue()
    with world.db.write() as tx:
        kept = tx.get_one(QueueItem, item.id)
        key = world.agent.content_key(tx, world.entry(entry_id))
        answer = Failed(550, "5.1.1 no such mailbox", "mx.acme.example")
        kept.last_reply = seal_reply(world.public.installation, kept, queue_key(key), answer)
        kept.state, kept.done_at = "failed", world.clock()
    opened = world.reading.open_message(viewer, entry_id)
    assert opened.delivery.state == "failed"
    assert opened.delivery.detail == "550 5.1.1 no such mailbox"
    with world.db.write() as tx:
        kept = tx.get_one(QueueItem, item.id)
        answer2 = Delivered(250, "2.0.0 queued", "mx")
        kept.last_reply = seal_reply(world.public.installation, kept, queue_key(key), answer2)
        kept.state = "delivered"
    opened = world.reading.open_message(viewer, entry_id)
    assert (opened.delivery.state, opened.delivery.detail) == ("delivered", "")
    assert opened.delivery.at == world.clock()
    assert not opened.row.only_here


def uses(world: World) -> dict[str, Callable[[Viewer, str], object]]:
    reading, sending = world.reading, world.sending
    return {
        "open": reading.open_message,
        "body": reading.body_html,
        "original": reading.original,
        "attachment": lambda viewer, one: reading.attachment(viewer, one, (0,)),
        "move": lambda viewer, one: reading.move(viewer, [one], "archive"),
        "delete": lambda viewer, one: reading.delete(viewer, [one]),
        "restore": lambda viewer, one: reading.restore(viewer, [one]),
        "mark": lambda viewer, one: reading.mark(viewer, [one], seen=True),
        "reply": lambda viewer, one: sending.draft_for(viewer, "reply", one),
        "forward": lambda viewer, one: sending.draft_for(viewer, "forward", one),
    }


def test_another_persons_message_is_not_there_for_anybody(any_world: World) -> None:
    world = any_world
    [entry_id] = world.receive(ATTACHED)
    before = world.entry(entry_id)
    for name in ("maria", "nora", "audit", "provider"):
        stranger = world.viewer(name)
        for use in uses(world).values():
            with pytest.raises(NotFound):
                use(stranger, entry_id)
    for nonsense in ("", "x", "a" * 26, ids.show(bytes(16)), entry_id.upper()):
        with pytest.raises(NotFound):
            world.reading.open_message(world.viewer(), nonsense)
    after = world.entry(entry_id)
    assert (after.folder, after.seen) == (before.folder, before.seen)
    assert world.events("message.opened") == []


def test_one_foreign_id_among_own_ones_changes_nothing(world: World) -> None:
    [mine] = world.receive(PLAIN)
    [theirs] = world.receive(PLAIN, "maria@acme.example")
    viewer = world.viewer()
    acts: list[Callable[[], None]] = [
        lambda: world.reading.move(viewer, [mine, theirs], "archive"),
        lambda: world.reading.delete(viewer, [mine, theirs]),
        lambda: world.reading.mark(viewer, [mine, theirs], starred=True),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert (world.entry(mine).folder, world.entry(mine).starred) == ("inbox", False)


def test_a_token_whose_session_ended_opens_nothing(world: World) -> None:
    [entry_id] = world.receive(PLAIN)
    viewer = world.viewer()
    with world.db.write() as tx:
        sessions.revoke_all(tx, viewer.user.id, world.clock())
    # The web role would not get this far; a stolen one that lies does not get further.
    for use in (world.reading.open_message, world.reading.body_html, world.reading.original):
        with pytest.raises(NotFound):
            use(viewer, entry_id)
    world.index()
    with pytest.raises(NotFound):
        world.reading.list_folder(viewer, "inbox", page=1, filter="all")
    assert world.events("message.opened") == []


def test_a_viewer_made_up_for_another_mailbox_opens_nothing(world: World) -> None:
    [entry_id] = world.receive(PLAIN, "maria@acme.example")
    own, victim = world.viewer(), world.viewer("maria")
    forged = Viewer(
        user=victim.user,
        mailbox_id=victim.mailbox_id,
        token=own.token,
        client_ip=own.client_ip,
        session_id=own.session_id,
    )
    with pytest.raises(NotFound):
        world.reading.open_message(forged, entry_id)


def test_a_wrap_from_another_entry_does_not_open(world: World) -> None:
    [mine] = world.receive(mail(subject="Mine"))
    [other] = world.receive(mail(subject="Other"))
    with world.db.write() as tx:
        row = tx.get_one(Entry, world.entry(mine).seq)
        row.wrap = world.entry(other).wrap
    opened = world.reading.open_message(world.viewer(), mine)
    assert opened.parsed.problems
    assert opened.parsed.subject != "Other"


def test_all_attachments_are_given_in_turn_as_one_download(any_world: World) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "hanna@in.example", "vlad@acme.example"
    message.set_content("See the files.\n")
    for name in ("a.pdf", "b.pdf"):
        message.add_attachment(name.encode(), maintype="application", subtype="pdf", filename=name)
    [two] = any_world.receive(message.as_bytes())
    [one] = any_world.receive(ATTACHED)
    viewer = any_world.viewer()
    reading = any_world.reading
    assert reading.open_message(viewer, two).zips
    assert not reading.open_message(viewer, one).zips, "one file is no archive"
    before = len(any_world.events(Kind.MESSAGE_DOWNLOADED))
    found = [(facts.filename, octets) for facts, octets in reading.attachments(viewer, two)]
    assert found == [("a.pdf", b"a.pdf"), ("b.pdf", b"b.pdf")]
    assert len(any_world.events(Kind.MESSAGE_DOWNLOADED)) == before + 1
    with pytest.raises(NotFound):
        reading.attachments(viewer, one)
    with pytest.raises(NotFound):
        reading.attachments(any_world.viewer("maria"), two)


def test_links_that_lead_elsewhere_are_counted_in_the_body_that_is_shown(world: World) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = "Bank <x@evil.net>", "vlad@acme.example"
    message.set_content("https://bank.com@evil.net or https://bank.com@evil.net")
    [plain] = world.receive(message.as_bytes())
    message.add_alternative('<a href="https://evil.net">bank.com</a>', subtype="html")
    [rich] = world.receive(message.as_bytes())
    viewer = world.viewer()
    assert world.reading.open_message(viewer, plain).marked_links == 2
    assert world.reading.open_message(viewer, rich).marked_links == 1
    assert "⚠ evil.net" in world.reading.body_html(viewer, rich).document


def test_what_a_browser_keeps_is_asked_for_without_opening_anything(any_world: World) -> None:
    world = any_world
    there, trashed = world.receive(PLAIN) + world.receive(PLAIN)
    viewer = world.viewer()
    world.reading.delete(viewer, [trashed])
    assert world.reading.leaves_at(viewer, there) == world.entry(there).received_at + KEEP
    assert world.reading.still_there(viewer, [there, trashed, "a" * 26, "../x"]) == {there}
    assert world.reading.still_there(world.viewer("maria"), [there]) == set()
    assert world.events("message.opened") == []
