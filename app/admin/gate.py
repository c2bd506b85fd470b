"""In front of every use case of the administration.

The wrong role, another's domain and an id that is not there look alike to the person:
NotFound. The first of them is written into the trail. What a form holds that cannot be
taken becomes BadEntry beside its field.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from app import audit
from app.accounts.errors import Forbidden, Invalid, Taken, Unknown, sentence
from app.accounts.passwords import PasswordsBusy
from app.accounts.permissions import Permission, allows
from app.audit.events import AccessRefused
from app.phrase import phrase
from app.viewer import Viewer
from app.views import BadEntry
from archive_store import ids
from archive_store.db import Database
from archive_store.errors import NotFound, StoreBusy

ELSEWHERE = phrase("Only your service provider can change where mail goes.")


class Gate:
    """Lets through, or records and refuses."""

    def __init__(self, db: Database, now: Callable[[], datetime]) -> None:
        self._db = db
        self._now = now

    def require(self, viewer: Viewer, permission: Permission, domain_id: bytes | None) -> None:
        """Raise NotFound unless the viewer's role allows it there."""
        if not allows(viewer.user, permission, domain_id):
            raise self._refused(viewer, permission)

    @contextmanager
    def guarded(self, viewer: Viewer, taken: str = "name") -> Iterator[None]:
        """Around a use case of `accounts`, outside of its transaction: its errors in the terms
        of the pages. `taken` is the field whose value can belong to somebody else.
        """
        try:
            yield
        except Forbidden as error:
            refused = self._refused(viewer, error.permission)
            if error.permission == Permission.ROUTE_DOMAIN:
                raise BadEntry("relay", ELSEWHERE) from error
            raise refused from error
        except Unknown as error:
            raise NotFound("not here") from error
        except Taken as error:
            raise BadEntry(taken, sentence(error.message)) from error
        except Invalid as error:
            raise BadEntry(error.field.replace("-", "_"), sentence(error.message)) from error
        except PasswordsBusy as error:
            raise StoreBusy("too many passwords are being checked") from error

    def _refused(self, viewer: Viewer, permission: str) -> NotFound:
        event = AccessRefused(permission=permission)
        with self._db.write() as tx:
            trail = viewer.user.domain_id
            audit.record(tx, event, trail=trail, actor=viewer.actor, at=self._now())
        return NotFound("not here")


def read_id(shown: str) -> bytes:
    """An id from outside; what is none names nothing."""
    try:
        return ids.read(shown)
    except ids.BadId:
        raise NotFound("not here") from None
