"""What somebody looked for, kept in their own browser so that no address of a page holds it.

A search is posted, remembered in an HttpOnly cookie under a short random key, and
answered by a redirect to a page named by that key. So going back, reloading and
turning pages work, and neither a log, nor the history, nor a referrer has a word
of mail. The last few are kept, for a quarter of an hour.
"""

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fastapi import Request, Response

from app.web import cookies

COOKIE = "find"
KEEP = 4
SECONDS = 15 * 60
LONGEST = 600  # characters of one field
COOKIE_LIMIT = 3500  # browsers refuse more than 4096 with name and attributes

Fields = dict[str, str]


def _load(request: Request) -> dict[str, Fields]:
    value = request.cookies.get(cookies.cookie_name(request, COOKIE), "")
    try:
        kept = json.loads(urlsafe_b64decode(value.encode()))
    except ValueError:
        return {}
    if not isinstance(kept, dict):
        return {}
    return {
        key: {str(name): str(text) for name, text in fields.items()}
        for key, fields in kept.items()
        if isinstance(fields, dict)
    }


def remember(request: Request, fields: Fields) -> tuple[str, str]:
    """A new key for what was asked, and the value of the cookie that holds it."""
    key = secrets.token_urlsafe(6)
    kept = _load(request)
    kept[key] = {name: text[:LONGEST] for name, text in fields.items()}
    while True:
        # Other letters as they are: escaped, LONGEST of them would not fit.
        value = urlsafe_b64encode(json.dumps(kept, ensure_ascii=False).encode()).decode()
        if (len(value) <= COOKIE_LIMIT and len(kept) <= KEEP) or len(kept) == 1:
            return key, value
        del kept[next(iter(kept))]  # the oldest: a dict keeps its order


def set_remembered(request: Request, response: Response, value: str) -> None:
    cookies.set_private(request, response, COOKIE, value, SECONDS)


def recall(request: Request, key: str) -> Fields | None:
    """What was asked under a key; None when it is no longer known."""
    return _load(request).get(key)
