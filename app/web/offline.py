"""Reading without a line: the worker of the browser, its page, and the switch for it.

What may be kept at all is said by `keeping`, with each answer. The worker is one small script of
this path, since a worker's path is its reach; it names the static files of this release, so that
a new release is a new worker.
"""

import json

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.web import keeping
from app.web.access import Anyone, QuietReader, Reader
from app.web.csrf import PostedForm, text, texts
from app.web.deps import services_of
from app.web.render import path_to, render
from app.web.statics import StaticFiles

router = APIRouter()
MOST_ASKED = 1_000  # messages of which a browser asks whether they are still there
WORKER_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def worker_text(statics: StaticFiles, days: int) -> str:
    """The worker's script."""
    shell = {
        "digest": statics.digest,
        "days": days,
        "files": [statics.path(name) for name in statics.names if not name.startswith("vendor/")],
    }
    script = statics.path("js/offline/worker.js")
    return f'import {{ serve }} from "{script}";\nserve({json.dumps(shell)});\n'


@router.get("/worker.js", dependencies=[Anyone], name="worker")
def worker(request: Request) -> Response:
    script = worker_text(request.app.state.statics, services_of(request).config.keep_days)
    headers = {"Content-Security-Policy": WORKER_POLICY}
    return Response(script, media_type="text/javascript; charset=utf-8", headers=headers)


@router.get("/offline", dependencies=[Anyone], name="offline")
def offline(request: Request) -> Response:
    """The page that a browser shows without a line; there is nothing of anybody in it."""
    return render(request, "offline.html", {})


@router.get("/offline/write", dependencies=[Anyone], name="offline_write")
def offline_write(request: Request) -> Response:
    """Likewise, to write into the outbox of the device."""
    return render(request, "offline_write.html", {})


@router.post("/offline/gone", name="offline_gone")
def gone(request: Request, visit: QuietReader, form: PostedForm) -> JSONResponse:
    """Which of these messages a browser must not keep: what is deleted, or is over."""
    asked = texts(form, "ids")[:MOST_ASKED]
    there = services_of(request).reading.still_there(visit.viewer, asked)
    return JSONResponse({"gone": [one for one in asked if one not in there]})


@router.post("/settings/offline", name="set_offline")
def set_offline(request: Request, visit: Reader, form: PostedForm) -> Response:
    on = text(form, "offline") == "on"
    if on and not keeping.is_allowed(request, visit):
        raise HTTPException(404)
    response = RedirectResponse(path_to(request.app, "settings") + "#offline", status_code=303)
    keeping.switch(request, response, visit.viewer, on)
    return response
