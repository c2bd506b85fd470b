"""The mails that go to addresses outside: one calm sentence, never a password or a word of mail.

Pure: the same facts make the same octets. They are automatic mail (RFC 3834) from nobody.
"""

import hashlib
import textwrap
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from app.delivery.outside import What
from app.secret import Secret

_WIDTH = 76
_HOW = {
    "down": "has not answered since",
    "refusing": "has turned mail away since",
    "declared": "has been in trouble since",
}
_WHY = (
    "You get this since you gave this address in LiveArchive, to be told here when your own "
    "mail server is down. You can take it back there, under Settings."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the mails come from, and where people are to go."""

    hostname: str
    public_url: str


@dataclass(frozen=True, slots=True)
class OutsideLetter:
    """One mail."""

    to: str
    subject: str
    octets: bytes
    message_id: str


def word_of_outage(
    place: Place, to: str, told: tuple[What, str, str, datetime], name: bytes, now: datetime
) -> OutsideLetter:
    """`told`: what, the domain, the outage's state, and since when. `name` tells mails apart."""
    what, domain, state, moment = told
    since = f"{moment:%H:%M} UTC on {moment.day} {moment:%B %Y}"
    if what == "opened":
        subject = f"The mail server of {domain} is down"
        said = (
            f"The mail server of {domain} {_HOW.get(state, _HOW['declared'])} {since}; nothing "
            "is lost, and until it is back you read and answer your mail here:"
        )
    else:
        subject = f"The mail server of {domain} is back"
        said = (
            f"The mail server of {domain} is well again since {since}; what came in meanwhile "
            "is brought there, so you can go back to your usual mail, and what you did is here:"
        )
    return _letter(place, to, subject, [said, place.public_url, _WHY], (name, now))


def request(place: Place, to: str, owner: str, code: Secret, now: datetime) -> OutsideLetter:
    """Asks for a confirmation. `owner`: the person's own address."""
    said = (
        f"Somebody gave this address in LiveArchive for {owner}, to be told here when the mail "
        "server is down. If that was meant, type this code under Settings within a day:"
    )
    ignore = "If you know nothing of it, do nothing: without the code no other mail comes."
    parts = [said, code.reveal(), place.public_url, ignore]
    name = hashlib.sha256(code.reveal().encode()).digest()
    return _letter(place, to, "Confirm this address for LiveArchive", parts, (name, now))


def _letter(
    place: Place, to: str, subject: str, parts: list[str], seal: tuple[bytes, datetime]
) -> OutsideLetter:
    name, now = seal
    message_id = f"<{name.hex()[:32]}@{place.hostname}>"
    head = [
        f"From: LiveArchive <no-reply@{place.hostname}>",
        f"To: <{to}>",
        f"Subject: {subject}",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",  # RFC 3834 section 5
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ]
    body = "\n\n".join(
        textwrap.fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in parts
    )
    lines = [*head, "", *body.split("\n"), ""]
    return OutsideLetter(to, subject, "\r\n".join(lines).encode(), message_id)
