"""Sends the sample mail through the real SMTP port, as the outside world would (RFC 5321).

A letter is sent again until it is taken: refused connections, dropped ones and 4xx replies mean
later; a 5xx means never, and is logged by the letter's name and the reply's code only. What was
taken is noted in `<data>/demo-traffic.json`, which has names of letters and nothing of their text,
so that the first batch comes once, and the stream goes on where it stopped. As with any sender, a
crash between a 250 and the note sends that one letter again. Seconds.
"""

import json
import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event

from app.demo.traffic.batch import first_batch
from app.demo.traffic.dice import seeded
from app.demo.traffic.drip import drip_letter
from app.demo.traffic.letter import Letter
from archive_store.clock import utc_now
from archive_store.durable import replace_file

log = logging.getLogger(__name__)

NOTES = "demo-traffic.json"
TIMEOUT = 30.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
HELO = "mx.sample-traffic.example"
TRANSIENT = range(400, 500)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the mail goes, and how fast."""

    smtp: tuple[str, int]
    data_dir: Path
    seed: str = "harbour"
    pace: tuple[float, float] = (20.0, 60.0)  # between two letters of the stream
    most: int | None = None  # letters of the stream in this run; None: no end


@dataclass(slots=True)
class Notes:
    """What was sent, on disk. A file that cannot be understood counts as none."""

    path: Path
    batch: set[str] = field(default_factory=set)
    batch_done: bool = False
    stream: int = 0  # letters of the stream, ever

    @classmethod
    def open(cls, data_dir: Path) -> "Notes":
        path = data_dir / NOTES
        try:
            found = json.loads(path.read_bytes())
            return cls(path, set(found["batch"]), bool(found["batch_done"]), int(found["stream"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return cls(path)

    def save(self) -> None:
        facts = {
            "batch": sorted(self.batch),
            "batch_done": self.batch_done,
            "stream": self.stream,
        }
        replace_file(self.path, json.dumps(facts).encode())


class Postman:
    """Delivers letters, patiently, until `stop` is set."""

    def __init__(self, smtp: tuple[str, int], stop: Event) -> None:
        self._smtp = smtp
        self._stop = stop

    def deliver(self, letter: Letter) -> bool:
        """Send until it was taken or refused for good; False when told to stop before that."""
        wait, waiting = FIRST_WAIT, list(letter.rcpt_to)
        while not self._stop.is_set():
            waiting = self._attempt(letter, waiting)
            if not waiting:
                return True
            self._stop.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)
        return False

    def _attempt(self, letter: Letter, recipients: list[str]) -> list[str]:
        """Try once; returns the recipients to try again later."""
        try:
            with smtplib.SMTP(*self._smtp, local_hostname=HELO, timeout=TIMEOUT) as smtp:
                smtp.ehlo()
                options = ["BODY=8BITMIME"] if smtp.has_extn("8bitmime") else []
                refused = smtp.sendmail(letter.mail_from, recipients, letter.octets, options)
        except smtplib.SMTPRecipientsRefused as error:
            refused = error.recipients
        except smtplib.SMTPResponseException as error:
            refused = dict.fromkeys(recipients, (error.smtp_code, b""))
        except (OSError, smtplib.SMTPException):
            return recipients  # nobody there, or they hung up
        final = {code for code, _ in refused.values() if code not in TRANSIENT}
        if final:
            log.warning("sample mail %s was refused: %s", letter.name, sorted(final))
        return [address for address, (code, _) in refused.items() if code in TRANSIENT]


def run_traffic(plan: Plan, stop: Event, now: Callable[[], datetime] = utc_now) -> None:
    """Send the first batch unless it was sent before, then the stream, until `stop` is set."""
    notes = Notes.open(plan.data_dir)
    postman = Postman(plan.smtp, stop)
    if not notes.batch_done:
        _send_batch(postman, notes, now())
    random = seeded(f"{plan.seed} pace {notes.stream}")
    end = None if plan.most is None else notes.stream + plan.most
    while notes.batch_done and notes.stream != end:
        if stop.wait(random.uniform(*plan.pace)):
            return
        if not postman.deliver(drip_letter(plan.seed, notes.stream, now())):
            return
        notes.stream += 1
        notes.save()


def _send_batch(postman: Postman, notes: Notes, now: datetime) -> None:
    for letter in first_batch(now):
        if letter.name in notes.batch:
            continue
        if not postman.deliver(letter):
            return
        notes.batch.add(letter.name)
        notes.save()
    notes.batch_done = True
    notes.save()
