"""Sessions that a thread keeps do as those that it does not keep."""

import pytest
from sqlalchemy import func, select

from archive_store.clock import utc_now
from archive_store.ids import new_id
from archive_store.kept import KeptSessions
from archive_store.models import Mailbox
from tests.archive_store.conftest import World


def mailbox(world: World, address: str) -> Mailbox:
    return Mailbox(id=new_id(), tenant_id=world.tenant, address=address, created_at=utc_now())


def mailboxes(world: World) -> int:
    with world.db.read() as tx:
        return tx.scalar(select(func.count()).select_from(Mailbox)) or 0


def test_each_block_is_a_transaction_and_an_error_undoes_its_own(world: World) -> None:
    kept = KeptSessions(world.db)
    for number, fails in enumerate((False, True, False)):
        box = mailbox(world, f"p{number}@acme.example")
        try:
            with kept.write() as tx:
                tx.add(box)
                tx.flush()
                if fails:
                    raise LookupError
        except LookupError:
            assert fails
    assert mailboxes(world) == 2
    kept.close()


def test_reading_sees_what_others_wrote_since(world: World) -> None:
    kept = KeptSessions(world.db)
    for count in (0, 1, 2):
        with kept.read() as tx:
            assert tx.scalar(select(func.count()).select_from(Mailbox)) == count
        world.mailbox(f"p{count}@acme.example")
    kept.close()


def test_nobody_waits_for_a_session_that_rests(world: World) -> None:
    kept = KeptSessions(world.db)
    with kept.write() as tx:
        tx.add(mailbox(world, "p@acme.example"))
    with pytest.raises(LookupError), kept.write():
        raise LookupError
    world.mailbox("other@acme.example")  # another connection writes
    assert mailboxes(world) == 2
    kept.close()
