"""Sending the sample mail to a real SMTP server: patient, once, and going on where it stopped."""

import json
import logging
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

import pytest

from app.demo.standin import Mode
from app.demo.traffic.batch import first_batch
from app.demo.traffic.drip import drip_letter
from app.demo.traffic.postman import NOTES, Notes, Plan, Postman, run_traffic
from tests.app.demo.conftest import ROOT, StandInProcess

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PATIENCE = 20  # seconds until a test gives up, never reached


def plan(standin: StandInProcess, data: Path, most: int = 0) -> Plan:
    return Plan(standin.primary, data, pace=(0.0, 0.0), most=most)


def test_the_first_batch_arrives_as_it_was_written_and_only_once(
    standin: StandInProcess, tmp_path: Path
) -> None:
    run_traffic(plan(standin, tmp_path), Event(), lambda: NOW)
    batch = first_batch(NOW)
    expected = sorted(letter.octets for letter in batch for _ in letter.rcpt_to)
    kept = standin.control.messages(limit=200)
    assert sorted(standin.control.octets(mail.id) for mail in kept) == expected

    run_traffic(plan(standin, tmp_path), Event(), lambda: NOW)
    assert standin.control.status().primary.kept == len(expected)


def test_the_stream_goes_on_after_a_restart(standin: StandInProcess, tmp_path: Path) -> None:
    Notes(tmp_path / NOTES, batch_done=True).save()
    run_traffic(plan(standin, tmp_path, most=2), Event(), lambda: NOW)
    run_traffic(plan(standin, tmp_path, most=2), Event(), lambda: NOW)
    kept = reversed(standin.control.messages())
    sent = [drip_letter("harbour", number, NOW) for number in range(4)]
    assert [standin.control.octets(mail.id) for mail in kept] == [
        letter.octets for letter in sent for _ in letter.rcpt_to
    ]


def test_an_interrupted_batch_is_finished_without_repeating(
    standin: StandInProcess, tmp_path: Path
) -> None:
    batch = first_batch(NOW)
    Notes(tmp_path / NOTES, batch={letter.name for letter in batch[:-2]}).save()
    run_traffic(plan(standin, tmp_path), Event(), lambda: NOW)
    kept = reversed(standin.control.messages())
    assert [mail.message_id for mail in kept] == [
        letter.message_id for letter in batch[-2:] for _ in letter.rcpt_to
    ]
    assert Notes.open(tmp_path).batch_done


def test_the_notes_say_nothing_of_the_mail(standin: StandInProcess, tmp_path: Path) -> None:
    run_traffic(plan(standin, tmp_path, most=1), Event(), lambda: NOW)
    notes = (tmp_path / NOTES).read_text()
    assert set(json.loads(notes)) == {"batch", "batch_done", "stream"}
    for word in ("@", "Hanna", "Purchase", "Invoice 20"):
        assert word not in notes


def test_broken_notes_count_as_none(tmp_path: Path) -> None:
    (tmp_path / NOTES).write_text("{nonsense")
    assert Notes.open(tmp_path) == Notes(tmp_path / NOTES)


def deliver_in_a_thread(postman: Postman, taken: list[bool]) -> Thread:
    letter = drip_letter("harbour", 0, NOW)
    thread = Thread(target=lambda: taken.append(postman.deliver(letter)))
    thread.start()
    return thread


@pytest.mark.parametrize("trouble", ["stopped", "refuse"])
def test_a_letter_waits_for_a_server_that_is_down_or_says_later(
    standin: StandInProcess, trouble: str
) -> None:
    if trouble == "stopped":
        standin.control.stop()
    else:
        standin.control.set_mode(Mode.REFUSE)
    taken: list[bool] = []
    thread = deliver_in_a_thread(Postman(standin.primary, Event()), taken)
    thread.join(0.3)
    assert thread.is_alive()
    standin.control.start()
    standin.control.set_mode(Mode.NORMAL)
    thread.join(PATIENCE)
    assert taken == [True]
    assert len(standin.control.messages()) == len(drip_letter("harbour", 0, NOW).rcpt_to)


def test_waiting_ends_at_once_when_told_to_stop(standin: StandInProcess) -> None:
    standin.control.stop()
    stop, taken = Event(), list[bool]()
    thread = deliver_in_a_thread(Postman(standin.primary, stop), taken)
    thread.join(0.2)
    stop.set()
    thread.join(PATIENCE)
    assert taken == [False]


def test_a_final_refusal_is_not_repeated_and_logged_without_addresses(
    standin: StandInProcess, caplog: pytest.LogCaptureFixture
) -> None:
    standin.control.set_mode(Mode.REJECT)
    with caplog.at_level(logging.WARNING):
        assert Postman(standin.primary, Event()).deliver(drip_letter("harbour", 0, NOW))
    assert "550" in caplog.text
    assert "@" not in caplog.text


def test_the_process_sends_and_ends_with_0_when_asked(
    standin: StandInProcess, tmp_path: Path
) -> None:
    Notes(tmp_path / NOTES, batch_done=True).save()
    command = [sys.executable, "-m", "app.demo.traffic_main", "--data", str(tmp_path)]
    command += ["--smtp", "{}:{}".format(*standin.primary), "--pace", "0-0"]
    done = subprocess.run([*command, "--most", "1"], cwd=ROOT, check=False, timeout=60)
    assert done.returncode == 0
    assert standin.control.status().primary.kept >= 1

    standin.control.stop()
    with subprocess.Popen(command, cwd=ROOT) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
