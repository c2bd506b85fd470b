"""Reading messages from .eml files, mbox files and Maildirs.

SMTP lines end with CR LF (RFC 5321 section 2.3.8); files on Unix often have LF
alone. A file without a single CR LF is taken to be such a file and given them;
anything else is kept octet for octet.
"""

import mailbox
from pathlib import Path

from app.cli.output import Failed


def read_messages(path: Path) -> list[bytes]:
    """All messages found at `path`, in order."""
    if not path.exists():
        raise Failed(f"{path} does not exist")
    if path.is_dir() and (path / "cur").is_dir():
        return [smtp_lines(octets) for octets in _of_mailbox(mailbox.Maildir(path, create=False))]
    if path.is_dir():
        files = sorted(path.glob("*.eml"))
        if not files:
            raise Failed(f"{path} holds no .eml files and is no Maildir")
        return [smtp_lines(file.read_bytes()) for file in files]
    octets = path.read_bytes()
    if octets.startswith(b"From "):
        return [smtp_lines(one) for one in _of_mailbox(mailbox.mbox(path, create=False))]
    return [smtp_lines(octets)]


def smtp_lines(octets: bytes) -> bytes:
    """Give a Unix file the line ends of SMTP."""
    if b"\r\n" in octets:
        return octets
    return octets.replace(b"\n", b"\r\n")


def _of_mailbox(box: "mailbox.mbox | mailbox.Maildir") -> list[bytes]:
    try:
        return [box.get_bytes(key) for key in box.iterkeys()]
    finally:
        box.close()
