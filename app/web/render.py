"""Pages from templates: what every page knows, and what a page of mail knows besides.

Autoescape is on everywhere, an undefined name is an error, and everything printed
loses characters that hide or turn other text. Each language has templates of its own,
bound to its speech, so that a request brings nothing along but which one it wants.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache, partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.file_views import is_mail, is_paper, previewed, section_text
from app.languages import LANGUAGES, Language, chosen
from app.languages.speech import Speech
from app.phrase import Phrase, phrase, phrases
from app.resources import resource_dir
from app.views import Visit
from app.web import flash, keeping, showing
from app.web.cookies import ZONE, cookie_name, read_look, read_zone, session_token
from app.web.csrf import FIELD, form_token
from app.web.dates import Clock
from app.web.deps import services_of
from app.web.figures import day_bars
from app.web.invited import how_often, invited_when

Context = Mapping[str, Any]
A_WEEK = 7
UNDO_ENDS = 5  # seconds before the mail leaves that its button goes


# Filters that speak no language.
FILTERS = {
    "initials": showing.initials,
    "own_letters": showing.own_letters,
    "short_address": showing.short_address,
    "spoken": showing.spoken,
    "faces": showing.faces,
    "file_kind": showing.file_kind,
    "marked": showing.marked,
    "problem": showing.problem,
    "device": showing.device,
}


@cache
def environment(speech: Speech) -> Environment:
    """The templates of the product in one language, compiled once a process."""
    texts = showing.Texts(speech)
    env = Environment(
        loader=FileSystemLoader(resource_dir("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=texts.shown,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    env.filters.update(FILTERS, size=speech.size, number=speech.number)
    env.globals.update(
        _=texts.text,
        gettext=texts.text,
        ngettext=texts.plural,
        language=speech.language,
        languages=tuple(LANGUAGES.values()),
        is_mail=is_mail,
        is_paper=is_paper,
        previewed=previewed,
        section_text=section_text,
        sender_name=showing.sender_name,
        invited_when=invited_when,
        invited_how_often=how_often,
        weekday=speech.weekday,
        weekday_initial=speech.initial,
    )
    env.newstyle_gettext = True  # type: ignore[attr-defined] # of the i18n extension
    return env


def language_of(request: Request) -> Language:
    """The language of the answer to a request."""
    return chosen(read_look(request).language, request.headers.get("accept-language", ""))


def speech_for(request: Request) -> Speech:
    """What says the answer to a request."""
    speeches: Callable[[str], Speech] = request.app.state.speeches
    return speeches(language_of(request).tag)


def clock_of(request: Request) -> Clock:
    return Clock(services_of(request).now(), read_zone(request), speech_for(request))


def path_to(app: FastAPI, name: str, /, **params: object) -> str:
    """The path of a route by its name; keyword arguments it has no place for are an error."""
    return str(app.state.named[name].url_path_for(name, **params))


def kept_words(days: int) -> Phrase:
    """How long mail is kept, as it stands in a sentence."""
    if days == A_WEEK:
        return phrase("seven days")
    return phrases("%(num)s day", "%(num)s days", days)


def _shared(request: Request) -> dict[str, Any]:
    app = request.app
    token = session_token(request)
    services = services_of(request)
    speech = speech_for(request)
    return {
        "speech": speech,
        "url": partial(path_to, app),
        "static": app.state.statics.path,
        "nonce": request.scope["state"]["nonce"],
        "csrf_field": FIELD,
        "csrf_token": form_token(token) if token else "",
        "look": read_look(request),
        "zone_cookie": cookie_name(request, ZONE),
        "clock": Clock(services.now(), read_zone(request), speech),
        "keep": timedelta(days=services.config.keep_days),
        "kept": speech.say(kept_words(services.config.keep_days)),
        "undo_shown": max(services.config.undo_seconds - UNDO_ENDS, 1),
        "extras": app.state.extras,
        "shows_pictures": services.pictures is not None,
        "visit": None,
        "keeps_offline": None,
        "banner": None,
        "done": None,
        "news": None,
    }


def render(request: Request, template: str, context: Context, *, status: int = 200) -> HTMLResponse:
    """A page of its own, without a frame around it."""
    shared = _shared(request)
    text = environment(shared["speech"]).get_template(template).render(shared | dict(context))
    return HTMLResponse(text, status_code=status)


def page(
    request: Request, visit: Visit, template: str, context: Context, *, status: int = 200
) -> HTMLResponse:
    """A page of a signed-in person: the bar, the banner, and what was just done."""
    done = flash.take(request)
    shared = {
        "visit": visit,
        "keeps_offline": keeping.owner_of(request, visit),
        "banner": services_of(request).health.banner(visit.viewer),
        "done": done,
        "news": services_of(request).methods.news(visit.viewer),
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
