"""Storing and reading back: exact octets, one frame for many owners, all or none."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from archive_store import seal
from archive_store.archive import Archive
from archive_store.directory import Owner
from archive_store.envelope import Envelope
from archive_store.errors import KeyForged, KeysMissing, SealBroken, StoreBusy, StoreFull
from archive_store.ids import new_id
from archive_store.maillog import LogEntry, open_line
from archive_store.models import DayKey, Entry, MaillogLine, Message, WriterKey
from archive_store.reader import ArchiveReader
from archive_store.sealing import Copy, Incoming, SealedRelay, Sealer
from archive_store.segments import FrameRef, SegmentStore
from archive_store.writerkeys import WriterKeys
from tests.archive_store.conftest import KeptOutbox, World

MAIL = b"From: a@b.example\r\nSubject: hello\r\n\r\n" + b"body line\r\n" * 40


@pytest.mark.parametrize(
    "octets",
    [
        MAIL,
        b"",
        b"\x00\xff\r\n.\r\nno final newline",
        os.urandom(3 * seal.CHUNK_OCTETS + 17),
        b"x" * (5 * seal.CHUNK_OCTETS),
    ],
    ids=["mail", "empty", "odd", "incompressible", "long"],
)
def test_what_is_stored_reads_back_octet_for_octet(world: World, octets: bytes) -> None:
    box = world.mailbox()
    [stored] = world.store(world.mail(octets, box))
    opened = world.open(stored.entry_ids[0])
    assert opened.octets == octets
    assert opened.genuine


def test_recipients_of_one_transaction_share_one_frame(world: World) -> None:
    boxes = [world.mailbox(f"p{number}@acme.example") for number in range(3)]
    [stored] = world.store(world.mail(MAIL, *boxes))
    assert len(set(stored.entry_ids)) == 3
    frames = [frame for _, frame in world.segments.scan(world.segments.days()[0])]
    assert sum(len(frame) > 1 and frame[4] == 1 for frame in frames) == 1
    assert all(world.open(one).octets == MAIL for one in stored.entry_ids)


def test_an_entry_opens_only_in_its_own_mailbox(world: World) -> None:
    mine, other = world.mailbox("me@acme.example"), world.mailbox("you@acme.example")
    [stored] = world.store(world.mail(MAIL, mine))
    entry, _ = world.rows(stored.entry_ids[0])
    with world.db.write() as tx:
        tx.execute(update(Entry).where(Entry.seq == entry.seq).values(mailbox_id=other))
    with pytest.raises(KeysMissing):
        world.open(stored.entry_ids[0])


def test_each_entry_names_only_its_own_recipient(world: World) -> None:
    to, bcc = world.mailbox("to@acme.example"), world.mailbox("bcc@acme.example")
    copies = tuple(
        Copy(box, Envelope("a@b.example", name))
        for box, name in ((to, "to@acme.example"), (bcc, "bcc@acme.example"))
    )
    [stored] = world.store(Incoming(world.tenant, MAIL, world.mail(MAIL).received_at, copies))
    seen = []
    for one in stored.entry_ids:
        entry, _ = world.rows(one)
        seen.append(world.reader.envelope(world.tenant, entry, world.content_key(entry)).rcpt_to)
    assert seen == ["to@acme.example", "bcc@acme.example"]


def test_a_changed_octet_anywhere_in_the_content_does_not_open(world: World) -> None:
    [stored] = world.store(world.mail(MAIL, world.mailbox()))
    entry, message = world.rows(stored.entry_ids[0])
    key = world.content_key(entry)
    world.rewrite(message.day, message.frame_offset + message.frame_length - 5)
    with pytest.raises(Exception, match=r"damaged|open"):
        world.reader.open(message, key)


def test_a_message_sealed_by_a_stranger_is_shown_as_not_genuine(world: World) -> None:
    box = world.mailbox()
    [stored] = world.store(world.mail(MAIL, box))
    entry, message = world.rows(stored.entry_ids[0])
    world.reader = ArchiveReader(world.segments, replace(world.public, receipts={}))
    assert world.reader.open(message, world.content_key(entry)).genuine is False


def test_a_forged_public_key_stops_ingest_for_that_mailbox_alone(world: World) -> None:
    good, bad = world.mailbox("good@acme.example"), world.mailbox("bad@acme.example")
    forged = seal.KeyPair.generate().public
    with world.db.write() as tx:
        tx.execute(update(DayKey).where(DayKey.owner_id == bad).values(public=forged))
    archive = world.archive()
    first = archive.submit([world.mail(MAIL, good)])
    second = archive.submit([world.mail(MAIL, bad)])
    assert first.result(60)
    with pytest.raises(KeyForged):
        second.result(60)
    archive.close()
    with world.db.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Entry)) == 1


def test_a_mailbox_without_any_key_is_refused_for_now(world: World) -> None:
    world.mailbox()
    archive = world.archive()
    refused = archive.submit([world.mail(MAIL, new_id())])
    with pytest.raises(KeysMissing) as caught:
        refused.result(60)
    assert caught.value.transient
    archive.close()


def before_append(segments: SegmentStore, act: Callable[[], object]) -> SegmentStore:
    """The same store, which does something else before each batch."""
    append = segments.append

    def acting(day: date, frames: Sequence[bytes]) -> list[FrameRef]:
        act()
        return append(day, frames)

    with_act: Any = segments
    with_act.append = acting
    return segments


def test_a_full_disk_stores_nothing_of_that_mail_and_the_next_one_whole(world: World) -> None:
    box = world.mailbox()
    errors = [StoreFull("no room left for sealed mail")]

    def fill_up() -> None:
        if errors:
            raise errors.pop()

    archive = world.archive(before_append(world.open_store(), fill_up))
    with pytest.raises(StoreFull):
        archive.submit([world.mail(MAIL, box, relay=True)]).result(60)
    [stored] = archive.submit([world.mail(MAIL, box, relay=True)]).result(60)
    archive.close()
    with world.db.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Message)) == 1
        assert tx.scalar(select(func.count()).select_from(WriterKey)) == 2
    assert world.open(stored.entry_ids[0]).octets == MAIL
    assert len(world.outbox.items) == 1


def test_two_tenants_of_one_transaction_are_stored_together(world: World) -> None:
    box = world.mailbox()
    archive = world.archive()
    stranger = Incoming(new_id(), MAIL, world.mail(MAIL).received_at, (Copy(new_id(), _ENVELOPE),))
    with pytest.raises(KeysMissing):
        archive.submit([world.mail(MAIL, box), stranger]).result(60)
    archive.close()
    with world.db.read() as tx:
        assert tx.scalar(select(func.count()).select_from(Entry)) == 0


_ENVELOPE = Envelope("a@b.example", "x@other.example")


def test_a_log_line_opens_with_its_writer_key_and_says_what_was_logged(world: World) -> None:
    mail = world.mail(MAIL, world.mailbox())
    line = LogEntry("received", "a@b.example", ("vlad@acme.example",), "Gr\udcfc\udcdfe")
    world.store(Incoming(mail.tenant_id, mail.octets, mail.received_at, mail.copies, (), line))
    with world.db.read() as tx:
        row = tx.scalars(select(MaillogLine)).one()
        key = world.opener.writer_key(tx, Owner.log(world.tenant), row.writer_key_id)
    assert open_line(world.public.installation, row, key) == line
    with pytest.raises(SealBroken):
        open_line(world.public.installation, row, seal.new_key())


def test_many_units_in_hand_become_one_batch_and_keep_their_order(world: World) -> None:
    box = world.mailbox()
    archive = world.archive()
    futures = [archive.submit([world.mail(b"%d" % number, box)]) for number in range(50)]
    ids = [future.result(60)[0].entry_ids[0] for future in futures]
    archive.close()
    assert [world.open(one).octets for one in ids] == [b"%d" % number for number in range(50)]


class Held:
    """Holds the writer until it is let go, so that what comes meanwhile is one batch."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.go_on.wait(60)


def test_a_sender_that_stops_waiting_does_not_stop_the_writer(world: World) -> None:
    box = world.mailbox()
    held = Held()
    archive = world.archive(before_append(world.open_store(), held))
    first = archive.submit([world.mail(MAIL, box)])
    assert held.reached.wait(60)
    assert first.cancel() is False
    held.go_on.set()
    assert archive.submit([world.mail(MAIL, box)]).result(60)
    assert world.open(first.result(60)[0].entry_ids[0]).octets == MAIL
    archive.close()


class LockedOutbox(KeptOutbox):
    """A database that is locked."""

    asked = 0

    def add(self, tx: Session, items: Sequence[SealedRelay]) -> None:
        self.asked += 1
        raise StoreBusy("locked")


def test_a_locked_database_is_waited_for_once_and_not_for_each_sender(world: World) -> None:
    box = world.mailbox()
    world.outbox = locked = LockedOutbox([])
    held = Held()
    archive = world.archive(before_append(world.open_store(), held))
    sent = [archive.submit([world.mail(MAIL, box, relay=True)])]
    assert held.reached.wait(60)
    sent += [archive.submit([world.mail(MAIL, box, relay=True)]) for _ in range(20)]
    held.go_on.set()
    for one in sent:
        with pytest.raises(StoreBusy):
            one.result(60)
    archive.close()
    assert locked.asked == 2  # for the first one, and for all that came meanwhile


class WatchedKeys(WriterKeys):
    """Counts how often old keys are looked for."""

    looks = 0

    def drop_old(self, now: datetime) -> None:
        self.looks += 1
        super().drop_old(now)


def test_a_writer_that_is_never_idle_drops_old_keys_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = world.mailbox()
    monkeypatch.setattr("archive_store.archive.OLD_KEYS_SECONDS", 0.0)
    keys = WatchedKeys(world.public)
    archive = Archive(world.db, world.open_store(), Sealer(keys, world.receipt), world.outbox)
    archive.submit([world.mail(MAIL, box)]).result(60)
    archive.close()
    assert keys.looks
