"""How a domain's mailboxes are reached, and what is refused."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from app.accounts import domains
from app.accounts.errors import Invalid
from app.delivery import desk, dkim
from app.models import ImapAccess
from app.tee import NOWHERE, without_own_copies
from app.viewer import Actor
from app.wayback import access, mark
from app.wayback.access import Login, Names, Tls, Wish
from app.wayback.mark import FIELD, MOST_RECIPIENTS, Marker, Marks
from archive_store.address import EmailAddress
from archive_store.clock import utc_now
from tests.app.delivery.conftest import MAIL, World
from tests.app.test_door import kept, received
from tests.app.wayback.conftest import access_of, give_imap

WISH = Wish(
    host="imap.ours.example",
    port=993,
    tls=Tls.IMPLICIT,
    master="livearchive",
    login=Login.PLAIN,
    names=Names.ADDRESS,
)


def test_in_clear_only_within_this_machine() -> None:
    access.check(WISH)
    for host in ("127.0.0.1", "::1", "localhost"):
        access.check(replace(WISH, tls=Tls.NONE, host=host))
    with pytest.raises(Invalid, match="without TLS"):
        access.check(replace(WISH, tls=Tls.NONE))
    with pytest.raises(Invalid, match="one line"):
        access.check(replace(WISH, sent_folder="Sent\r\nX"))


def test_copies_are_wanted_where_there_is_a_way_and_nobody_switched_them_off(world: World) -> None:
    copy = world.add_domain("copy.example", mode="copy")
    with world.db.write() as tx:
        actor = Actor.command_line("root")
        domain = domains.find(tx, actor, world.domain.name)
        assert not access.wants_copies(tx, domain)
        domains.change(tx, actor, domain, {"sent-copies": "smtp"}, utc_now())
        copy.sent_copies = "smtp"
        assert access.wants_copies(tx, domain)
        assert not access.wants_copies(tx, copy)
        domains.change(tx, actor, domain, {"sent-copies": "imap"}, utc_now())
    give_imap(world, 143)
    with world.db.write() as tx:
        domain = tx.merge(domain)
        assert access.wants_copies(tx, domain)
        domains.change(tx, actor, domain, {"sent-copies": "off"}, utc_now())
        assert not access.wants_copies(tx, domain)
        access.remove(tx, actor, domain, utc_now())
        assert tx.get(ImapAccess, domain.id) is None


def test_an_own_copy_that_comes_back_is_kept_for_nobody_but_others(world: World) -> None:
    marker = Marker(world.public.installation, world.receipt_key)
    octets = marker.marked(MAIL, EmailAddress.parse("a@ours.example"))
    mail = replace(received("a@ours.example", "b@ours.example"), octets=octets)
    routes = [kept(), kept()]
    assert without_own_copies(mail, routes, Marks(world.public)) == [NOWHERE, routes[1]]
    assert without_own_copies(mail, routes, None) == routes


@pytest.mark.parametrize(
    ("was", "becomes", "ours"),
    [
        (b"Subject: Hello", b"Subject: [EXTERNAL] Hello", True),  # as servers do
        (b"From: a@ours", b"from:  a@ours", True),
        (b"From: a@ours", b"From: boss@ours", False),
        (b"Message-ID: <1@", b"Message-ID: <2@", False),
        (b"Date: Mon", b"Date: Tue", False),
        (b"Subject: Hello", b"From: b@ours.example\r\nSubject: Hello", False),
        (b"\r\n\r\nHi", b"\r\n\r\nNo", False),
    ],
)
def test_a_mark_goes_with_the_mail_that_it_was_made_for(
    world: World, was: bytes, becomes: bytes, ours: bool
) -> None:
    sent = (
        b"From: a@ours.example\r\nMessage-ID: <1@ours.example>\r\n"
        b"Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nSubject: Hello\r\n\r\nHi\r\n"
    )
    owner = EmailAddress.parse("a@ours.example")
    copy = Marker(world.public.installation, world.receipt_key).marked(sent, owner)
    assert Marks(world.public).owner(copy, [owner]) == owner
    changed = copy.replace(was, becomes)
    assert changed != copy
    assert (Marks(world.public).owner(changed, [owner]) == owner) is ours


def test_a_strangers_mark_costs_one_check_for_each_recipient_and_no_look_at_the_body(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests: list[bytes] = []
    checks: list[bytes] = []
    marks = Marks(world.public)
    relaxed, genuine = dkim.relaxed_body, marks._book.genuine

    def counted_body(body: bytes) -> bytes:
        digests.append(body)
        return relaxed(body)

    def counted_check(receipt: bytes, said: bytes) -> str | None:
        checks.append(said)
        return genuine(receipt, said)

    monkeypatch.setattr(mark, "relaxed_body", counted_body)
    monkeypatch.setattr(marks._book, "genuine", counted_check)
    a, b = EmailAddress.parse("a@ours.example"), EmailAddress.parse("b@ours.example")
    field = FIELD + b": " + base64.b64encode(bytes(96)) + b"\r\n"
    assert marks.owner(field * 1000 + MAIL, [a, b] * 500) is None
    assert (len(digests), len(checks)) == (0, 2)
    crowd = [EmailAddress.parse(f"p{n}@ours.example") for n in range(MOST_RECIPIENTS)]
    padded = b"X-Padding: " + b"x" * mark.LARGEST_HEADER + b"\r\n" + field
    for odd, recipients in ((FIELD + b": AAAA\r\n", [a]), (field, [a, *crowd]), (padded, [a])):
        assert marks.owner(odd + MAIL, recipients) is None
    assert (len(digests), len(checks)) == (0, 2)


def test_a_flush_asks_a_server_again_that_refused_log_ins(world: World) -> None:
    give_imap(world, 143, refusals=4, rests_until=utc_now() + timedelta(hours=1))
    with world.db.write() as tx:
        desk.flush(tx, Actor.command_line("root"), world.domain.id, utc_now())
    found = access_of(world)
    assert (found.refusals, found.rests_until) == (4, None), "one more, and it is left alone again"
