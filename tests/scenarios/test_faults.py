"""Bad settings, missing keys, full disk, database away: one clear line, and nothing lost."""

import contextlib
import html
import os
import re
import secrets
import shutil
import smtplib
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest

from archive_store.keyring import Keyring, KeyringFile
from tests.parts.needs import lack
from tests.parts.network import wait_until
from tests.scenarios.conftest import template_of
from tests.scenarios.service import PASSWORD, Done, Service, mail, signed_in


@pytest.fixture
def sqlite_made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """An installation on SQLite, for faults that have nothing to do with the database."""
    service = template_of(request, "sqlite").copy(tmp_path)
    yield service
    service.stop()


def refused(service: Service, *words: str) -> Done:
    """A start that must fail, with one line that says why."""
    done = service.command("serve", *words)
    assert done.status == 1
    assert "READY" not in done.out
    assert "Traceback" not in done.error
    return done


def test_without_its_keyring_it_does_not_start_and_says_what_to_do(sqlite_made: Service) -> None:
    (sqlite_made.data / "keys" / "keyring.json").unlink()
    done = refused(sqlite_made)
    assert "no keyring at" in done.error
    assert "MASTER_KEY_FILE" in done.error
    again = sqlite_made.command("init")
    assert not (sqlite_made.data / "keys" / "keyring.json").exists(), again.out


def test_with_the_keyring_of_another_installation_it_does_not_start(sqlite_made: Service) -> None:
    KeyringFile(sqlite_made.data / "keys" / "keyring.json").save(Keyring.generate())
    assert "does not open this data" in refused(sqlite_made).error


def test_a_keyring_that_is_none_is_named(sqlite_made: Service) -> None:
    path = sqlite_made.data / "keys" / "keyring.json"
    path.chmod(0o600)
    path.write_text("not a keyring")
    error = refused(sqlite_made).error
    assert "not a LiveArchive keyring" in error
    assert str(path) in error


@pytest.mark.parametrize("name", ["http", "smtp", "lmtp"])
def test_a_port_in_use_is_named(sqlite_made: Service, name: str) -> None:
    port = getattr(sqlite_made.ports, name)
    with socket.create_server(("127.0.0.1", port)):
        error = refused(sqlite_made).error
    assert name.upper() in error
    assert str(port) in error


def test_an_unknown_setting_is_named_with_the_nearest_one(sqlite_made: Service) -> None:
    sqlite_made.environment["LIVEARCHIVE_KEEP_DAY"] = "7"
    error = refused(sqlite_made).error
    assert "LIVEARCHIVE_KEEP_DAY: no such setting" in error
    assert "LIVEARCHIVE_KEEP_DAYS" in error


def test_an_invalid_setting_says_what_is_expected(sqlite_made: Service) -> None:
    sqlite_made.environment["LIVEARCHIVE_KEEP_DAYS"] = "400"
    assert "LIVEARCHIVE_KEEP_DAYS: expected" in refused(sqlite_made).error


def test_a_folder_that_cannot_be_made_is_named(sqlite_made: Service) -> None:
    file = sqlite_made.folder / "file"
    file.write_text("")
    done = sqlite_made.command("init", "--data", str(file / "data"))
    assert done.status == 1
    assert "DATA_DIR: cannot write in" in done.error


def test_a_folder_that_was_never_made_says_init(sqlite_made: Service) -> None:
    done = sqlite_made.command("serve", "--data", str(sqlite_made.folder / "none"))
    assert done.status == 1
    assert "livearchive init" in done.error


def test_wrong_usage_has_status_2(sqlite_made: Service) -> None:
    assert sqlite_made.command("domain", "add").status == 2
    assert sqlite_made.command("no-such-command").status == 2


def code_of_sending(
    service: Service, octets: bytes = mail("Is anybody there?"), to: str = "vlad@acme.example"
) -> int:
    try:
        service.send(octets, to)
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    return 250


def test_a_locked_database_keeps_the_mail_at_the_sender(sqlite_made: Service) -> None:
    sqlite_made.start()
    assert code_of_sending(sqlite_made) == 250
    with closing(sqlite3.connect(sqlite_made.data / "livearchive.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert code_of_sending(sqlite_made) == 451
        other.rollback()
    assert code_of_sending(sqlite_made) == 250
    assert len(sqlite_made.messages()) == 2
    sqlite_made.must("fsck")


def test_a_database_that_is_gone_keeps_the_mail_at_the_sender(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    service = template_of(request, "postgresql").copy(tmp_path)
    server = request.getfixturevalue("postgresql_server")
    name = service.environment["LIVEARCHIVE_DATABASE_URL"].rpartition("/")[2]
    service.start()
    try:
        assert code_of_sending(service) == 250
        with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            admin.execute(
                b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [name],
            )
            assert code_of_sending(service) == 451
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
        wait_until(lambda: code_of_sending(service) == 250, "mail is taken again")
        assert len(service.messages()) == 2
    finally:
        service.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    if os.geteuid() != 0:
        lack("mount (which only root can use)")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "livearchive-test", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        lack("a kernel that lets tests mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_with_mail(service: Service) -> None:
    """Send until no more is taken, at last in small pieces."""
    for size in (1_000_000, 10_000):
        filler = mail("Filler", secrets.token_hex(size // 2))
        while (code := code_of_sending(service, filler, "maria@acme.example")) == 250:
            pass
        assert code == 452


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Somebody else's file takes all of the disk's room."""
    # Unbuffered: nothing may be left over that closing the file would try to write.
    with (disk / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(64 * 1024)):
            pass
        while file.write(bytes(512)):
            pass
    yield
    (disk / "filler").unlink()


def test_a_disk_that_others_filled_is_read_from_and_waited_for(
    sqlite_made: Service, small_disk: Path
) -> None:
    service = sqlite_made
    shutil.copytree(service.data, small_disk / "data")
    service.environment["LIVEARCHIVE_DATA_DIR"] = str(small_disk / "data")
    service.start()
    assert code_of_sending(service) == 250
    wait_until(lambda: bool(service.messages()), "it is there")
    with closing(signed_in(service, "vlad@acme.example")) as reader:

        def is_listed() -> bool:
            return "Is anybody there?" in reader.get("/mail/inbox").text

        wait_until(is_listed, "it is listed")
        with filled(small_disk):
            service.kill_role("keys")
            wait_until(lambda: "wait for room" in service.log.read_text(), "the keys role says so")
            wait_until(is_listed, "the keys role serves what it has", 90)
            service.kill_role("web")
            wait_until(lambda: answer_to_login(service) == FULL, "a page that says so", 90)
        wait_until(lambda: answer_to_login(service) == 303, "people can sign in again", 90)
    assert service.stop() == 0
    with filled(small_disk):
        starting = threading.Thread(target=service.start)
        starting.start()
        wait_until(lambda: "waits until there is room" in service.log.read_text(), "it says so")
    starting.join()
    assert code_of_sending(service) == 250
    assert len(service.messages()) == 2


FULL = "The archive's disk is full"


def answer_to_login(service: Service) -> str | int:
    """The status of signing in, or FULL for the page that says that."""
    words = {"username": "maria@acme.example", "password": PASSWORD}
    try:
        answer = httpx.post(
            f"{service.url}/login", data=words, headers={"Origin": service.url}, timeout=60
        )
    except httpx.HTTPError:
        return 0  # not started again yet
    return FULL if FULL in html.unescape(answer.text) else answer.status_code


def test_a_full_disk_is_452_and_what_was_taken_stays_readable(
    sqlite_made: Service, small_disk: Path
) -> None:
    shutil.copytree(sqlite_made.data, small_disk / "data")
    sqlite_made.environment["LIVEARCHIVE_DATA_DIR"] = str(small_disk / "data")
    sqlite_made.start()
    assert code_of_sending(sqlite_made) == 250
    big = mail("Too big for what is left", "x" * 3_000_000)
    with filled(small_disk):
        with pytest.raises(smtplib.SMTPResponseException) as full:
            sqlite_made.send(big, "vlad@acme.example")
        assert full.value.smtp_code in (451, 452)
    wait_until(lambda: code_of_sending(sqlite_made) == 250, "mail is taken again")
    subjects = {one.subject for one in sqlite_made.messages()}
    assert subjects == {"Is anybody there?"}
    fill_with_mail(sqlite_made)
    with closing(signed_in(sqlite_made, "vlad@acme.example")) as reader:
        listed = reader.get("/mail/inbox").text
        page = re.findall(r'href="(/mail/inbox/[a-z2-7]{26})[?"]', listed)[-1]
        assert "Is anybody there?" in reader.get(page).text
    sqlite_made.must("fsck")
    # Not before the end: the stop must not hang on a disk that was full.
    assert sqlite_made.stop() == 0
