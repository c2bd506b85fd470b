"""What a browser sends from its own outbox is sent once, however often it comes."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.models import Submission
from app.sending import submissions
from app.sending.service import SENT_BEFORE
from app.views import BadDraft
from archive_store.models import Entry
from tests.app.conftest import World
from tests.app.sending.outbox import envelopes, inbox, letter


def sent_by(world: World) -> int:
    with world.db.read() as tx:
        mine = select(func.count()).select_from(Entry).where(Entry.folder.in_(("sent", "outbox")))
        return tx.scalar(mine) or 0


def test_of_one_name_one_mail_is_sent(any_world: World) -> None:
    world, name = any_world, str(uuid4())
    viewer = world.viewer()
    written = replace(letter(world, viewer), submission=name)
    first = world.sending.send(viewer, written)
    again = world.sending.send(viewer, replace(written, subject="The answer was lost"))
    assert (again.entry_id, again.text) == (first.entry_id, SENT_BEFORE)
    assert sent_by(world) == 1
    assert list(envelopes(world)) == ["hanna@in.example"]
    world.sending.send(viewer, replace(written, submission=str(uuid4())))
    assert sent_by(world) == 2


def test_of_two_that_come_at_once_one_is_sent(any_world: World) -> None:
    world = any_world
    viewer = world.viewer()
    written = replace(letter(world, viewer, to="maria@acme.example"), submission=str(uuid4()))
    with ThreadPoolExecutor(4) as threads:
        receipts = list(threads.map(lambda _: world.sending.send(viewer, written), range(4)))
    assert len({receipt.entry_id for receipt in receipts}) == 1
    assert len(inbox(world, "maria")) == 1


def test_a_name_is_of_one_person(any_world: World) -> None:
    world, name = any_world, str(uuid4())
    for who in ("vlad", "maria"):
        viewer = world.viewer(who)
        mine = world.sending.identities(viewer)[0].id
        written = replace(letter(world, world.viewer()), submission=name, identity_id=mine)
        assert world.sending.send(viewer, written).text != SENT_BEFORE


def test_what_could_not_be_sent_leaves_its_name_free(world: World) -> None:
    viewer = world.viewer()
    written = replace(letter(world, viewer), submission=str(uuid4()))
    with pytest.raises(BadDraft):
        world.sending.send(viewer, replace(written, to="nobody"))
    assert world.sending.send(viewer, written).text != SENT_BEFORE


def test_names_are_forgotten_when_no_browser_sends_them_any_more(world: World) -> None:
    viewer = world.viewer()
    world.sending.send(viewer, replace(letter(world, viewer), submission=str(uuid4())))
    for days, left in ((13, 1), (15, 0)):
        with world.db.write() as tx:
            submissions.purge(tx, world.clock() + timedelta(days=days))
            assert tx.scalar(select(func.count()).select_from(Submission)) == left
