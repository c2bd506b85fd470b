"""The cookies of the site, and how each is set.

`__Host-la` (over https; `la` on plain http) holds the session token: HttpOnly,
SameSite=Lax, until the browser closes. `look` holds theme, density, language and view,
`tz` the name of the reader's time zone, set by a script; both say nothing of anybody. Over https
all of them have the prefix, so that no sibling host sets one.
`device` is what a browser is known by to those who have logged in there, for a year; `step` is
of a log-in that waits for its second half.
"""

import secrets
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Final

from fastapi import Request, Response

from app.languages import LANGUAGES
from app.secret import Secret
from app.web.deps import services_of

THEMES: Final = ("auto", "light", "dark")
DENSITIES: Final = ("comfortable", "compact")
VIEWS: Final = ("messages", "conversations")
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
    """How the reader wants it."""

    theme: str = "auto"
    density: str = "comfortable"
    language: str = ""  # its tag; empty: as the browser asks
    view: str = "messages"

    def __str__(self) -> str:
        return f"{self.theme}.{self.density}.{self.language}.{self.view}"


def read_look(request: Request) -> Look:
    kept = request.cookies.get(cookie_name(request, LOOK), "")
    chosen = (*kept.split("."), "", "", "", "")
    return look_of(*chosen[:4])


def look_of(theme: str, density: str, language: str, view: str) -> Look:
    """What was chosen; what there is not becomes what is usual."""
    return Look(
        theme if theme in THEMES else THEMES[0],
        density if density in DENSITIES else DENSITIES[0],
        language if language in LANGUAGES else "",
        view if view in VIEWS else VIEWS[0],
    )


def set_look(request: Request, response: Response, look: Look) -> None:
    set_private(request, response, LOOK, str(look), YEAR_SECONDS)


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def read_zone(request: Request) -> tzinfo:
    """The reader's time zone; UTC until a script has told it."""
    name = request.cookies.get(cookie_name(request, ZONE), "")
    return zoneinfo.ZoneInfo(name) if name in _zone_names() else UTC
