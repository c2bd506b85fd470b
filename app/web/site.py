"""The web site: routes, what each needs around it, and the check that each says who may call it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from app.languages.speech import speech_of
from app.web import (
    access,
    account,
    compose,
    drafts,
    enclosed,
    errors,
    health,
    invitations,
    leaving,
    live,
    login,
    mailbox,
    message,
    methods,
    offline,
    other_ways,
    outbox,
    outside,
    papers,
    pictures,
    previews,
    searching,
    statics,
    writing,
)
from app.web.admin import (
    audit,
    dns,
    domains,
    holds,
    maillog,
    outages,
    overview,
    people,
    person,
    queue,
    webhook,
)
from app.web.deps import Services, SiteConfig
from app.web.keeping import Marks
from app.web.middleware import Shield

ROUTERS = (
    health.router,
    statics.router,
    login.router,
    other_ways.router,
    live.router,
    offline.router,
    outbox.router,  # before the folders: its path is one of theirs
    mailbox.router,
    message.router,
    enclosed.router,
    pictures.router,
    previews.router,
    papers.router,
    invitations.router,
    leaving.router,
    drafts.router,
    compose.router,
    searching.router,
    account.router,
    writing.router,
    outside.router,
    methods.router,
    overview.router,
    domains.router,
    outages.router,
    dns.router,
    webhook.router,
    people.router,
    person.router,
    audit.router,
    holds.router,
    maillog.router,
    queue.router,
)


@dataclass(frozen=True, slots=True)
class Extra:
    """A page from outside this package: its routes, and its link in the bar."""

    router: APIRouter
    title: str
    route: str  # the name of the route to link to


def create_app(services: Services, config: SiteConfig, extras: Sequence[Extra] = ()) -> FastAPI:
    """The site as an ASGI app. Raises `access.Unguarded` when a route has no rule."""
    app = FastAPI(title="LiveArchive", docs_url=None, redoc_url=None, openapi_url=None)
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.speeches = speech_of
    app.state.statics = statics.product_files()
    app.state.extras = [(extra.title, extra.route) for extra in extras]
    for router in (*ROUTERS, *(extra.router for extra in extras)):
        # Flat, not included: the table of who may call what is read from these routes.
        app.router.routes.extend(router.routes)
    # To ask each route in turn for its path takes a list with fifty links longer than its query.
    app.state.named = {route.name: route for route in app.routes if isinstance(route, APIRoute)}
    errors.install(app)
    app.add_middleware(Marks)
    app.add_middleware(Shield, public_url=config.public_url)
    access.check(app)
    return app
