"""SMTP replies: codes of RFC 5321 section 4.2, enhanced status codes of RFC 3463.

Every reply that this package gives is a constant here, with the section that asks for it. A
`Reply` is one line; its text is printable ASCII and never quotes what the client sent.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TEXT = re.compile(r"[ -~]{0,400}")  # a reply line has at most 512 octets (4.5.3.1.5)
_ENHANCED = re.compile(r"(?:[245]\.\d{1,3}\.\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `enhanced` is empty where RFC 2034 wants none (greeting, HELO, 354)."""

    code: int
    enhanced: str
    text: str

    def __post_init__(self) -> None:
        if not (200 <= self.code <= 599 and _ENHANCED.fullmatch(self.enhanced)):
            raise ValueError("a reply needs a code of 200 to 599 and an RFC 3463 status")
        if self.enhanced and int(self.enhanced[0]) != self.code // 100:
            raise ValueError("code and enhanced status of a reply must have the same first digit")
        if not _TEXT.fullmatch(self.text):
            raise ValueError("the text of a reply is one line of printable ASCII")

    @property
    def accepts(self) -> bool:
        """Positive completion: for a mail it means that we have taken it."""
        return self.code < 300

    @property
    def refuses(self) -> bool:
        """Not now (4xx) or never (5xx)."""
        return self.code >= 400

    @property
    def octets(self) -> bytes:
        """The line as it goes on the wire."""
        return self._line(" ")

    def continued(self) -> bytes:
        """The line when more lines of the same reply follow (4.2.1)."""
        return self._line("-")

    def _line(self, separator: str) -> bytes:
        status = f"{self.enhanced} " if self.enhanced else ""
        return f"{self.code}{separator}{status}{self.text}\r\n".encode("ascii")


def joined(replies: Sequence[Reply]) -> bytes:
    """One reply of several lines; all have the code of the first (4.2.1)."""
    *others, last = replies
    return b"".join(reply.continued() for reply in others) + last.octets


# Positive
OK = Reply(250, "2.0.0", "Ok")  # 4.1.1.5 RSET, 4.1.1.9 NOOP
SENDER_OK = Reply(250, "2.1.0", "Sender ok")  # 4.1.1.2
RECIPIENT_OK = Reply(250, "2.1.5", "Recipient ok")  # 4.1.1.3
ACCEPTED = Reply(250, "2.0.0", "Ok: accepted")  # 4.1.1.4: we are responsible for it now (6.1)
CHUNK_OK = Reply(250, "2.0.0", "Ok: chunk received")  # RFC 3030 section 2
BYE = Reply(221, "2.0.0", "Bye")  # 4.1.1.10
CANNOT_VRFY = Reply(252, "2.5.0", "Cannot verify, but will take mail for it")  # 3.5.3, 7.3
AUTHENTICATED = Reply(235, "2.7.0", "Authentication succeeded")  # RFC 4954 section 6
START_MAIL = Reply(354, "", "End data with <CR><LF>.<CR><LF>")  # 4.1.1.4
READY_FOR_TLS = Reply(220, "2.0.0", "Ready to start TLS")  # RFC 3207 section 4

# The client's command is wrong
UNKNOWN_COMMAND = Reply(500, "5.5.2", "Command not recognized")  # 4.2.4
BAD_LINE = Reply(500, "5.5.2", "A line ends in CR LF and holds no control characters")  # 2.3.8
LINE_TOO_LONG = Reply(500, "5.5.2", "Line too long")  # 4.5.3.1.9
WRONG_GREETING_LMTP = Reply(500, "5.5.1", "This is LMTP: send LHLO")  # RFC 2033 section 4.1
WRONG_GREETING_SMTP = Reply(500, "5.5.1", "This is SMTP: send EHLO")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")  # 4.2.4
BAD_ARGUMENT = Reply(501, "5.5.4", "Syntax error in the argument")  # 4.2.2
BAD_CHUNK = Reply(521, "5.5.4", "BDAT without a size; closing")  # RFC 3030 section 2
NO_ARGUMENT_ALLOWED = Reply(501, "5.5.4", "This command takes no argument")  # 4.1.1
BAD_SENDER = Reply(501, "5.1.7", "Bad sender address syntax")  # RFC 3463 X.1.7
BAD_RECIPIENT = Reply(501, "5.1.3", "Bad recipient address syntax")  # RFC 3463 X.1.3
UNKNOWN_PARAMETER = Reply(555, "5.5.4", "Parameter not recognized")  # 4.1.1.11
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "Address needs SMTPUTF8")  # RFC 6531 section 3.5
GREET_FIRST = Reply(503, "5.5.1", "Say hello first")  # 4.1.4
MAIL_FIRST = Reply(503, "5.5.1", "Send MAIL first")  # 4.1.4
NESTED_MAIL = Reply(503, "5.5.1", "A sender was given already")  # 4.1.4
RECIPIENT_FIRST = Reply(503, "5.5.1", "No valid recipient")  # 4.1.4; RFC 2033 section 4.2
IN_TRANSACTION = Reply(503, "5.5.1", "Not while a mail is under way")  # 4.1.4
ALREADY_TLS = Reply(503, "5.5.1", "TLS is active already")  # RFC 3207 section 4.2
UNKNOWN_MECHANISM = Reply(504, "5.5.4", "Mechanism not recognized")  # RFC 4954 section 4
BAD_AUTH = Reply(501, "5.5.2", "Cannot decode this")  # RFC 4954 section 4
AUTH_CANCELLED = Reply(501, "5.7.0", "Authentication cancelled")  # RFC 4954 section 4
ALREADY_AUTH = Reply(503, "5.5.1", "Authenticated already")  # RFC 4954 section 4
AUTH_NEEDS_TLS = Reply(538, "5.7.11", "Start TLS first")  # RFC 4954 section 6
BAD_CREDENTIALS = Reply(535, "5.7.8", "Authentication credentials invalid")  # RFC 4954 section 6
AUTH_FIRST = Reply(530, "5.7.0", "Authentication required")  # RFC 4954 section 6
NOT_AUTHORIZED = Reply(550, "5.7.0", "Your host is not listed for this command")  # XCLIENT_README

# The mail is wrong
TOO_LARGE = Reply(552, "5.3.4", "Message is larger than SIZE allows")  # RFC 1870 section 6
BARE_NEWLINE = Reply(550, "5.5.2", "Message has a bare CR, a bare LF or a NUL")  # 2.3.8
LOOP = Reply(554, "5.4.6", "Too many Received lines: this mail is in a loop")  # 6.3

# Not now: the sender keeps the mail and tries again
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients; send the others anew")  # 4.5.3.1.10
NO_ROOM = Reply(452, "4.3.1", "Too much mail at once; try again soon")  # RFC 3463 X.3.1
AUTH_LATER = Reply(454, "4.7.0", "Cannot check a password now; try again")  # RFC 4954 section 6
LOCAL_ERROR = Reply(451, "4.3.0", "Local error; try again later")  # RFC 3463 X.3.0
TOO_MANY_SESSIONS = Reply(421, "4.3.2", "Too many sessions; try again soon")  # 3.8
TOO_MANY_FROM_PEER = Reply(421, "4.7.0", "Too many sessions from your address")  # 3.8
TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors; closing")  # 3.8, 7.8
NOT_SMTP = Reply(421, "4.7.0", "This is not SMTP; closing")  # 7.8
TIMED_OUT = Reply(421, "4.4.2", "Timed out; closing")  # 4.5.3.2
CLOSING = Reply(421, "4.3.0", "Local error; closing")  # 3.8
SHUTTING_DOWN = Reply(421, "4.3.2", "Shutting down; try again soon")  # 3.8
