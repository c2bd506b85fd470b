"""Journal reports as Microsoft documents them: Exchange 2007 and later, Microsoft 365, 2003."""

import base64
import binascii
from collections.abc import Sequence

ORIGINAL = (
    b"Received: from mail.remote.example (192.0.2.5) by ex1.acme.example\r\n"
    b"From: Ann Berg <ann@remote.example>\r\n"
    b"To: <vlad@acme.example>\r\n"
    b"Cc: All of us <all@acme.example>\r\n"
    b"Subject: =?utf-8?Q?Tr=C3=A4ume?=\r\n"
    b"Message-ID: <1@remote.example>\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/alternative; boundary="inner"\r\n\r\n'
    b"--inner\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
    b"--inner\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--inner--\r\n"
)

LINES = (
    "Sender: ann@remote.example",
    "Subject: Träume",
    "Message-Id: <1@remote.example>",
    "To: vlad@acme.example",
    "Cc: maria@acme.example, Expanded: all@acme.example",
    "Bcc: audit@acme.example",
)

PROTECTED = (
    b"From: Ann Berg <ann@remote.example>\r\nSubject: secret\r\n"
    b"Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\ndugEYMShr4Y=\r\n"
)


def attached(message: bytes, encoding: str = "") -> bytes:
    """A part with a mail, in the transfer encoding that the sender chose."""
    body = message
    if encoding == "base64":
        body = base64.encodebytes(message).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    elif encoding == "quoted-printable":
        body = binascii.b2a_qp(message, istext=False).replace(b"=\n", b"=\r\n")
    named = f"Content-Transfer-Encoding: {encoding}\r\n".encode() if encoding else b""
    return b"Content-Type: message/rfc822\r\n" + named + b"\r\n" + body


def envelope(lines: Sequence[str] = LINES, encoding: str = "") -> bytes:
    """The part with the envelope."""
    text = "".join(f"{line}\r\n" for line in lines).encode()
    head = b'Content-Type: text/plain; charset="utf-8"\r\n'
    if encoding == "base64":
        head += b"Content-Transfer-Encoding: base64\r\n"
        text = base64.encodebytes(text).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        head += b"Content-Transfer-Encoding: quoted-printable\r\n"
        text = binascii.b2a_qp(text, istext=False).replace(b"=\n", b"=\r\n")
    return head + b"\r\n" + text


def whole(*parts: bytes, mark: str = "X-MS-Journal-Report:", end: bool = True) -> bytes:
    """A report of these parts."""
    head = (
        "From: Microsoft Outlook <MicrosoftExchange@acme.example>\r\n"
        "To: <journal@journal.acme.example>\r\n"
        "Subject: =?utf-8?Q?Tr=C3=A4ume?=\r\n"
        "Message-ID: <report-1@journal.report.generator>\r\n"
        f"{mark}\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="_77b1-report"\r\n\r\n'
    ).encode()
    body = b"".join(b"--_77b1-report\r\n" + part + b"\r\n" for part in parts)
    return head + body + (b"--_77b1-report--\r\n" if end else b"")


def report(message: bytes = ORIGINAL, lines: Sequence[str] = LINES, encoding: str = "") -> bytes:
    """A report of one mail."""
    return whole(envelope(lines), attached(message, encoding))


def of_2003(message: bytes = ORIGINAL) -> bytes:
    """The form of Exchange 2003: one list, names in front of addresses."""
    lines = (
        'Sender: "Ann Berg" <ann@remote.example>',
        "Message-ID: <1@remote.example>",
        "Recipients:",
        '"Vlad Mazek" <vlad@acme.example>',
        "maria@acme.example",
        "",
    )
    return whole(envelope(lines), attached(message), mark="Content-Identifer: ExJournalReport")
