"""The stand-in mail server, spoken to by smtplib and steered through its control API."""

import json
import smtplib
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.demo.control import (
    StandInControl,
    StandInGone,
    StandInRefused,
    control_socket,
)
from app.demo.kept import folder_name
from app.demo.standin import Mode
from tests.app.demo.conftest import ROOT, StandInProcess

PLAIN = b"From: a@b.example\r\nSubject: Hello\r\n\r\nHi.\r\n"


def send(
    to: tuple[str, int],
    octets: bytes,
    *recipients: str,
    sender: str = "a@b.example",
    options: tuple[str, ...] = (),
) -> None:
    with smtplib.SMTP(*to, timeout=20) as smtp:
        smtp.sendmail(sender, recipients or ("vlad@acme.example",), octets, options)


def test_mail_is_kept_with_its_envelope_for_each_recipient(standin: StandInProcess) -> None:
    send(standin.primary, PLAIN, "vlad@acme.example", "maria@acme.example")

    assert standin.eml("vlad@acme.example") == [PLAIN]
    assert standin.eml("maria@acme.example") == [PLAIN]
    (envelope,) = (standin.keep / "primary" / "vlad@acme.example").glob("*.json")
    facts = json.loads(envelope.read_text())
    assert facts["mail_from"] == "a@b.example"
    assert facts["rcpt_to"] == "vlad@acme.example"
    assert facts["subject"] == "Hello"
    assert facts["size"] == len(PLAIN)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"x" * 200_000 + b"\r\n", id="a line of 200,000 octets"),
        pytest.param(bytes(range(128, 256)) + b"\r\n", id="octets that are no UTF-8"),
        pytest.param(b"..\r\n.\r\n.dot\r\n\r\n", id="lines that begin with dots"),
        pytest.param(b"one\ntwo\rthree\r\n", id="bare line ends"),
        pytest.param(b"\x00\x01\x7f\r\n", id="control octets"),
        pytest.param(b"\r\n\r\n  \r\n", id="trailing empty lines"),
    ],
)
def test_octets_are_kept_exactly(used_standin: StandInProcess, body: bytes) -> None:
    message = PLAIN + body
    send_raw(used_standin.primary, message)
    (kept,) = used_standin.control.messages(limit=1)
    assert (used_standin.keep / "primary" / kept.rcpt_to / f"{kept.id}.eml").read_bytes() == message
    assert used_standin.control.octets(kept.id) == message


def send_raw(to: tuple[str, int], message: bytes) -> None:
    """DATA as it goes over the wire; smtplib would mend the line ends."""
    with smtplib.SMTP(*to, timeout=20) as smtp:
        smtp.ehlo()
        smtp.mail("a@b.example", ["BODY=8BITMIME"])
        smtp.rcpt("vlad@acme.example")
        assert smtp.docmd("DATA")[0] == 354
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        smtp.send(stuffed + b".\r\n")
        assert smtp.getreply()[0] == 250


def test_a_message_larger_than_30_mb_is_taken_and_60_mib_is_announced(
    standin: StandInProcess,
) -> None:
    message = PLAIN + (b"y" * 76 + b"\r\n") * 420_000
    with smtplib.SMTP(*standin.primary, timeout=60) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == str(60 * 1024 * 1024)
        smtp.sendmail("a@b.example", ["vlad@acme.example"], message)
    assert standin.eml("vlad@acme.example") == [message]


def test_the_null_sender_and_addresses_outside_ascii_are_taken(
    used_standin: StandInProcess,
) -> None:
    send(used_standin.primary, PLAIN, sender="")
    send(used_standin.primary, PLAIN, "jörg@acme.example", options=("SMTPUTF8", "BODY=8BITMIME"))
    newest, oldest = used_standin.control.messages(limit=2)
    assert oldest.mail_from == ""
    assert newest.rcpt_to == "jörg@acme.example"
    assert newest.mail_from == "a@b.example"


def test_stopped_means_refused_and_started_means_accepted(standin: StandInProcess) -> None:
    before = standin.control.status().primary
    assert before.up

    stopped = standin.control.stop().primary
    assert not stopped.up
    assert stopped.since > before.since
    with pytest.raises(ConnectionRefusedError):
        send(standin.primary, PLAIN)
    assert standin.control.stop().primary == stopped

    started = standin.control.start().primary
    assert started.up
    assert started.port == before.port
    send(standin.primary, PLAIN)
    assert standin.control.start().primary.since == started.since
    assert standin.control.status().primary.kept == 1


def test_stopping_hangs_up_on_sessions_that_are_open(used_standin: StandInProcess) -> None:
    with smtplib.SMTP(*used_standin.primary, timeout=20) as smtp:
        smtp.ehlo()
        used_standin.control.stop()
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
            smtp.docmd("NOOP")
        smtp.close()


def test_the_outside_stays_up_and_keeps_its_mail_apart(standin: StandInProcess) -> None:
    standin.control.stop()
    send(standin.outside, PLAIN, "hanna.berg@brightwater.example")
    assert standin.eml("hanna.berg@brightwater.example", "outside") == [PLAIN]
    assert standin.control.messages("primary") == []
    (kept,) = standin.control.messages("outside")
    assert kept.rcpt_to == "hanna.berg@brightwater.example"


def test_a_restart_keeps_the_mail_and_the_stopped_state(standin: StandInProcess) -> None:
    send(standin.primary, PLAIN)
    standin.control.set_mode(Mode.REFUSE)
    stopped = standin.control.stop()

    standin.restart()

    assert standin.control.status().primary == stopped.primary
    with pytest.raises(ConnectionRefusedError):
        send(standin.primary, PLAIN)
    standin.control.start()
    standin.control.set_mode(Mode.NORMAL)
    send(standin.primary, PLAIN)
    assert [mail.subject for mail in standin.control.messages()] == ["Hello", "Hello"]


def test_refuse_asks_to_come_back_and_reject_refuses_for_good(standin: StandInProcess) -> None:
    standin.control.set_mode(Mode.REFUSE)
    with pytest.raises(smtplib.SMTPSenderRefused) as later:
        send(standin.primary, PLAIN)
    assert later.value.smtp_code == 451

    standin.control.set_mode(Mode.REJECT)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as never:
        send(standin.primary, PLAIN)
    assert never.value.recipients["vlad@acme.example"][0] == 550
    assert standin.control.status().primary.kept == 0


def test_slow_answers_late_and_stopping_meanwhile_keeps_nothing(standin: StandInProcess) -> None:
    standin.control.set_mode(Mode.SLOW, slow_seconds=0.05)
    send(standin.primary, PLAIN)
    assert standin.control.status().primary.kept == 1

    standin.control.set_mode(Mode.SLOW, slow_seconds=600)
    lost: list[Exception] = []
    sender = threading.Thread(target=_remember_error, args=(standin.primary, lost))
    sender.start()
    sender.join(0.3)
    assert sender.is_alive()
    standin.control.stop()
    sender.join(20)
    assert isinstance(lost[0], smtplib.SMTPServerDisconnected | ConnectionResetError)
    assert standin.control.status().primary.kept == 1


def _remember_error(to: tuple[str, int], errors: list[Exception]) -> None:
    try:
        send(to, PLAIN)
    except (smtplib.SMTPException, OSError) as error:
        errors.append(error)


def test_trouble_with_the_folder_is_a_451_that_says_nothing(standin: StandInProcess) -> None:
    folder = standin.keep / "primary" / "vlad@acme.example"
    folder.write_text("a file where a folder is needed")
    with pytest.raises(smtplib.SMTPDataError) as error:
        send(standin.primary, PLAIN)
    assert error.value.smtp_code == 451
    assert b"vlad" not in error.value.smtp_error
    folder.unlink()
    send(standin.primary, PLAIN)
    assert standin.eml("vlad@acme.example") == [PLAIN]


def test_the_list_decodes_subjects_and_counts_received_lines(used_standin: StandInProcess) -> None:
    head = b"Received: from x by y; Tue, 24 Nov 2026 10:58:07 +0000\r\n"
    message = (
        head + head + b"Subject: =?utf-8?b?UsO8Y2tmcmFnZQ==?=\r\nFrom: H <h@b.example>\r\n\r\n"
    )
    send(used_standin.primary, message)
    send(used_standin.primary, b"Subject: =?nonsense?q?x=FF?= \xff\r\n\r\n")
    broken, kept = used_standin.control.messages(limit=2)
    assert (kept.subject, kept.sender, kept.received_lines) == ("Rückfrage", "H <h@b.example>", 2)
    assert broken.received_lines == 0


def test_nothing_on_disk_is_readable_by_others(used_standin: StandInProcess) -> None:
    send(used_standin.primary, PLAIN)
    used_standin.control.stop()
    for path in (used_standin.socket, used_standin.keep, *used_standin.keep.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize("address", ["../../etc/passwd", ".", "..", ".x@y", "a/b@c", "ü@x" * 90])
def test_a_hostile_address_names_a_folder_inside_the_shelf(tmp_path: Path, address: str) -> None:
    name = folder_name(address)
    assert (tmp_path / name).resolve().parent == tmp_path.resolve()
    assert not name.startswith(".")
    (tmp_path / name).mkdir()


def test_control_refuses_what_it_does_not_know(used_standin: StandInProcess) -> None:
    with pytest.raises(StandInRefused):
        used_standin.control.octets("../../standin")
    with pytest.raises(StandInRefused):
        used_standin.control.set_mode(Mode.SLOW, slow_seconds=-1)
    with pytest.raises(StandInGone):
        StandInControl(used_standin.folder / "nobody.sock").status()


def test_starting_on_a_port_that_was_taken_meanwhile_says_so(used_standin: StandInProcess) -> None:
    used_standin.control.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(used_standin.primary)
        other.listen()
        with pytest.raises(StandInRefused, match="cannot be opened"):
            used_standin.control.start()
        assert not used_standin.control.status().primary.up
    assert used_standin.control.start().primary.up


def test_a_port_in_use_ends_with_one_line(used_standin: StandInProcess, tmp_path: Path) -> None:
    taken = "{}:{}".format(*used_standin.primary)
    command = [sys.executable, "-m", "app.demo.standin_main", "--primary", taken]
    command += ["--outside", "127.0.0.1:0", "--control", str(tmp_path / "c"), "--keep"]
    command.append(str(tmp_path / "k"))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 3  # trying again would not help
    assert taken in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_data_folder_too_long_for_a_socket_gets_a_private_one_elsewhere(tmp_path: Path) -> None:
    assert control_socket(Path("/data")) == Path("/data/standin.sock")
    long = tmp_path / ("x" * 120)
    path = control_socket(long)
    assert len(str(path)) < 107
    assert path == control_socket(long)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.rmdir()
