"""Pages from templates: what every page knows, and what a page of mail knows besides.

Autoescape is on everywhere, an undefined name is an error, and everything printed
loses characters that hide or turn other text. Texts go through gettext calls; for
now each is its own translation.
"""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.resources import resource_dir
from app.views import Visit
from app.web import dates, flash, showing
from app.web.cookies import read_look, read_zone, session_token
from app.web.csrf import FIELD, form_token
from app.web.dates import Clock
from app.web.deps import services_of
from app.web.figures import day_bars

Context = Mapping[str, Any]
A_WEEK = 7
UNDO_ENDS = 5  # seconds before the mail leaves that its button goes


@cache
def environment() -> Environment:
    """The templates of the product, compiled once a process."""
    env = Environment(
        loader=FileSystemLoader(resource_dir("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=showing.visible,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined] # by the extension
    env.globals["_"] = showing.translated
    env.filters.update(
        size=showing.size,
        number=showing.number,
        initials=showing.initials,
        short_address=showing.short_address,
        spoken=showing.spoken,
        file_kind=showing.file_kind,
        marked=showing.marked,
        device=showing.device,
    )
    env.globals.update(sender_name=showing.sender_name, weekday=dates.weekday)
    return env


def clock_of(request: Request) -> Clock:
    return Clock(services_of(request).now(), read_zone(request))


def path_to(app: FastAPI, name: str, /, **params: object) -> str:
    """The path of a route by its name; keyword arguments it has no place for are an error."""
    return str(app.state.named[name].url_path_for(name, **params))


def kept_words(days: int) -> str:
    """How long mail is kept, as it stands in a sentence."""
    return "seven days" if days == A_WEEK else f"{days} days"


def _shared(request: Request) -> dict[str, Any]:
    app = request.app
    token = session_token(request)
    services = services_of(request)
    return {
        "url": partial(path_to, app),
        "static": app.state.statics.path,
        "nonce": request.scope["state"]["nonce"],
        "csrf_field": FIELD,
        "csrf_token": form_token(token) if token else "",
        "look": read_look(request),
        "clock": clock_of(request),
        "keep": timedelta(days=services.config.keep_days),
        "kept": kept_words(services.config.keep_days),
        "undo_shown": max(services.config.undo_seconds - UNDO_ENDS, 1),
        "extras": app.state.extras,
        "visit": None,
        "banner": None,
        "done": None,
    }


def render(request: Request, template: str, context: Context, *, status: int = 200) -> HTMLResponse:
    """A page of its own, without a frame around it."""
    env: Environment = request.app.state.templates
    text = env.get_template(template).render(_shared(request) | dict(context))
    return HTMLResponse(text, status_code=status)


def page(
    request: Request, visit: Visit, template: str, context: Context, *, status: int = 200
) -> HTMLResponse:
    """A page of a signed-in person: the bar, the banner, and what was just done."""
    done = flash.take(request)
    shared = {
        "visit": visit,
        "banner": services_of(request).health.banner(visit.viewer),
        "done": done,
    }
    response = render(request, template, shared | dict(context), status=status)
    if done is not None:
        flash.clear(request, response)
    return response


def mail_page(
    request: Request, visit: Visit, template: str, context: Context, *, status: int = 200
) -> HTMLResponse:
    """A page of somebody's mail: with the folders and the days beside it."""
    sidebar = context.get("sidebar") or services_of(request).reading.counts(visit.viewer)
    around = {"folder": "", "sidebar": sidebar, "week": day_bars(sidebar.week)}
    return page(request, visit, template, around | dict(context), status=status)
