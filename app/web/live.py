"""New mail by itself: a stream of server-sent events (HTML, section 9.2) for each open page.

An event has no content, only a name: the page then asks for its list as anybody would. A stream
keeps no session alive. `X-Accel-Buffering` tells nginx to pass each event on at once; a comment
every twenty seconds keeps proxies from taking a quiet stream for a dead one.
"""

import random
from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from app.viewer import Viewer
from app.views import News
from app.web.access import QuietReader, SignedIn
from app.web.deps import LiveService, services_of

router = APIRouter()
HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
COME_BACK = (2_000, 8_000)  # ms; apart from each other when a restart ended all streams at once


@router.get("/live", name="live")
async def live(request: Request, visit: QuietReader) -> Response:
    service = services_of(request).live
    if not service.has_room(visit.viewer):
        raise HTTPException(429)
    events = stream(service, visit.viewer)
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


async def stream(service: LiveService, viewer: Viewer) -> AsyncGenerator[str]:
    """The events as they are sent. `data` is there because an event without it is not heard.

    From `ready` on no change is missed: the page then looks whether it is as old as it thinks.
    """
    yield f"retry: {random.randint(*COME_BACK)}\n\n"  # noqa: S311 nothing secret
    async with aclosing(service.listen(viewer)) as news:
        await anext(news)
        yield "event: ready\ndata:\n\n"
        async for word in news:
            yield ":\n\n" if word is News.QUIET else f"event: {word}\ndata:\n\n"


@router.get("/alive", name="alive")
def alive(visit: SignedIn) -> Response:
    """Says that somebody is there and writes; the answer is whether the session still lives."""
    return Response(status_code=204)
