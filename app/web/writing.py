"""A person's own settings for writing: signatures, plain or rich text, where the quote stands."""

from typing import cast, get_args

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from app.views import BadEntry, Habits, Quoting
from app.web import account
from app.web.access import Reader
from app.web.csrf import PostedForm, text
from app.web.deps import services_of

router = APIRouter()
SIGNATURE = "signature-"  # and the id of an identity: the name of its field


@router.post("/settings/writing", name="set_writing")
def set_writing(request: Request, visit: Reader, form: PostedForm) -> Response:
    try:
        services_of(request).habits.set_habits(visit.viewer, habits_in(form))
    except BadEntry as problem:
        return account.show(request, visit, problem)
    return account.back(request, "writing")


def habits_in(form: FormData) -> Habits:
    """What was chosen; a nonsense choice is the usual one."""
    quoting = text(form, "quoting")
    names = [name for name in form if name.startswith(SIGNATURE)]
    return Habits(
        rich=text(form, "format") == "rich",
        quoting=cast(Quoting, quoting) if quoting in get_args(Quoting) else "below",
        signatures={name.removeprefix(SIGNATURE): text(form, name) for name in names},
    )
