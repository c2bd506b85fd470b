"""Every failure becomes a page that says what to do, and nothing of the inside.

401 and 403 are told apart from 404 only for what the person may know: a wrong
role and somebody else's id are both "not here". `NotSignedIn` leads a reader to
the log-in page. The unforeseen is logged by the server and shown as 500.
"""

from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from app.file_views import FilesLocked, FileState, FilesUnchecked
from app.login_views import NotConfirmed
from app.phrase import Phrase, phrase
from app.web.render import render
from archive_store.errors import (
    FrameBroken,
    NotFound,
    SealBroken,
    StoreError,
    StoreFull,
    TooMany,
)


class NotSignedIn(Exception):
    """Nobody, or a session that ended."""


class Confined(Exception):
    """Somebody who has still to give, or to set up, a second factor."""


@dataclass(frozen=True, slots=True)
class Words:
    """What an error page says: what happened, what it means, what to do."""

    title: Phrase
    text: Phrase
    icon: str = "circle-alert"


NOT_HERE = Words(
    phrase("This page is not here"),
    phrase(
        "It may have left after its days, been deleted, or never been yours to see. "
        "Check the address, or begin again."
    ),
    "search",
)
WORDS: dict[int, Words] = {
    400: Words(
        phrase("That did not arrive whole"), phrase("Go back, load the page again, and repeat it.")
    ),
    401: Words(
        phrase("You are signed out"),
        phrase("A session ends when it was not used for a while. Sign in, then do it again."),
    ),
    403: Words(
        phrase("This did not come from a page of LiveArchive"),
        phrase("To protect you, nothing was done. Go back, load the page again, and repeat it."),
        "shield-alert",
    ),
    404: NOT_HERE,
    405: NOT_HERE,
    413: Words(
        phrase("That is too large"),
        phrase(
            "A message may be 25 MB with its attachments. Go back, take a file out, and send "
            "again; what you wrote is still there."
        ),
        "paperclip",
    ),
    429: Words(
        phrase("Too many attempts"),
        phrase(
            "Wait a little, then try again. Signing in from a device you have used before still "
            "works."
        ),
        "clock",
    ),
    500: Words(
        phrase("Something failed on our side"),
        phrase(
            "Nothing you had was lost. Try again; if it fails again, tell your help desk the time."
        ),
    ),
    503: Words(
        phrase("The archive does not answer"),
        phrase(
            "Your mail is safe on disk, and new mail waits at its sender. Try again in a minute."
        ),
        "server",
    ),
}
DAMAGED = Words(
    phrase("What is kept here is damaged"),
    phrase(
        "It was damaged or changed on disk, so nothing of it is handed out. Tell your help desk "
        "the time below; everything else is not affected."
    ),
    "shield-alert",
)
TOO_MUCH_AT_ONCE = Words(
    phrase("That was too much for one minute"),
    phrase(
        "Held mail is opened, and searched for, only so often in a minute, so that whoever gets "
        "hold of a session cannot empty a hold. Wait a minute, then go on."
    ),
    "clock",
)
FULL = Words(
    phrase("The archive's disk is full"),
    phrase(
        "This could not be written down, so it was not done. No mail is lost: what is here stays, "
        "and new mail waits at its sender. Tell your help desk; it works again as soon as there "
        "is room."
    ),
    "server",
)
LOCKED = Words(
    phrase("This file is locked"),
    phrase(
        "A virus was found in the message that it came with, so none of its files is given to "
        "anybody. The text can be read. If you need the file, tell your help desk; do not ask the "
        "sender to send it in another way."
    ),
    "lock",
)
UNCHECKED: dict[str, Words] = {
    FileState.UNCHECKED: Words(
        phrase("This file is not checked yet"),
        phrase(
            "The virus scanner does not answer just now. Wait a minute and try again, or take the "
            "file as it is, if you expected it and know who sent it."
        ),
        "shield-alert",
    ),
    FileState.LARGE: Words(
        phrase("This file was not checked"),
        phrase(
            "The message is larger than what the virus scanner looks at. Take the file as it is "
            "only if you expected it and know who sent it."
        ),
        "shield-alert",
    ),
}
OUT_WHILE_WRITING = Words(
    phrase("You are signed out"),
    phrase(
        "Nothing was sent, and nothing you wrote is lost: sign in, which opens a page of its own, "
        "then come back to this one and load it again."
    ),
    "lock",
)
WRITING = "/compose/"
GO_BACK = frozenset({400, 403, 413})  # what was typed is on the page before; no button leads there
PROOF_LEADS = (("/admin/", "people"), ("/settings/login", "methods"))  # elsewhere: the settings
RETRY_SECONDS = 30
WINDOW_SECONDS = 60  # of `keys.pace`


def error_page(
    request: Request, status: int, words: Words | None = None, anyway: str = ""
) -> HTMLResponse:
    """The page for a status; an unlisted one is told as 400 or 500. `anyway`: where to go on."""
    said = words or WORDS.get(status) or WORDS[500 if status >= 500 else 400]
    context = {
        "words": said,
        "status": status,
        "go_back": status in GO_BACK,
        "aside": said is OUT_WHILE_WRITING,
        "anyway": anyway,
    }
    return render(request, "error.html", context, status=status)


def not_signed_in(request: Request, _: Exception) -> Response:
    if request.headers.get("accept") == "text/event-stream":
        # A stream ends for good with 204 (HTML, section 9.2); its page then asks what happened.
        return Response(status_code=204)
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(request.app.url_path_for("login"), status_code=303)
    writing = request.url.path.startswith(WRITING)
    return error_page(request, 401, OUT_WHILE_WRITING if writing else None)


def confined(request: Request, error: Exception) -> Response:
    """To where the second factor is set up; what is posted is not done."""
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(request.app.url_path_for("methods"), status_code=303)
    return not_signed_in(request, error)


def http_error(request: Request, error: Exception) -> Response:
    return error_page(request, error.status_code if isinstance(error, HTTPException) else 500)


def bad_request(request: Request, _: Exception) -> Response:
    """A path or a field that no page of ours makes: to a reader, it is not here."""
    return error_page(request, 404 if request.method == "GET" else 400)


def not_found(request: Request, _: Exception) -> Response:
    return error_page(request, 404)


def damaged(request: Request, _: Exception) -> Response:
    return error_page(request, 500, DAMAGED)


def locked(request: Request, _: Exception) -> Response:
    return error_page(request, 403, LOCKED)


def unchecked(request: Request, error: Exception) -> Response:
    """The warning before a file that nobody has looked at; its link takes the file."""
    said = UNCHECKED[error.state if isinstance(error, FilesUnchecked) else FileState.UNCHECKED]
    return error_page(request, 409, said, anyway=f"{request.url.path}?unchecked=yes")


def too_many(request: Request, _: Exception) -> Response:
    page = error_page(request, 429, TOO_MUCH_AT_ONCE)
    page.headers["Retry-After"] = str(WINDOW_SECONDS)
    return page


def store_error(request: Request, error: Exception) -> Response:
    page = error_page(request, 503, FULL if isinstance(error, StoreFull) else None)
    page.headers["Retry-After"] = str(RETRY_SECONDS)
    return page


def not_confirmed(request: Request, error: Exception) -> Response:
    """Ask for the proof; what was asked for has to be asked for again."""
    path = request.url.path
    after = next((after for start, after in PROOF_LEADS if path.startswith(start)), "settings")
    return RedirectResponse(f"{request.app.url_path_for('confirm')}?after={after}", status_code=303)


def install(app: FastAPI) -> None:
    app.add_exception_handler(NotSignedIn, not_signed_in)
    app.add_exception_handler(Confined, confined)
    app.add_exception_handler(NotConfirmed, not_confirmed)
    app.add_exception_handler(NotFound, not_found)
    app.add_exception_handler(SealBroken, damaged)
    app.add_exception_handler(FrameBroken, damaged)
    app.add_exception_handler(FilesLocked, locked)
    app.add_exception_handler(FilesUnchecked, unchecked)
    app.add_exception_handler(TooMany, too_many)
    app.add_exception_handler(StoreError, store_error)
    app.add_exception_handler(RequestValidationError, bad_request)
    app.add_exception_handler(HTTPException, http_error)
