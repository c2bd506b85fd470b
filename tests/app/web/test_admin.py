"""The administration pages."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.admin_views import AuditFilter, MaillogQuery
from tests.app.web import sample
from tests.app.web.client import Client
from tests.app.web.double import World

SignIn = Callable[[str], Client]
DOMAIN = {"mode": "relay", "relay": "mx.new.example:25", "unknown_recipients": "relay"}
ITEM = sample.entry_id(300)


@pytest.fixture
def maria(sign_in: SignIn) -> Client:
    return sign_in("maria@acme.example")


@pytest.fixture
def provider(sign_in: SignIn) -> Client:
    return sign_in("provider@livearchive.example")


@pytest.fixture
def auditor(sign_in: SignIn) -> Client:
    return sign_in("audit@acme.example")


def test_the_overview_says_it_in_words_first(maria: Client, provider: Client) -> None:
    own = maria.get("/admin/").text
    assert "<h1>acme.example</h1>" in own
    assert "209 messages, 88 MB, wait for their mail servers" in own
    assert "ownwebnow" not in own
    every = provider.get("/admin/").text
    assert "1 mail server is down" in every
    assert "ownwebnow.example" in every
    assert "41 GB free on the disk, 12 % of it" in every


def test_an_installation_without_a_domain_says_so(world: World, provider: Client) -> None:
    world.admin.all_domains.clear()
    assert "No domain is protected yet." in provider.get("/admin/").text
    assert "Add the first one" in provider.get("/admin/domains").text


def test_a_provider_adds_a_domain(world: World, provider: Client) -> None:
    assert "Add a domain" in provider.get("/admin/domains").text
    answer = provider.post("/admin/domains/new", DOMAIN | {"name": "new.example"})
    assert answer.headers["location"] == "/admin/domains"
    assert "new.example is protected from now on." in provider.get("/admin/domains").text
    assert world.admin.all_domains[-1].name == "new.example"


def test_a_domain_that_cannot_be_is_told_and_kept(provider: Client) -> None:
    answer = provider.post("/admin/domains/new", DOMAIN | {"name": "nonsense"})
    assert answer.status_code == 422
    assert "it lacks its ending" in answer.text
    assert 'value="nonsense"' in answer.text
    assert 'value="mx.new.example:25"' in answer.text


def test_a_domain_says_how_its_mail_travels_and_what_reports_were_unreadable(
    world: World, maria: Client
) -> None:
    path = f"/admin/domains/{sample.entry_id(900)}"
    plain = maria.get(path).text
    assert "With TLS where the server offers it, else in clear." in plain
    assert "Journal reports" not in plain
    world.admin.all_domains[0] = replace(
        world.admin.all_domains[0],
        relay_tls="verify",
        smarthost="out.example:587",
        smarthost_tls="encrypt",
        journal=True,
        unread_reports=2,
        quarantine="livearchive-journal-quarantine@acme.example",
    )
    page = maria.get(path).text
    assert "Always with TLS and a valid certificate." in page
    assert "Always with TLS." in page
    assert "2 reports could not be read." in page
    assert "livearchive messages export livearchive-journal-quarantine@acme.example" in page


def test_an_administrator_sets_their_own_domain_and_no_other(world: World, maria: Client) -> None:
    assert "Add a domain" not in maria.get("/admin/domains").text
    assert maria.post(f"/admin/domains/{sample.entry_id(900)}", DOMAIN).status_code == 303
    assert world.admin.all_domains[0].relay == "mx.new.example:25"
    assert not world.admin.all_domains[0].enabled  # an unticked box is not sent
    assert maria.get(f"/admin/domains/{sample.entry_id(901)}").status_code == 404
    assert maria.post(f"/admin/domains/{sample.entry_id(901)}", DOMAIN).status_code == 404


def test_an_administrator_says_whose_word_is_taken_of_where_mail_comes_from(
    world: World, maria: Client
) -> None:
    path = f"/admin/domains/{sample.entry_id(900)}"
    checker = "mx.acme.example 192.0.2.0/24"
    assert maria.post(path, DOMAIN | {"checked_by": f" {checker} "}).status_code == 303
    assert world.admin.all_domains[0].checked_by == checker
    assert f'value="{checker}"' in maria.get(path).text


def test_where_mail_goes_is_for_the_provider_to_set(maria: Client, provider: Client) -> None:
    path = f"/admin/domains/{sample.entry_id(900)}"
    own = maria.get(path).text
    assert "Only your service provider can change where mail goes." in own
    assert re.search(r'name="relay"[^>]* readonly', own)
    assert "readonly" not in provider.get(path).text


def test_settings_that_cannot_be_are_told_beside_their_field(maria: Client) -> None:
    answer = maria.post(f"/admin/domains/{sample.entry_id(900)}", DOMAIN | {"relay": ""})
    assert answer.status_code == 422
    assert 'id="e-relay"' in answer.text


def test_a_new_password_is_shown_once(maria: Client) -> None:
    answer = maria.post(f"/admin/users/{sample.entry_id(700)}/password")
    assert answer.status_code == 200
    assert "harbour-plum-seven-lantern-42" in answer.text
    assert "Password of vlad@acme.example" in answer.text
    assert "harbour-plum" not in maria.get("/admin/users").text


def test_a_person_is_added_with_a_password_of_ours(maria: Client) -> None:
    form = {"address": "new@acme.example", "name": "New", "role": "user"}
    answer = maria.post("/admin/users/new", form)
    assert "Password of new@acme.example" in answer.text


def test_a_person_who_cannot_be_is_told(maria: Client) -> None:
    answer = maria.post("/admin/users/new", {"address": "nonsense", "role": "user"})
    assert answer.status_code == 422
    assert "is no address." in answer.text


def test_only_a_provider_may_make_providers(maria: Client, provider: Client) -> None:
    assert 'value="service-provider"' not in maria.get("/admin/users/new").text
    assert 'value="service-provider"' in provider.get("/admin/users/new").text


def test_people_are_shut_out_and_let_in(world: World, maria: Client) -> None:
    path = f"/admin/users/{sample.entry_id(700)}/state"
    maria.post(path, {"do": "disable"})
    assert world.admin.all_people[0].disabled
    assert "can no longer sign in" in maria.get("/admin/users").text
    maria.post(path, {"do": "enable"})
    assert not world.admin.all_people[0].disabled


def test_an_auditor_sees_the_trail_and_nothing_else(auditor: Client) -> None:
    page = auditor.get("/admin/audit").text
    assert "Replied as sales@acme.example" in page
    for other in ("/admin/users", "/admin/queue", "/admin/maillog", "/mail/"):
        assert f'href="{other}' not in page


def test_the_trail_is_filtered_without_an_address_in_the_url(world: World, auditor: Client) -> None:
    auditor.cookies.set("tz", "Europe/Berlin")
    asked = {"kind": "login", "person": "dana@", "since": "2026-11-20", "until": "2026-11-24"}
    where = auditor.post("/admin/audit", asked).headers["location"]
    assert "dana" not in where
    page = auditor.get(where).text
    assert "Wrong password, third time" in page
    assert "Opened a message" not in page
    assert 'value="dana@"' in page
    assert world.admin.asked[-1] == AuditFilter(
        kind="login",
        person="dana@",
        since=datetime(2026, 11, 19, 23, tzinfo=UTC),
        until=datetime(2026, 11, 24, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_cannot_be_is_no_limit_or_a_far_one(auditor: Client, day: str) -> None:
    where = auditor.post("/admin/audit", {"since": day, "until": day}).headers["location"]
    assert auditor.get(where).status_code == 200


def test_the_trail_is_taken_away_as_a_file(world: World, auditor: Client) -> None:
    answer = auditor.post("/admin/audit/export", {"kind": "login"})
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-acme')
    assert world.admin.asked[-1] == AuditFilter(kind="login")


def test_the_mail_log_needs_a_recipient(world: World, maria: Client) -> None:
    answer = maria.post("/admin/maillog", {"sender": "hanna"})
    assert answer.status_code == 422
    assert "Say who should have got it" in answer.text
    assert world.admin.asked == []


def test_the_mail_log_tells_the_life_of_a_message(world: World, maria: Client) -> None:
    asked = {"recipient": "sales@", "sender": "hanna", "subject": "order"}
    where = maria.post("/admin/maillog", asked).headers["location"]
    assert "sales" not in where
    assert sample.entry_id(500) in maria.get(where).text
    assert world.admin.asked[-1] == MaillogQuery(
        recipient="sales@", sender="hanna", subject="order"
    )
    key = where.partition("?")[2]
    page = maria.get(f"/admin/maillog/{sample.entry_id(500)}?{key}").text
    assert "mail.acme.example said: 421 4.3.2" in page
    assert "Received and kept" in page
    assert "is-selected" in page


def test_the_mailbag_is_held_let_go_and_dropped(world: World, maria: Client) -> None:
    assert "421 4.3.2 not accepting" in maria.get("/admin/queue").text
    maria.post(f"/admin/queue/{ITEM}", {"do": "hold"})
    assert "Held back" in maria.get("/admin/queue").text
    maria.post(f"/admin/queue/{ITEM}", {"do": "release"})
    assert world.admin.held == set()
    assert "its sender is not told" in maria.get(f"/admin/queue/{ITEM}/drop").text
    maria.post(f"/admin/queue/{ITEM}", {"do": "drop"})
    assert world.admin.dropped == {ITEM}
    assert maria.post(f"/admin/queue/{ITEM}", {"do": "burn"}).status_code == 400


def test_all_of_the_mailbag_is_tried_now(maria: Client) -> None:
    assert maria.post("/admin/queue/flush").headers["location"] == "/admin/queue"
    assert "209 messages are being tried now." in maria.get("/admin/queue").text


def test_a_new_domain_has_nobody_to_set(provider: Client) -> None:
    page = provider.get("/admin/domains/new").text
    assert "all existing people" not in page
    assert '<input type="hidden" name="all_users" value="yes">' in page


def test_the_trail_claims_only_what_is_in_it(auditor: Client) -> None:
    page = auditor.get("/admin/audit").text
    assert "Looking here" not in page
    assert "Whoever exports it is written down in it." in page
