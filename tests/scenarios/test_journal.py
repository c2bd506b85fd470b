"""Journal reports by real SMTP: people read the mail, the administrator has what was unreadable."""

import smtplib
from contextlib import closing

import pytest

from tests.corpus.reports import ORIGINAL, attached, envelope, report, whole
from tests.scenarios.conftest import Town
from tests.scenarios.service import mail, signed_in


def switch_on(town: Town, *words: str) -> dict[str, str]:
    [told] = town.service.must("domain", "journal", "acme.example", "--on", *words, "--json").lines
    return told


def lines_for(*recipients: str) -> tuple[str, ...]:
    return ("Sender: ann@remote.example", "Subject: x", "Message-Id: <1@r.example>", *recipients)


def test_each_recipient_reads_one_mail_without_a_word_of_the_report(town: Town) -> None:
    to, blind = town.service.newcomer(), town.service.newcomer()
    feed = switch_on(town)["address"]
    for line in (f"To: {to}, Expanded: all@acme.example", f"Bcc: {blind}", f"To: {to}"):
        town.service.send(report(lines=lines_for(line)), feed)
    for who in (to, blind):
        [entry] = town.service.messages(who)
        assert (entry.envelope_from, entry.envelope_to) == ("ann@remote.example", who)
        with closing(signed_in(town.service, who)) as reader:
            raw = reader.get(f"/mail/inbox/{entry.id}/original")
        assert raw.content == ORIGINAL
    assert town.service.waiting() == 0
    assert town.primary.octets(to) == []


def test_what_cannot_be_read_is_there_for_an_administrator_and_an_alarm_says_so(
    town: Town,
) -> None:
    to = town.service.newcomer()
    feed = switch_on(town)["address"]
    cut = whole(envelope(lines_for(f"To: {to}")), attached(ORIGINAL), end=False)
    town.service.send(cut, feed)
    [told] = town.service.must("domain", "journal", "acme.example", "--json").lines
    assert (told["journal"], told["unread"] >= 1, "address" in told) == ("on", True, False)
    assert cut in town.service.export(told["quarantine"]).values()
    assert town.service.messages(to) == []
    check = town.service.command("check")
    assert "acme.example could not be read" in check.out + check.error


def test_a_feed_ends_and_strangers_have_none(town: Town) -> None:
    feed = switch_on(town, "--from", "192.0.2.0/24")["address"]
    with pytest.raises(smtplib.SMTPResponseException) as stranger:
        town.service.send(report(), feed)
    assert stranger.value.smtp_code == 450
    off = town.service.must("domain", "journal", "acme.example", "--off")
    assert "journal: off" in off.out
    wrong = town.service.command("domain", "journal", "acme.example", "--login", "exchange")
    assert wrong.status == 1


def test_a_report_at_a_persons_address_is_just_mail(town: Town) -> None:
    to = town.service.newcomer()
    forged = report(mail("forged"), lines=lines_for("To: maria@acme.example"))
    town.service.send(forged, to)
    assert list(town.service.export(to).values()) == [forged]
    assert town.primary.wait_for(to)[0].endswith(forged)
