"""Forms of a signed-in person carry a token that only their session can make.

The second of two means: `origin.is_own_request` has already judged where the
request came from. The token is an HMAC of a fixed word under the session token,
so nothing is stored and it ends with the session. The log-in form has none:
there is no session yet whose rights could be borrowed.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from starlette.datastructures import FormData, UploadFile

from app.secret import Secret
from app.web.cookies import session_token

FIELD = "csrf"
MOST_FIELDS = 2000
MOST_FILES = 200
LONGEST_FIELD = 2 * 1024 * 1024  # octets; the text of a message is the longest


def form_token(session: Secret) -> str:
    """The token of a session's forms."""
    mac = hmac.digest(session.reveal().encode(), b"livearchive form v1", hashlib.sha256)
    return urlsafe_b64encode(mac).decode().rstrip("=")


async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The posted form, closed after use."""
    form = request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=LONGEST_FIELD)
    async with form as fields:
        yield fields


def carries_token(request: Request, form: FormData) -> bool:
    """Whether the form is of this session."""
    session = session_token(request)
    given = text(form, FIELD).encode()
    return session is not None and hmac.compare_digest(given, form_token(session).encode())


async def checked_form(request: Request, form: Annotated[FormData, Depends(read_form)]) -> FormData:
    """The posted form of a signed-in person, once its token was found right."""
    if not carries_token(request, form):
        raise HTTPException(403)
    return form


OpenForm = Annotated[FormData, Depends(read_form)]
PostedForm = Annotated[FormData, Depends(checked_form)]


def text(form: FormData, name: str) -> str:
    """A field's text with plain newlines; empty when it is missing or a file."""
    value = form.get(name, "")
    return "" if isinstance(value, UploadFile) else value.replace("\r\n", "\n")


def texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]
