"""AUTH with PLAIN and LOGIN (RFC 4954, RFC 4616), for upstreams that have a name and a password.

Only under TLS: both send the password itself. An `Exchange` reads what the client says after AUTH,
line by line, until it has name and password, or refuses. Who may log in is not known here
(`ports.LoginCheck`).
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import TypeAlias

from smtp_ingest import replies
from smtp_ingest.commands import Refused
from smtp_ingest.replies import Reply

MECHANISMS = ("PLAIN", "LOGIN")
_LONGEST = 255  # octets of a name or a password (RFC 4616 section 2)
_EMPTY = Reply(334, "", "")
# What everybody sends and nobody reads: "Username:" and "Password:".
_ASK_NAME = Reply(334, "", "VXNlcm5hbWU6")
_ASK_PASSWORD = Reply(334, "", "UGFzc3dvcmQ6")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client claims."""

    name: str
    password: str = field(repr=False)


Step: TypeAlias = Reply | Credentials  # the next challenge, or the end


class Exchange:
    """One AUTH from its command to its last line."""

    def __init__(self, mechanism: str) -> None:
        if mechanism not in MECHANISMS:
            raise Refused(replies.UNKNOWN_MECHANISM)
        self._plain = mechanism == "PLAIN"
        self._name: str | None = None

    def begin(self, initial: str) -> Step:
        """What follows the mechanism in the command itself, if anything."""
        if initial:
            # "=" is an answer without any octets (RFC 4954 section 4).
            return self.hear("" if initial == "=" else initial)
        return _EMPTY if self._plain else _ASK_NAME

    def hear(self, line: str) -> Step:
        """The client's next line. Raises Refused."""
        if line == "*":
            raise Refused(replies.AUTH_CANCELLED)
        text = _decoded(line)
        if self._plain:
            return _read_plain(text)
        if self._name is None:
            self._name = _usable(text)
            return _ASK_PASSWORD
        return Credentials(self._name, _usable(text))


def _read_plain(text: str) -> Credentials:
    authority, separator, rest = text.partition("\0")
    name, another, password = rest.partition("\0")
    if not separator or not another or "\0" in password:
        raise Refused(replies.BAD_AUTH)
    if authority not in ("", name):  # nobody acts for another here
        raise Refused(replies.BAD_CREDENTIALS)
    return Credentials(_usable(name), _usable(password))


def _decoded(line: str) -> str:
    try:
        return base64.b64decode(line.encode("ascii"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError):
        raise Refused(replies.BAD_AUTH) from None


def _usable(text: str) -> str:
    if not text or "\0" in text or len(text.encode()) > _LONGEST:
        raise Refused(replies.BAD_AUTH)
    return text
