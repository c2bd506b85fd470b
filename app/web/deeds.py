"""What can be done to messages, one or many: one table for the list and for an open message.

A button's value is the verb, or "verb:id" when it belongs to one row. Everything
but deleting from the trash can be taken back, and says how.
"""

from dataclasses import dataclass

from fastapi import HTTPException
from starlette.datastructures import FormData

from app.viewer import Viewer
from app.web.csrf import text, texts
from app.web.deps import ReadingService
from app.web.flash import Flash

MOST_IDS = 500
TRASH = "trash"
FOLDERS = ("inbox", "archive", "spam", "sent")
MARKS: dict[str, dict[str, bool]] = {
    "read": {"seen": True},
    "unread": {"seen": False},
    "star": {"starred": True},
    "unstar": {"starred": False},
}
OPPOSITE = {"read": "unread", "unread": "read", "star": "unstar", "unstar": "star"}
VERBS = frozenset({"delete", "restore", *FOLDERS, *MARKS})


@dataclass(frozen=True, slots=True)
class Deed:
    """A verb and the messages it is for."""

    verb: str
    ids: tuple[str, ...]
    whole: bool = False  # for all of the conversations that these messages name

    def is_final(self, folder: str) -> bool:
        return bool(self.ids) and self.verb == "delete" and folder == TRASH


def read_deed(form: FormData, only: str = "") -> Deed:
    """What a form asks for; `only` is the message when the page is about one."""
    verb, _, one = text(form, "do").partition(":")
    if verb not in VERBS:
        raise HTTPException(400)
    ids = [one or only] if one or only else texts(form, "ids")
    if len(ids) > MOST_IDS:
        raise HTTPException(400)
    return Deed(verb, tuple(dict.fromkeys(ids)), whole=bool(text(form, "whole")))


def widened(reading: ReadingService, viewer: Viewer, deed: Deed, folder: str) -> Deed:
    """A deed with all of the messages that it is for."""
    if not deed.whole:
        return deed
    return Deed(deed.verb, reading.whole(viewer, folder, deed.ids))


def perform(reading: ReadingService, viewer: Viewer, deed: Deed, folder: str) -> Flash:
    """Do it, and say what was done. A message of somebody else's raises `NotFound`."""
    if not deed.ids:
        return Flash("nothing")
    count = len(deed.ids)
    if deed.verb in MARKS:
        reading.mark(viewer, deed.ids, **MARKS[deed.verb])
        return Flash(deed.verb, count, "", OPPOSITE[deed.verb], folder, deed.ids)
    if deed.verb == "delete" and folder == TRASH:
        reading.delete(viewer, deed.ids)
        return Flash("gone", count)
    if deed.verb == "delete":
        # Not `delete`: what is in the trash already, by an older page, must not go for good.
        reading.move(viewer, deed.ids, TRASH)
        return Flash("delete", count, "", "restore", folder, deed.ids)
    if deed.verb == "restore":
        reading.restore(viewer, deed.ids)
        return Flash("restore", count)
    reading.move(viewer, deed.ids, deed.verb)
    back = folder if folder in FOLDERS and folder != deed.verb else ""
    return Flash(f"to_{deed.verb}", count, "", back, folder, deed.ids)
