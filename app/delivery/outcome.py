"""What became of one recipient: the words of RFC 5321 section 4.2.1 as three types.

`code` is the server's reply code, or 0 where no server replied: then `text` is our own
sentence, which begins with an enhanced status code (RFC 3463) as a server's would.
Texts are one printable line of at most 500 characters; they may name a recipient,
so they are sealed wherever they are kept and never logged.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

TEXT_CHARACTERS = 500
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?= |$)")
_QUEUE_ID = re.compile(r"(?:queued as |\bid=)<?([A-Za-z0-9][A-Za-z0-9._-]{0,63})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and the host that gave it ("" when nobody was asked)."""

    code: int
    text: str
    server: str = ""

    @property
    def status(self) -> str:
        """The enhanced status code; a server without one gets the undefined one of its class."""
        found = _STATUS.match(self.text)
        return found[0] if found else f"{self.code // 100 if self.code else 4}.0.0"

    @property
    def line(self) -> str:
        """The reply as one line that a person can read."""
        return f"{self.code} {self.text}" if self.code else self.text


@dataclass(frozen=True, slots=True)
class Delivered(Answer):
    """The server has taken it and is responsible now (RFC 5321 section 6.1).

    `told`: it was told what the sender wants to hear (RFC 3461), and reports itself.
    """

    told: bool = False

    @property
    def queue_id(self) -> str:
        """The name that the server gave the mail, where its reply tells."""
        found = _QUEUE_ID.search(self.text)
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Deferred(Answer):
    """Not now; it will be tried again."""


@dataclass(frozen=True, slots=True)
class Failed(Answer):
    """Never; the sender is told."""


Outcome: TypeAlias = Delivered | Deferred | Failed
GONE = Failed(0, "5.4.7 The stored mail is gone: its days are over")


def judged(code: int, text: str, server: str) -> Outcome:
    """Sort a reply. What is no SMTP reply at all is temporary: a 5xx loses mail."""
    kinds: dict[int, type[Delivered | Deferred | Failed]] = {2: Delivered, 5: Failed}
    return kinds.get(code // 100, Deferred)(max(code, 0), readable(text), server)


def readable(text: str) -> str:
    """One printable line of what a server said: its line breaks and controls become spaces."""
    shown = "".join(c if c.isprintable() else " " for c in text[: 2 * TEXT_CHARACTERS])
    return " ".join(shown.split())[:TEXT_CHARACTERS]
