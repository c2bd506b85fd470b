"""Pictures from outside: a message's frame with them, and each of them by an address of ours.

Somebody asks for them, for one message and once: a form with the session's token; or has chosen to
see those of its sender always, who is proven (`reading.picture_senders`). In that frame alone each
picture has an address that holds its own one sealed, under a key of the session and bound to person
and message. So it tells nothing, and nobody can have us fetch what no message named to them. What
cannot be had is a grey picture of our own.
"""

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from app.secret import Secret
from app.viewer import Viewer
from app.views import FolderName, SafeDocument
from app.web import keeping
from app.web.access import Reader
from app.web.cookies import session_token
from app.web.csrf import PostedForm, text
from app.web.deps import services_of
from app.web.frame import FRAME_CSP, policy_with
from app.web.mailbox import Here
from app.web.message import EntryId, Found, sought
from app.web.origin import own_origin
from app.web.render import path_to, speech_for

router = APIRouter()
NONCE: Final = 12
NOT_THERE: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="64" viewBox="0 0 96 64">'
    '<path fill="#e4e4e7" d="M0 0h96v64H0z"/><path fill="none" stroke="#71717a" stroke-width="2" '
    'd="M36 22h24v20H36zM36 38l8-7 6 5 4-3 6 5M34 45l28-26"/></svg>'
)
PICTURE_POLICY: Final = "default-src 'none'; sandbox"
Sealed = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,24000}$")]


@router.get("/mail/{folder}/{entry_id}/body", name="body")
def body(
    request: Request, folder: FolderName, entry_id: EntryId, visit: Reader, found: Found = ""
) -> Response:
    services = services_of(request)
    if keeping.is_on(request, visit):
        keeping.may_keep(request, services.reading.leaves_at(visit.viewer, entry_id))
    if services.pictures and services.picture_senders.shows_in(visit.viewer, entry_id):
        return with_pictures(request, folder, entry_id, visit.viewer, found)
    safe = services.reading.body_html(visit.viewer, entry_id, sought(request, found))
    return document(request, safe, FRAME_CSP)


@router.post("/mail/{folder}/{entry_id}/body", name="body_with_pictures")
def body_with_pictures(
    request: Request,
    folder: FolderName,
    entry_id: EntryId,
    visit: Reader,
    form: PostedForm,
    found: Found = "",
) -> Response:
    if services_of(request).pictures is None:
        raise HTTPException(404)
    return with_pictures(request, folder, entry_id, visit.viewer, found)


@router.post("/mail/{folder}/{entry_id}/pictures", name="choose_pictures")
def choose_pictures(
    request: Request, place: Here, entry_id: EntryId, visit: Reader, form: PostedForm
) -> Response:
    senders = services_of(request).picture_senders
    if text(form, "do") == "always":
        senders.choose(visit.viewer, entry_id)
    else:
        senders.refuse(visit.viewer, entry_id)
    path = path_to(request.app, "message", folder=place.folder, entry_id=entry_id)
    return RedirectResponse(path + place.query(), status_code=303)


@router.post("/settings/pictures", name="refuse_pictures")
def refuse_pictures(request: Request, visit: Reader, form: PostedForm) -> Response:
    services_of(request).picture_senders.refuse_all(visit.viewer)
    return RedirectResponse(path_to(request.app, "settings"), status_code=303)


def with_pictures(
    request: Request, folder: str, entry_id: str, viewer: Viewer, found: str
) -> Response:
    place = own_origin(request) + path_to(
        request.app, "picture", folder=folder, entry_id=entry_id, sealed="x"
    ).removesuffix("x")
    seal = partial(sealed_address, _key(request), _place(viewer, entry_id))
    safe = services_of(request).reading.body_html(
        viewer, entry_id, sought(request, found), lambda url: place + seal(url)
    )
    return document(request, safe, policy_with(place))


def document(request: Request, safe: SafeDocument, policy: str) -> Response:
    headers = {"Content-Security-Policy": policy}
    said = safe.said(speech_for(request).say)
    return Response(said, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/mail/{folder}/{entry_id}/pictures/{sealed}", name="picture")
async def picture(
    request: Request, folder: FolderName, entry_id: EntryId, sealed: Sealed, visit: Reader
) -> Response:
    services = services_of(request)
    await run_in_threadpool(services.reading.check, visit.viewer, entry_id)
    url = address_in(_key(request), _place(visit.viewer, entry_id), sealed)
    found = None
    if services.pictures is not None and url:
        found = await services.pictures.picture(url, visit.viewer.user.id)
    headers = {"Content-Security-Policy": PICTURE_POLICY}
    if found is None:
        return Response(NOT_THERE, media_type="image/svg+xml", headers=headers)
    return Response(found.octets, media_type=found.media_type, headers=headers)


def sealed_address(key: bytes, place: bytes, url: str) -> str:
    """The address of a picture as it stands in ours."""
    nonce = os.urandom(NONCE)
    sealed = AESGCM(key).encrypt(nonce, url.encode(errors="replace"), place)
    return urlsafe_b64encode(nonce + sealed).decode().rstrip("=")


def address_in(key: bytes, place: bytes, sealed: str) -> str | None:
    """Undo `sealed_address`; None for what this session did not seal for this place."""
    try:
        octets = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return AESGCM(key).decrypt(octets[:NONCE], octets[NONCE:], place).decode()
    except (ValueError, InvalidTag):
        return None


def _key(request: Request) -> bytes:
    session = session_token(request) or Secret("")  # the guard has seen that there is one
    return hmac.digest(session.reveal().encode(), b"livearchive picture v1", hashlib.sha256)


def _place(viewer: Viewer, entry_id: str) -> bytes:
    return viewer.user.id + entry_id.encode()  # of fixed lengths both
