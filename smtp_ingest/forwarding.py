"""XCLIENT and XFORWARD, as Postfix defines them (its XCLIENT_README and XFORWARD_README).

Both are a list of NAME=value with values in xtext. XCLIENT puts another client in the place of
the one that is connected: its address is judged and written into the Received line. XFORWARD only
tells where the mail came from: that goes to the mail log, and nothing is decided by it. Which host
may say so is decided before (`smtp_ingest.trust`).

Refused is raised for whatever Postfix would not take either.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address

from smtp_ingest import replies, xtext
from smtp_ingest.commands import Refused

XCLIENT_NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO")
XFORWARD_NAMES = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
UNKNOWN_ADDRESS = "unknown"  # in the place of a client's address that its proxy does not know

MAX_VALUE = 255

_UNKNOWN = frozenset({"[UNAVAILABLE]", "[TEMPUNAVAIL]"})
_ODD = re.compile(r"[^!-~]")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class ClientOverride:
    """What XCLIENT gave; None: not given."""

    client_ip: str | None = None
    client_port: int | None = None
    helo: str | None = None
    extended: bool = False  # greeted by EHLO


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a mail came from before the server that sends it to us. Empty: not known."""

    client_name: str = ""
    client_ip: str = ""
    client_port: int = 0
    protocol: str = ""
    helo: str = ""
    queue_id: str = ""  # the name of the mail at the server that sends it to us
    local: bool = False  # it was not received from the network


def parse_xclient(argument: str) -> ClientOverride:
    """Read what follows XCLIENT."""
    values = _attributes(argument, XCLIENT_NAMES)
    address, port, helo = values.get("ADDR"), values.get("PORT"), values.get("HELO")
    return ClientOverride(
        client_ip=None if address is None else _address(address) or UNKNOWN_ADDRESS,
        client_port=None if port is None else _port(port),
        helo=helo or None,
        extended=_protocol(values.get("PROTO", "")) == "ESMTP",
    )


def parse_xforward(argument: str, origin: Origin) -> Origin:
    """Read what follows XFORWARD; it adds to what an earlier one gave."""
    for name, value in _attributes(argument, XFORWARD_NAMES).items():
        match name:
            case "NAME":
                origin = replace(origin, client_name=value)
            case "ADDR":
                origin = replace(origin, client_ip=_address(value))
            case "PORT":
                origin = replace(origin, client_port=_port(value))
            case "PROTO":
                origin = replace(origin, protocol=_protocol(value))
            case "HELO":
                origin = replace(origin, helo=value)
            case "IDENT":
                origin = replace(origin, queue_id=value)
            case _:
                origin = replace(origin, local=_is_local(value))
    return origin


def _attributes(argument: str, known: tuple[str, ...]) -> Mapping[str, str]:
    """Decoded values by name; one that the sender does not know is ""."""
    values: dict[str, str] = {}
    for word in filter(None, argument.split(" ")):
        written, equals, value = word.partition("=")
        name = written.upper()
        if not equals or name not in known or name in values:
            raise Refused(replies.BAD_ARGUMENT)
        values[name] = _decoded(value)
    if not values:
        raise Refused(replies.BAD_ARGUMENT)
    return values


def _decoded(value: str) -> str:
    """A name that a client gave the other server may hold anything: only its plain part is kept."""
    try:
        text = xtext.decoded(value).decode("latin-1")
    except ValueError:
        raise Refused(replies.BAD_ARGUMENT) from None
    if not text:
        raise Refused(replies.BAD_ARGUMENT)
    return "" if text.upper() in _UNKNOWN else _ODD.sub("?", text[:MAX_VALUE])


def _address(value: str) -> str:
    bare = value[5:] if value[:5].upper() == "IPV6:" else value
    if not bare:
        return ""
    try:
        address = ip_address(bare)
    except ValueError:
        raise Refused(replies.BAD_ARGUMENT) from None
    if (address.version == 6) is (bare is value) or "%" in bare:
        raise Refused(replies.BAD_ARGUMENT)
    return str(address)


def _port(value: str) -> int:
    if not value:
        return 0
    if not _PORT.fullmatch(value) or int(value) > 65_535:
        raise Refused(replies.BAD_ARGUMENT)
    return int(value)


def _protocol(value: str) -> str:
    if value.upper() not in ("", "SMTP", "ESMTP"):
        raise Refused(replies.BAD_ARGUMENT)
    return value.upper()


def _is_local(value: str) -> bool:
    if value.upper() not in ("", "LOCAL", "REMOTE"):
        raise Refused(replies.BAD_ARGUMENT)
    return value.upper() == "LOCAL"
