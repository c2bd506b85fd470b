"""What an answer takes over from the message it answers. Pure; what it reads is hostile text.

Prefixes of subjects are not doubled, whatever language they were put there in. Text is
quoted with "> "; the signature of the sender is not quoted.
"""

import re
from datetime import datetime

from app.sending.flowing import SIGNATURE
from app.views import Quoting
from archive_store.mime.html_text import html_to_text
from archive_store.mime.values import Address, ParsedMessage

QUOTED_CHARACTERS = 100_000
LONGEST_SUBJECT = 500
CUT = "[…]"
FORWARDED = "---------- Forwarded message ----------"
_NUMBER = r"(?:\[\d{1,3}\]|\(\d{1,3}\))?"
# English and Italian, German, Scandinavian, Dutch, French, Polish, Hungarian, Portuguese and
# Spanish, Turkish, Finnish, Indonesian, Welsh, Greek, Chinese, Hebrew, Arabic.
_ANSWER = re.compile(
    r"(?:re|r|rif|aw|antw|antwort|sv|ré|réf|odp|odpov|vá|res|resp|ynt|bls|ats|απ|σχετ"
    rf"|回复|回覆|答复|返信|השב|رد)\s*{_NUMBER}\s*[:：]\s*",
    re.IGNORECASE,
)
_FORWARD = re.compile(
    r"(?:fwd?|fw|wg|vs|vb|vl|doorst|tr|i|pd|továbbítás|enc|rv|ilt|trs|yml|πρθ|转发|轉寄|転送"
    r"|הועבר|إعادة توجيه)"
    rf"\s*{_NUMBER}\s*[:：]\s*",
    re.IGNORECASE,
)
MONTHS = (
    "January February March April May June July August September October November December".split()
)


def answer_subject(subject: str) -> str:
    """ "Re: ..." once."""
    return "Re: " + _without(_ANSWER, subject)


def forward_subject(subject: str) -> str:
    """ "Fwd: ..." once."""
    return "Fwd: " + _without(_FORWARD, subject)


def attribution(parsed: ParsedMessage, received_at: datetime) -> str:
    """The line above a quote."""
    who = _spoken(parsed.sender) or "Somebody"
    return f"On {_written(parsed.date or received_at)}, {who} wrote:"


def forward_head(parsed: ParsedMessage, received_at: datetime) -> list[str]:
    """The lines above what is forwarded."""
    fields = (
        ("From", _spoken(parsed.sender)),
        ("Date", _written(parsed.date or received_at)),
        ("Subject", parsed.subject),
        ("To", ", ".join(map(_spoken, parsed.to))),
        ("Cc", ", ".join(map(_spoken, parsed.cc))),
    )
    said = [f"{name}: {value}" for name, value in fields if value]
    return [FORWARDED, *said]


def quoted_answer(parsed: ParsedMessage, received_at: datetime) -> str:
    """Who wrote when, and what."""
    lines = (_quoted(line) for line in _without_signature(body_text(parsed)).split("\n"))
    return f"{attribution(parsed, received_at)}\n\n" + "\n".join(lines)


def forwarded(parsed: ParsedMessage, received_at: datetime) -> str:
    """The header of a message, and its whole text."""
    head = "\n".join(forward_head(parsed, received_at))
    return f"{head}\n\n{body_text(parsed)}"


def sheet(quoted: str, signature: str, quoting: Quoting) -> str:
    """The text that a sheet begins with: room to write, the signature, and what is quoted."""
    signed = f"{SIGNATURE}\n{signature}\n" if signature else ""
    quoted = quoted.strip("\n")
    if not quoted:
        return f"\n\n{signed}" if signed else ""
    if quoting == "above":
        return "\n\n".join(filter(None, (quoted, signed))) if signed else f"{quoted}\n\n"
    return f"\n\n{signed}\n\n{quoted}\n" if signed else f"\n\n{quoted}\n"


def body_text(parsed: ParsedMessage) -> str:
    """The text of a message, made from its HTML when it has no other; cut where it is huge."""
    text = parsed.text or ""
    if not text.strip() and parsed.html:
        text = html_to_text(parsed.html, QUOTED_CHARACTERS)
    if len(text) > QUOTED_CHARACTERS:
        text = f"{text[:QUOTED_CHARACTERS]}\n{CUT}"
    return text.strip("\n")


def _without(prefix: re.Pattern[str], subject: str) -> str:
    subject = subject.strip()[:LONGEST_SUBJECT]
    while found := prefix.match(subject):
        subject = subject[found.end() :]
    return subject


def _without_signature(text: str) -> str:
    head, separator, after = text.rpartition(f"\n{SIGNATURE}\n")
    # Some write above what they quote, with the signature between: that is no end.
    return head if separator and "\n>" not in after else text


def _quoted(line: str) -> str:
    line = line.rstrip()
    if not line:
        return ">"
    return ">" + line if line.startswith(">") else "> " + line


def _spoken(one: Address | None) -> str:
    if one is None:
        return ""
    if not one.name or one.name == one.address:
        return one.address
    return f"{one.name} <{one.address}>" if one.address else one.name


def _written(moment: datetime) -> str:
    """The zone of the reader is unknown here, so the time says its own."""
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year} at {moment:%H:%M} UTC"
