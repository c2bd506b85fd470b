"""The parameters of MAIL and RCPT that ask for reports of delivery (RFC 3461 section 4).

Each reader takes the value of one parameter and returns it as the next server is to get it: words
in upper case, xtext as it was. What is malformed raises ValueError. Decoded texts are printable
ASCII: they end up in the header of a report.
"""

import re

from smtp_ingest import xtext

MAX_ENVELOPE_ID = 100  # section 4.4
MAX_ORIGINAL = 500  # section 4.2
_WORDS = ("SUCCESS", "FAILURE", "DELAY")
_PRINTABLE = re.compile(rb"[ -~]+")
_TYPE = re.compile(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
# RFC 6533 section 3: utf-8-addr-xtext and utf-8-addr-unitext
_UTF8_ADDRESS = re.compile(r"(?:[!-*,-<>-\[\]-~]|\\x\{[0-9A-F]{2,6}\}|[^\x00-\x7f])+")


def read_ret(value: str) -> str:
    """RET of MAIL: FULL or HDRS."""
    if value.upper() not in ("FULL", "HDRS"):
        raise ValueError("RET")
    return value.upper()


def read_envid(value: str) -> str:
    """ENVID of MAIL."""
    if len(value) > MAX_ENVELOPE_ID or not _PRINTABLE.fullmatch(xtext.decoded(value)):
        raise ValueError("ENVID")
    return value


def read_notify(value: str) -> str:
    """NOTIFY of RCPT: NEVER alone, or any of the others, each once."""
    words = value.upper().split(",")
    if words != ["NEVER"] and (len(set(words)) < len(words) or not set(words) <= set(_WORDS)):
        raise ValueError("NOTIFY")
    return ",".join(words)


def read_orcpt(value: str) -> str:
    """ORCPT of RCPT: the recipient that the sender had written, before anybody rewrote it."""
    kind, semicolon, address = value.partition(";")
    if not (semicolon and _TYPE.fullmatch(kind)) or len(value) > MAX_ORIGINAL:
        raise ValueError("ORCPT")
    if kind.lower() == "utf-8":
        if not _UTF8_ADDRESS.fullmatch(address) or not address.isprintable():
            raise ValueError("ORCPT")
    elif not _PRINTABLE.fullmatch(xtext.decoded(address)):
        raise ValueError("ORCPT")
    return value
