"""The trail, the mail log, the mailbag and the overview on a whole installation."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest

from app.accounts import domains, feeds
from app.admin_views import AuditFilter, MaillogQuery
from app.audit.verify import verify
from app.models import PrimaryHealth, QueueItem
from archive_store.address import EmailAddress
from archive_store.envelope import Envelope
from archive_store.errors import NotFound
from archive_store.maillog import LogEntry
from archive_store.sealing import Copy, Incoming
from tests.app.admin.office import administration
from tests.app.conftest import KEEP, OPERATOR, World
from tests.app.reading.mail import PLAIN


def test_the_trail_is_filtered_and_exported_as_a_proof(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    [entry_id] = world.receive(PLAIN)
    world.reading.open_message(world.viewer(), entry_id)
    maria = world.viewer("maria")
    page = admin.audit(maria, AuditFilter(kind="message", person="VLAD@acme.example"))
    [line] = page.rows
    assert (line.name, line.actor, line.client_ip) == (
        "message.opened",
        "vlad@acme.example",
        "192.0.2.7",
    )
    assert "login" in page.kinds
    assert admin.audit(maria, AuditFilter(person="nobody@acme.example")).rows == ()
    future = world.clock() + timedelta(days=1)
    assert admin.audit(maria, AuditFilter(since=future)).total == 0
    name, octets = admin.audit_export(maria, AuditFilter(kind="message"))
    assert name.startswith("audit-acme.example-2")
    entries: list[str] = []
    proof = verify(io.BytesIO(octets), world.public.audit, lambda e: entries.append(e.event))
    assert proof.header.domain == "acme.example"
    assert entries[-1] == "audit.exported"
    assert "domain.added" in entries, "a proof is whole"


def test_the_mail_log_is_searched_and_tells_a_life(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    world.receive(PLAIN, "vlad@acme.example", "maria@acme.example")
    world.receive(PLAIN, "sales@acme.example", mail_from="lee@kung.example")
    world.receive(PLAIN, "nora@other.example")
    maria = world.viewer("maria")
    hits = admin.maillog(maria, MaillogQuery(recipient="VLAD"))
    [hit] = hits
    assert hit.recipients == ("vlad@acme.example", "maria@acme.example")
    assert (hit.mail_from, hit.outcome, hit.size) == ("hanna@in.example", "waiting", len(PLAIN))
    assert len(admin.maillog(maria, MaillogQuery(recipient="acme", sender="LEE"))) == 1
    assert len(admin.maillog(maria, MaillogQuery(recipient="acme", subject="a SUBJ"))) == 2
    assert admin.maillog(maria, MaillogQuery(recipient="acme", subject="other")) == ()
    assert admin.maillog(maria, MaillogQuery(recipient="nora")) == ()
    assert admin.maillog(maria, MaillogQuery(recipient=" ")) == ()
    assert len(admin.maillog(world.viewer("provider"), MaillogQuery(recipient="example"))) == 3
    detail = admin.maillog_detail(maria, hit.id)
    assert [step.title for step in detail.steps] == ["Received and kept"]
    assert detail.leaves_on == hit.at + KEEP
    with pytest.raises(NotFound):
        admin.maillog_detail(world.viewer("nora"), hit.id)
    searched = b"".join(world.events("maillog.searched"))
    assert searched
    assert b"VLAD" not in searched


def test_what_became_of_a_message_follows_its_queue_items(world: World) -> None:
    admin, maria = administration(world), world.viewer("maria")
    world.receive(PLAIN)
    for state, outcome in (("delivered", "delivered"), ("failed", "failed"), ("held", "waiting")):
        with world.db.write() as tx:
            tx.query(QueueItem).update({"state": state})
        [hit] = admin.maillog(maria, MaillogQuery(recipient="vlad"))
        assert hit.outcome == outcome
    only_log = Incoming(
        world.acme.id,
        b"x",
        world.clock(),
        log=LogEntry(
            "refused", "a@b.example", ("gone@acme.example",), "=?utf-8?q?Gr=C3=BC=C3=9Fe?="
        ),
    )
    world.archive.submit([only_log]).result(10)
    [hit] = admin.maillog(maria, MaillogQuery(recipient="gone", subject="GRÜSSE"))
    assert (hit.outcome, hit.subject) == ("refused", "Grüße")


def test_the_mail_log_tells_what_a_listed_server_told_of_a_mail(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    more = {"helo": "mx.acme.example", "origin": "198.51.100.9", "origin_queue_id": "4FxyZ"}
    log = LogEntry("received", "a@b.example", ("gone@acme.example",), client="10.0.0.9", more=more)
    world.archive.submit([Incoming(world.acme.id, b"x", world.clock(), log=log)]).result(10)
    maria = world.viewer("maria")
    [hit] = admin.maillog(maria, MaillogQuery(recipient="gone"))
    [step] = admin.maillog_detail(maria, hit.id).steps
    assert step.text == (
        "From mx.acme.example [10.0.0.9]. Before that from [198.51.100.9]. Queued there as 4FxyZ."
    )


def test_the_queue_shows_sealed_envelopes_to_its_own_administrators(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    world.receive(PLAIN)
    maria = world.viewer("maria")
    page = admin.queue(maria, 1)
    [line] = page.rows
    assert (line.mail_from, line.rcpt_to, line.destination, line.state) == (
        "hanna@in.example",
        "vlad@acme.example",
        "127.0.0.1:2526",
        "queued",
    )
    admin.hold(maria, line.id)
    assert admin.queue(maria, 1).rows[0].state == "held"
    admin.release(maria, line.id)
    with pytest.raises(NotFound):
        admin.drop(world.viewer("nora"), line.id)
    admin.drop(maria, line.id)
    assert admin.queue(maria, 1).total == 0
    assert world.events("queue.held")
    assert world.events("queue.dropped")


def test_the_overview_counts(any_world: World) -> None:
    world, admin = any_world, administration(any_world)
    world.receive(PLAIN, "vlad@acme.example", "maria@acme.example")
    world.receive(PLAIN, "nora@other.example")
    with world.db.write() as tx:
        now = world.clock()
        tx.add(
            PrimaryHealth(
                domain_id=world.acme.id, state="down", since=now, checked_at=now, last_error="x"
            )
        )
    seen = admin.overview(world.viewer("maria"))
    [domain] = seen.domains
    assert (domain.name, domain.server, domain.server_since, domain.waiting) == (
        "acme.example",
        "down",
        now,
        1,
    )
    assert (seen.people, seen.signed_in, seen.waiting, seen.waiting_octets) == (
        3,
        1,
        1,
        len(PLAIN),
    )
    assert [day.messages for day in seen.days] == [0] * 6 + [1]
    assert [(hour.arrived, hour.waiting) for hour in seen.hours][-1] == (1, 1)
    assert sum(hour.arrived for hour in seen.hours) == 1
    assert seen.disk_octets is None, "whose machine it is, is not the customer's business"
    everything_seen = admin.overview(world.viewer("provider"))
    assert (len(everything_seen.domains), everything_seen.days[-1].messages) == (2, 2)
    assert everything_seen.disk_octets


def test_a_domain_tells_of_its_reports_that_could_not_be_read(world: World) -> None:
    admin, maria = administration(world), world.viewer("maria")
    with world.db.write() as tx:
        domain = domains.find(tx, OPERATOR, "acme.example")
        address = feeds.switch_on(tx, OPERATOR, domain, feeds.NewFeed(), world.clock())
        [feed] = feeds.at(tx, EmailAddress.parse(address))
    world.keys.ensure_keys()
    envelope = Envelope("", "livearchive-journal-quarantine@acme.example")
    copy = Copy(feed.quarantine_id, envelope)
    aside = [
        Incoming(feed.domain_id, PLAIN, world.clock(), (one,))
        for one in (copy, replace(copy, folder="archive"))
    ]
    world.archive.submit(aside).result(60)
    [line] = admin.domains(maria)
    assert (line.journal, line.unread_reports, line.relay_tls) == (True, 1, "may")
    world.clock.moment += KEEP + timedelta(seconds=1)
    assert admin.domains(world.viewer("maria"))[0].unread_reports == 0
