"""One sentence about what was just done, carried over the redirect in a cookie.

It holds ids and, for a sent message, the sentence the sender got: HttpOnly, for
one minute, dropped by the first page that shows it. Nothing in it is trusted:
undoing sends the ids through the same door as any other request.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from fastapi import Request, Response

from app.web import cookies

COOKIE = "done"
SECONDS = 60
TAKE_BACK = "take_back"  # an undoing that has a door of its own (`outbox`)
MOST_IDS = 60  # a cookie holds no more; beyond, the sentence stands without an undo


@dataclass(frozen=True, slots=True)
class Flash:
    """`kind` chooses the sentence; `undo` done to `ids`, from `folder`, takes it back."""

    kind: str
    count: int = 0
    text: str = ""
    undo: str = ""
    folder: str = ""
    ids: tuple[str, ...] = ()


def put(request: Request, response: Response, flash: Flash) -> None:
    few = len(flash.ids) <= MOST_IDS
    undo, ids = (flash.undo, flash.ids) if few else ("", ())
    value = json.dumps([flash.kind, flash.count, flash.text, undo, flash.folder, ids])
    encoded = urlsafe_b64encode(value.encode()).decode()
    cookies.set_private(request, response, COOKIE, encoded, SECONDS)


def take(request: Request) -> Flash | None:
    """What the last request left; whoever renders it calls `clear` on the response."""
    value = request.cookies.get(cookies.cookie_name(request, COOKIE), "")
    if not value:
        return None
    try:
        kind, count, *rest, ids = json.loads(urlsafe_b64decode(value.encode()))
        text, undo, folder = map(str, rest)
        return Flash(str(kind), int(count), text, undo, folder, tuple(map(str, ids)))
    except (ValueError, TypeError):
        return None


def clear(request: Request, response: Response) -> None:
    cookies.drop(request, response, COOKIE)
