"""A folder as a list: tabs, pages, the identity it was sent to, and what is done to many at once.

The list is one form, so everything works without a script. What was done leads
back to the list, with a sentence and, where it can be, its undoing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from app.viewer import Viewer
from app.views import FolderName, FolderPage, RowFilter, Sidebar
from app.web import flash, keeping
from app.web.access import QuietReader, Reader
from app.web.cookies import read_look
from app.web.csrf import PostedForm, text
from app.web.dates import by_day
from app.web.deeds import perform, read_deed, widened
from app.web.deps import services_of
from app.web.render import clock_of, mail_page, path_to

router = APIRouter()
NEVER_GROUPED = frozenset({"drafts", "trash"})  # each of these is a thing of its own


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a folder somebody is: kept in every link that leads around in it.

    `to` is the place of an identity in the side bar, from 1: an address in a URL
    would end up in histories and logs.
    """

    folder: FolderName
    filter: RowFilter = "all"
    page: int = 1
    to: int = 0

    def query(self, **changed: object) -> str:
        """The query for a link from here; what is as usual is left out."""
        usual = {"filter": "all", "page": 1, "to": 0}
        now = {"filter": self.filter, "page": self.page, "to": self.to} | changed
        kept = {name: value for name, value in now.items() if value != usual[name]}
        return "?" + urlencode(kept) if kept else ""


def find_place(
    folder: FolderName,
    filter: RowFilter = "all",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
    to: Annotated[int, Query(ge=0, le=1000)] = 0,
) -> Place:
    return Place(folder, filter, page, to)


Here = Annotated[Place, Depends(find_place)]


def sent_to(sidebar: Sidebar, place: Place) -> str:
    """The identity's address that a place names."""
    if not place.to:
        return ""
    if place.to > len(sidebar.identities):
        raise HTTPException(404)
    return sidebar.identities[place.to - 1][0]


def is_grouped(request: Request, folder: FolderName) -> bool:
    """Whether a folder is shown as conversations."""
    return folder not in NEVER_GROUPED and read_look(request).view == "conversations"


def list_context(request: Request, viewer: Viewer, place: Place) -> dict[str, Any]:
    """What the list of a folder shows, alone or beside a message."""
    services = services_of(request)
    reading = services.reading
    sidebar = reading.counts(viewer)
    grouped = is_grouped(request, place.folder)
    list_rows = reading.list_conversations if grouped else reading.list_folder
    listed = list_rows(
        viewer, place.folder, page=place.page, filter=place.filter, to=sent_to(sidebar, place)
    )
    return {
        "sidebar": sidebar,
        "place": place,
        "folder": place.folder,
        "list": listed,
        "grouped": grouped,
        "groups": list(
            by_day(clock_of(request), listed.rows, timedelta(days=services.config.keep_days))
        ),
        "first": first_number(listed),
        "pulse": pulse_of(sidebar, place.folder),
    }


def first_number(listed: FolderPage) -> int:
    """The number of the first row on the page, as in "51-100 of 186"."""
    if not listed.rows:
        return 0
    if listed.page >= listed.pages:
        return listed.total - len(listed.rows) + 1
    return (listed.page - 1) * len(listed.rows) + 1


def pulse_of(sidebar: Sidebar, folder: str) -> str:
    """Changes when mail comes or goes; says nothing else."""
    today = sidebar.week[-1][1] if sidebar.week else 0
    return f"{sidebar.folders.get(folder, 0)}-{today}"


@router.get("/mail/{folder}", name="folder")
def folder(request: Request, place: Here, visit: Reader) -> Response:
    context = list_context(request, visit.viewer, place)
    services = services_of(request)
    keeping.may_keep(request, services.now() + timedelta(days=services.config.keep_days))
    return mail_page(request, visit, "mail/list.html", context)


@router.get("/mail/{folder}/pulse", name="pulse")
def pulse(request: Request, folder: FolderName, visit: QuietReader) -> JSONResponse:
    sidebar = services_of(request).reading.counts(visit.viewer)
    return JSONResponse(
        {"pulse": pulse_of(sidebar, folder), "unread": sidebar.folders.get(folder, 0)}
    )


@router.post("/mail/{folder}", name="act")
def act(request: Request, place: Here, visit: Reader, form: PostedForm) -> Response:
    reading = services_of(request).reading
    deed = widened(reading, visit.viewer, read_deed(form), place.folder)
    if deed.is_final(place.folder) and not text(form, "sure"):
        held = services_of(request).holds.held_since(visit.viewer) is not None
        context = {"folder": place.folder, "place": place, "deed": deed, "held": held}
        return mail_page(request, visit, "mail/sure.html", context)
    done = perform(reading, visit.viewer, deed, place.folder)
    back = path_to(request.app, "folder", folder=place.folder) + place.query()
    response = RedirectResponse(back, status_code=303)
    flash.put(request, response, done)
    return response
