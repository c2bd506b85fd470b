"""Leaving a list by a press: what is asked, and what is written down."""

import json

import pytest

from app.accounts import domains
from app.leaving_views import Leaving
from app.pictures.fetch import NotFetched
from app.sending.leaving import ListDesk
from archive_store.clock import utc_now
from archive_store.errors import NotFound
from tests.app.conftest import OPERATOR, World
from tests.app.reading.mail import mail

CLIENT = "192.0.2.7"
HEAD = (
    b"Authentication-Results: mx.acme.example; dkim=pass header.d=news.example\r\n"
    b"Received: from x.example by mx.acme.example; now\r\n"
    b"DKIM-Signature: d=news.example; h=from:list-unsubscribe:list-unsubscribe-post; b=A\r\n"
    b"List-Unsubscribe: <https://news.example/u/vlad>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)


class Server:
    """The server of a list, in memory."""

    def __init__(self, *, takes: bool = True) -> None:
        self.takes = takes
        self.asked: list[tuple[str, bytes]] = []

    async def post(self, url: str, form: bytes) -> None:
        self.asked.append((url, form))
        if not self.takes:
            raise NotFetched("its server did not take it")


def received(world: World) -> str:
    with world.db.write() as tx:
        domain = domains.find(tx, OPERATOR, "acme.example")
        changes = {"checked-by": "mx.acme.example 192.0.2.0/24"}
        domains.change(tx, OPERATOR, domain, changes, utc_now())
    [entry] = world.receive(HEAD + mail(sender="news@news.example"), client_ip=CLIENT)
    return entry


@pytest.mark.parametrize("takes", [True, False])
def test_the_press_is_sent_once_and_audited_without_the_address(world: World, takes: bool) -> None:
    entry, server, viewer = received(world), Server(takes=takes), world.viewer()
    assert world.reading.open_message(viewer, entry).leaving == Leaving(
        url="https://news.example/u/vlad"
    )
    assert ListDesk(world.db, world.reading, server.post).leave(viewer, entry) is takes
    assert server.asked == [("https://news.example/u/vlad", b"List-Unsubscribe=One-Click")]
    [event] = world.events("message.unsubscribed")
    details = json.loads(event)["details"]
    assert (details["host"], details["taken"]) == ("news.example", takes)
    assert b"/u/" not in event


def test_another_persons_mail_and_mail_of_no_list_ask_nobody(world: World) -> None:
    entry, server, viewer = received(world), Server(), world.viewer()
    desk = ListDesk(world.db, world.reading, server.post)
    [plain] = world.receive(mail())
    with pytest.raises(NotFound):
        desk.leave(viewer, plain)
    with pytest.raises(NotFound):
        desk.leave(world.viewer("maria"), entry)
    with pytest.raises(NotFound):  # where nothing outside is asked
        ListDesk(world.db, world.reading, None).leave(viewer, entry)
    assert server.asked == []
    assert world.events("message.unsubscribed") == []
