"""Signing in and out. One answer for every failure, and nothing told before that.

The forms have no token (see `csrf`); where they were sent from is judged by
`origin.is_own_request`. A new session gets a new token, whatever cookie came. Between the two
halves of a log-in there is no session, only a step, whose cookie opens nothing else.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.login_views import SecondStep
from app.secret import Secret
from app.viewer import Role
from app.views import LoginRefused, LoginThrottled, Visit
from app.web import cookies, flash, keeping, recall
from app.web.access import Anyone, SignedIn, find_visit
from app.web.csrf import OpenForm, PostedForm, text
from app.web.deps import LoginAttempt, client_ip, services_of
from app.web.render import path_to, render

router = APIRouter()
LONGEST_ADDRESS, LONGEST_PASSWORD, LONGEST_AGENT = 320, 1024, 300
# Everything we may have left in the browser but our cookies, which are dropped one by one:
# clearing "cookies" would take those of the company's other sites with it.
CLEAR = '"cache", "storage"'


def home(request: Request, visit: Visit) -> str:
    """Where a person begins: their mail, or what they look after."""
    if visit.confined:
        return path_to(request.app, "methods")
    if visit.viewer.user.role is Role.AUDITOR:
        return path_to(request.app, "audit")
    if visit.viewer.user.role is Role.PROVIDER:
        return path_to(request.app, "overview")
    return path_to(request.app, "folder", folder="inbox")


@router.get("/", name="home")
def start(request: Request, visit: SignedIn) -> RedirectResponse:
    return RedirectResponse(home(request, visit), status_code=303)


@router.get("/login", dependencies=[Anyone], name="login")
def login_form(request: Request) -> Response:
    visit = find_visit(request)
    if visit is not None:
        return RedirectResponse(home(request, visit), status_code=303)
    return door(request)


def door(request: Request, *, username: str = "", problem: str = "", wait: int = 0) -> Response:
    """The log-in page, again with what went wrong."""
    context = {
        "username": username,
        "problem": problem,
        "wait": wait,
        "passkeys": services_of(request).entrance.offers_passkeys,
    }
    status = {"": 200, "wait": 429}.get(problem, 401)
    page = render(request, "login.html", context, status=status)
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


@router.post("/login", dependencies=[Anyone])
def login(request: Request, form: OpenForm) -> Response:
    device = cookies.device_of(request)
    attempt = LoginAttempt(
        address=text(form, "username").strip()[:LONGEST_ADDRESS],
        password=Secret(text(form, "password")[:LONGEST_PASSWORD]),
        client_ip=client_ip(request),
        user_agent=request.headers.get("user-agent", "")[:LONGEST_AGENT],
        public_computer=bool(text(form, "public")),
        device=device,
    )
    try:
        token = services_of(request).accounts.login(attempt)
    except SecondStep as step:
        response = RedirectResponse(path_to(request.app, "second_step"), status_code=303)
        cookies.set_step(request, response, step.token)
        return response
    except LoginRefused:
        return door(request, username=attempt.address, problem="refused")
    except LoginThrottled as error:
        return door(request, username=attempt.address, problem="wait", wait=error.retry_after)
    return entered(request, token, device)


def entered(request: Request, token: Secret, device: Secret) -> Response:
    """Let somebody in, and know the browser again, unless it is a public one."""
    response = RedirectResponse(path_to(request.app, "home"), status_code=303)
    cookies.set_session(request, response, token)
    cookies.drop(request, response, cookies.STEP)
    visit = services_of(request).accounts.glance(token, client_ip(request))
    if visit is not None and not visit.public_computer:
        seconds = cookies.YEAR_SECONDS
        cookies.set_private(request, response, cookies.DEVICE, device.reveal(), seconds)
    return response


@router.post("/language", dependencies=[Anyone], name="set_language")
def set_language(request: Request, form: OpenForm) -> RedirectResponse:
    """The language of this browser, chosen before anybody signs in."""
    look = cookies.read_look(request)
    response = RedirectResponse(path_to(request.app, "login"), status_code=303)
    chosen = cookies.look_of({"language": text(form, "language")}, look)
    cookies.set_look(request, response, chosen)
    return response


@router.post("/logout", name="logout")
def logout(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    services_of(request).accounts.logout(visit.viewer)
    return left(request, visit)


@router.post("/logout/everywhere", name="logout_everywhere")
def logout_everywhere(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    services_of(request).accounts.revoke_all(visit.viewer)
    return left(request, visit)


def left(request: Request, visit: Visit) -> Response:
    """Leave nothing behind; on a public computer not even how the pages looked."""
    response = RedirectResponse(path_to(request.app, "login"), status_code=303)
    for name in ("la", cookies.STEP, flash.COOKIE, recall.COOKIE):
        cookies.drop(request, response, name)
    if visit.public_computer:
        for name in (cookies.DEVICE, cookies.LOOK, cookies.ZONE, keeping.COOKIE):
            cookies.drop(request, response, name)
    response.headers["Clear-Site-Data"] = CLEAR
    return response
