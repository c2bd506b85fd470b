"""kill -9 while mail is on the point of leaving: each is sent once or is a draft, never both."""

import random
import re
import time
from contextlib import closing

import httpx
import pytest
from sqlalchemy import select

from archive_store.models import OUTBOX, Entry
from tests.parts.network import wait_until
from tests.scenarios.service import Service, signed_in

VLAD = "vlad@acme.example"
MAILS = 4
HOLD = 2  # seconds
PATIENCE = 120

pytestmark = pytest.mark.timeout(400)


def fields(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found is not None
    return found[1]


def send(client: httpx.Client, subject: str) -> str:
    """Send to a colleague; the entry to take back."""
    page = client.get("/compose/new").text
    identity = re.search(r'<option value="([^"]+)"', page)
    assert identity is not None
    form = {
        "csrf": fields(page, "csrf"),
        "from": identity[1],
        "to": "maria@acme.example",
        "subject": subject,
        "message": "Lunch?",
    }
    done = client.post("/compose/new", data=form, files={"attachments": ("", b"")})
    assert done.status_code == 303
    undo = re.search(r'value="take_back:(\w+)"', client.get("/mail/inbox").text)
    assert undo is not None
    return undo[1]


def take_back(client: httpx.Client, entry_id: str) -> None:
    """Try; whether it was in time is for the folders to say."""
    token = fields(client.get("/settings").text, "csrf")
    client.post("/mail/scheduled", data={"csrf": token, "do": f"take_back:{entry_id}"})


def subjects(service: Service, address: str, folder: str) -> list[str]:
    return [one.subject for one in service.messages(address, folder)]


@pytest.mark.parametrize("made", ["sqlite"], indirect=True)
def test_what_is_taken_back_while_it_leaves_is_sent_once_or_is_a_draft(
    made: Service,
) -> None:
    made.environment["LIVEARCHIVE_UNDO_SECONDS"] = str(HOLD)
    made.start()
    dice = random.Random(4711)
    with closing(signed_in(made, VLAD)) as client:
        sent = {f"undo {number}": "" for number in range(MAILS)}
        for subject in sent:
            sent[subject] = send(client, subject)
        for entry_id in list(sent.values())[::2]:
            time.sleep(dice.uniform(0, 0.3))
            take_back(client, entry_id)
            made.kill_role("deliver")

    with made.parts() as (parts, _):

        def waits() -> bool:
            with parts.db.read() as tx:
                return (
                    tx.scalars(select(Entry.id).where(Entry.folder == OUTBOX)).first() is not None
                )

        wait_until(lambda: not waits(), "nothing is still to be sent", PATIENCE)
    gone, drafts = subjects(made, VLAD, "sent"), subjects(made, VLAD, "drafts")
    assert sorted(gone + drafts) == sorted(sent)
    assert sorted(subjects(made, "maria@acme.example", "inbox")) == sorted(gone)
    made.must("fsck")
