"""The cookies of the site, and how each is set.

`__Host-la` (over https; `la` on plain http) holds the session token: HttpOnly,
SameSite=Lax, until the browser closes. `look` holds how the reader wants the pages (`Look`),
`tz` the name of the browser's time zone, set by a script; both say nothing of anybody. Over https
all of them have the prefix, so that no sibling host sets one.
`device` is what a browser is known by to those who have logged in there, for a year; `step` is
of a log-in that waits for its second half.
"""

import secrets
import zoneinfo
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, tzinfo
from functools import cache
from typing import Final

from fastapi import Request, Response

from app.languages import LANGUAGES
from app.secret import Secret
from app.web.deps import services_of

# What a reader may choose of how it looks and works; beside these a language and a time zone.
CHOICES: Final = {
    "theme": ("auto", "light", "dark"),
    "density": ("comfortable", "compact"),
    "view": ("messages", "conversations"),
    "pane": ("right", "below", "off"),
    "swipe": ("delete", "archive", "off"),
    "keys": ("on", "off"),
    "searches": ("off", "on"),
}
LOOK = "look"
ZONE = "tz"
DEVICE = "device"
STEP = "step"
STEP_SECONDS = 300
YEAR_SECONDS = 365 * 24 * 3600
LONGEST_TOKEN = 200


def is_https(request: Request) -> bool:
    """Whether people reach us by https: what the operator configured, not what a peer says."""
    return services_of(request).config.public_url.startswith("https:")


def cookie_name(request: Request, name: str) -> str:
    """`__Host-` keeps a sibling host from setting the cookie; browsers want https for it."""
    return f"__Host-{name}" if is_https(request) else name


def set_private(
    request: Request, response: Response, name: str, value: str, seconds: int | None = None
) -> None:
    """Set a cookie that no script may read."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )


def drop(request: Request, response: Response, name: str) -> None:
    response.delete_cookie(
        cookie_name(request, name), secure=is_https(request), httponly=True, samesite="lax"
    )


def read_secret(request: Request, name: str) -> Secret | None:
    """One of the cookies that no script may read."""
    value = request.cookies.get(cookie_name(request, name), "")
    return Secret(value) if 0 < len(value) <= LONGEST_TOKEN else None


def session_token(request: Request) -> Secret | None:
    return read_secret(request, "la")


def set_session(request: Request, response: Response, token: Secret) -> None:
    set_private(request, response, "la", token.reveal())


def device_of(request: Request) -> Secret:
    """What this browser is known by, or will be: it is kept once a log-in succeeded."""
    return read_secret(request, DEVICE) or Secret(secrets.token_urlsafe(32))


def set_step(request: Request, response: Response, token: Secret) -> None:
    set_private(request, response, STEP, token.reveal(), STEP_SECONDS)


@dataclass(frozen=True, slots=True)
class Look:
    """How the reader wants it. Its cookie has the fields in this order, so new ones go last."""

    theme: str = "auto"
    density: str = "comfortable"
    language: str = ""  # its tag; empty: as the browser asks
    view: str = "messages"
    pane: str = "right"  # where a message is read beside its list; off: in its place
    zone: str = ""  # its name; empty: as the browser tells
    swipe: str = "delete"  # what it does towards the beginning of the line
    keys: str = "on"
    searches: str = "off"  # on: this browser remembers what was looked for

    def __str__(self) -> str:
        return ".".join(astuple(self))


def _known(name: str, value: str) -> bool:
    if name == "language":
        return not value or value in LANGUAGES
    if name == "zone":
        return not value or value in zone_names()
    return value in CHOICES.get(name, ())


def look_of(chosen: Mapping[str, str], before: Look | None = None) -> Look:
    """What was chosen; what was not, or is not to be had, is as before."""
    usual = before or Look()
    return replace(usual, **{name: value for name, value in chosen.items() if _known(name, value)})


def read_look(request: Request) -> Look:
    written = request.cookies.get(cookie_name(request, LOOK), "").split(".")
    return look_of(dict(zip((one.name for one in fields(Look)), written, strict=False)))


def set_look(request: Request, response: Response, look: Look) -> None:
    set_private(request, response, LOOK, str(look), YEAR_SECONDS)


@cache
def zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def read_zone(request: Request) -> tzinfo:
    """The reader's time zone: as chosen, else the browser's; UTC until a script has told it."""
    name = read_look(request).zone or request.cookies.get(cookie_name(request, ZONE), "")
    return zoneinfo.ZoneInfo(name) if name in zone_names() else UTC
