"""The commands of an operator, against a running service."""

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from archive_store import ids
from archive_store.clock import utc_now
from archive_store.keyring import SERIES, Keyring
from archive_store.keyring_backup import opened_backup
from archive_store.tombstones import Tombstone, Tombstones
from tests.scenarios.conftest import Town, template_of
from tests.scenarios.service import Service, mail


def test_messages_are_listed_with_what_scripts_rely_on(town: Town) -> None:
    to = town.service.newcomer()
    town.service.send(mail("=?utf-8?q?Gr=C3=BC=C3=9Fe?="), to, sender="bounce@b.example")
    [line] = town.service.must("messages", "list", to, "--json", "--reason", "a test").lines
    assert set(line) == {
        *("id", "message_id", "from", "subject", "folder"),
        *("received_at", "size", "seen", "envelope_from", "envelope_to"),
    }
    assert line["subject"] == "Grüße"
    assert line["from"] == "Hanna Berg <hanna@brightwater.example>"
    assert (line["envelope_from"], line["envelope_to"]) == ("bounce@b.example", to)
    assert line["received_at"].endswith("Z")
    assert town.service.must("messages", "list", to, "--json", "--folder", "trash").lines == []


@pytest.mark.parametrize("kind", ["mbox", "maildir"])
def test_a_mailbox_goes_out_and_comes_in_again(town: Town, tmp_path: Path, kind: str) -> None:
    one, two = town.service.newcomer(), town.service.newcomer()
    first, second = mail("First", "From the start\r\n"), mail("Second")
    town.service.send(first, one)
    town.service.send(second, one)
    out = tmp_path / "out"
    town.service.must("messages", "export", one, "--out", str(out), "--format", kind)
    path = out / ("mailbox.mbox" if kind == "mbox" else "Maildir")
    done = town.service.must("import", str(path), "--to", two)
    assert "2 messages imported" in done.out
    assert {m.subject for m in town.service.messages(two)} == {"First", "Second"}


def test_an_export_completes_a_maildir_that_an_earlier_one_left_half_made(
    town: Town, tmp_path: Path
) -> None:
    to = town.service.newcomer()
    town.service.send(mail("Whole"), to)
    (tmp_path / "Maildir" / "tmp").mkdir(parents=True)
    town.service.must("messages", "export", to, "--out", str(tmp_path), "--format", "maildir")
    [file] = (tmp_path / "Maildir" / "new").iterdir()
    assert b"Subject: Whole" in file.read_bytes()


def test_a_maildir_that_is_exported_again_has_each_message_once(town: Town, tmp_path: Path) -> None:
    to, out = town.service.newcomer(), tmp_path / "out"
    for subject in ("First", "Second"):
        town.service.send(mail(subject), to)
    export = ("messages", "export", to, "--out", str(out), "--format", "maildir")
    town.service.must(*export)
    one, two = sorted((out / "Maildir" / "new").iterdir())
    one.rename(out / "Maildir" / "cur" / f"{one.name}:2,S")  # a mail program showed it
    two.write_bytes(b"half of a message")
    town.service.must(*export)
    assert [path.name for path in (out / "Maildir" / "new").iterdir()] == [two.name]
    assert two.read_bytes() != b"half of a message"
    assert list((out / "Maildir" / "tmp").iterdir()) == []
    town.service.send(mail("Third"), to)
    assert "3 messages" in town.service.must(*export).out
    assert len(list((out / "Maildir" / "new").iterdir())) == 2


def test_an_eml_file_with_unix_line_ends_gets_those_of_smtp(town: Town, tmp_path: Path) -> None:
    to = town.service.newcomer()
    file = tmp_path / "unix.eml"
    file.write_bytes(mail("Unix").replace(b"\r\n", b"\n"))
    town.service.must("import", str(file), "--to", to)
    [octets] = town.service.export(to).values()
    assert octets == file.read_bytes().replace(b"\n", b"\r\n")


def test_waiting_mail_is_listed_held_released_and_dropped(town: Town) -> None:
    town.service.add_domain("away.example", "127.0.0.1:9")
    to = town.service.newcomer("away.example")
    town.service.send(mail("Waits"), to, sender="bounce@b.example")
    lines = town.service.must("queue", "list", "--json").lines
    [item] = [line for line in lines if line["envelope_to"] == to]
    assert (item["domain"], item["envelope_from"]) == ("away.example", "bounce@b.example")
    for verb in ("hold", "release", "drop"):
        town.service.must("queue", verb, item["id"])
    assert town.service.waiting("away.example") == 0
    assert len(town.service.messages(to)) == 1  # dropping a delivery takes no copy away
    assert "0 waiting" in town.service.must("queue", "flush", "away.example").out
    assert town.service.command("queue", "hold", "nonsense").status == 1


def test_an_exported_trail_is_proved_and_a_changed_one_refused(town: Town, tmp_path: Path) -> None:
    to = town.service.newcomer()
    town.service.send(mail("On the record"), to)
    town.service.must(
        "messages", "export", to, "--out", str(tmp_path / "o"), "--reason", "Ticket 7"
    )
    file = tmp_path / "audit.jsonl"
    town.service.must("audit", "export", "--domain", "acme.example", "--out", str(file))
    proof = town.service.must("audit", "verify", str(file), "--json").lines[0]
    assert proof["verified"] is True
    key = town.service.must("keys", "status", "--json").lines[0]["audit_key"]
    pinned = town.service.must("audit", "verify", str(file), "--key", key, "--json").lines[0]
    assert pinned["pinned"] is True
    octets = file.read_bytes()
    lines = octets.splitlines(keepends=True)
    for changed in (octets[:-2], b"".join(lines[:3] + lines[4:]), octets.replace(b"7", b"8", 1)):
        file.write_bytes(changed)
        assert town.service.command("audit", "verify", str(file)).status == 1


def test_the_keyring_is_copied_for_its_owner_alone_and_never_over_a_file(
    town: Town, tmp_path: Path
) -> None:
    file = tmp_path / "keyring"
    words = ("keys", "backup", str(file), "--days", "--passphrase-stdin")
    town.service.must(*words, given="seven quiet herons\n")
    assert file.stat().st_mode & 0o777 == 0o400
    own = Keyring.from_json((town.service.data / "keys" / "keyring.json").read_bytes())
    keep = dict.fromkeys(SERIES, timedelta(days=7))
    assert opened_backup(file.read_bytes(), b"seven quiet herons", utc_now(), keep) == own
    assert town.service.command(*words, given="seven quiet herons\n").status == 1


def test_the_doctor_finds_a_running_service_well(town: Town) -> None:
    lines = town.service.must("check", "--json").lines
    verdicts = {line["check"]: line["verdict"] for line in lines}
    for check in ("settings", "database", "service", "http", "smtp", "lmtp"):
        assert verdicts[check] == "ok"
    assert verdicts["keyring"] == "warning"  # it lies beside the data here


@pytest.mark.timeout(400)  # two starts and six commands
def test_a_backup_made_while_running_comes_back_whole(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service = template_of(request, "sqlite").copy(tmp_path)
    service.start()
    octets = mail("Worth keeping")
    service.send(octets, "vlad@acme.example")
    service.send(mail("Deleted since"), "vlad@acme.example")
    [gone] = [one for one in service.messages() if one.subject == "Deleted since"]
    folder = tmp_path / "backup"
    service.must("backup", str(folder))
    assert not list(folder.rglob("keyring*"))
    assert service.stop() == 0

    other = Service(tmp_path / "other", "sqlite:")
    other.folder.mkdir()
    other.must("restore", str(folder))
    assert other.command("serve").status == 1  # not without the keyring
    target = other.data / "keys" / "keyring.json"
    target.write_bytes((service.data / "keys" / "keyring.json").read_bytes())
    Tombstones.beside(target).add([Tombstone(gone.received_at.date(), ids.read(gone.id))])
    other.start()  # its keys role deletes again, before anybody reads
    assert list(other.export().values()) == [octets]
    assert other.must("fsck", "--json").lines[0]["opened"] == 1
    assert other.stop() == 0
    assert other.command("restore", str(folder)).status == 1  # never into a place in use


def test_a_damaged_backup_is_not_brought_back(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service = template_of(request, "sqlite").copy(tmp_path)
    folder = tmp_path / "backup"
    service.must("backup", str(folder))
    database = folder / "database.sqlite"
    octets = bytearray(database.read_bytes())
    octets[5000] ^= 1
    database.write_bytes(octets)
    other = Service(tmp_path / "other", "sqlite:")
    other.folder.mkdir()
    done = other.command("restore", str(folder))
    assert done.status == 1
    assert "damaged" in done.error


def test_what_is_held_is_listed_written_to_files_and_released(town: Town, tmp_path: Path) -> None:
    to, out = town.service.newcomer(), tmp_path / "out"
    sent = mail("Contract")
    town.service.send(sent, to, sender="bounce@b.example")
    because = ("--reason", "matter 7", "--json")
    assert town.service.command("hold", "place", "--search", "x", *because).status == 2
    [placed] = town.service.must("hold", "place", "--mailbox", to, *because).lines
    lines = town.service.must("hold", "list", "--json").lines
    assert placed in lines
    assert (placed["mailbox"], placed["reason"], placed["messages"]) == (to, "matter 7", 1)
    town.service.must("hold", "export", placed["id"], "--out", str(out), *because)
    [line] = [json.loads(one) for one in (out / "index.jsonl").read_text().splitlines()]
    octets = (out / f"{line['id']}.eml").read_bytes()
    assert sha256(octets).hexdigest() == line["sha256"]
    assert b"Subject: Contract" in octets
    assert (line["envelope_from"], line["envelope_to"]) == ("bounce@b.example", to)
    assert line["genuine"] is True
    assert town.service.must("fsck", "--json").lines[0]["held"] == 1
    town.service.must("hold", "release", placed["id"], "--reason", "settled")
    assert town.service.command("hold", "release", placed["id"]).status == 1
    assert placed["id"] not in town.service.must("hold", "list").out
    assert len(town.service.messages(to)) == 1
