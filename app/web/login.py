"""Signing in and out. One answer for every failure, and nothing told before that.

The form has no token (see `csrf`); where it was sent from is judged by
`origin.is_own_request`. A new session gets a new token, whatever cookie came.
"""

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.secret import Secret
from app.viewer import Role
from app.views import LoginRefused, LoginThrottled, Visit
from app.web import cookies, flash, recall
from app.web.access import Anyone, SignedIn, find_visit
from app.web.csrf import OpenForm, PostedForm, text
from app.web.deps import LoginAttempt, client_ip, services_of
from app.web.render import path_to, render

router = APIRouter()
LONGEST_ADDRESS, LONGEST_PASSWORD = 320, 1024
# Everything we may have left in the browser but our cookies, which are dropped one by one:
# clearing "cookies" would take those of the company's other sites with it.
CLEAR = '"cache", "storage"'


def home(request: Request, visit: Visit) -> str:
    """Where a person begins: their mail, or what they look after."""
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
    return render(request, "login.html", {"username": "", "problem": "", "wait": 0})


@router.post("/login", dependencies=[Anyone])
def login(request: Request, form: OpenForm) -> Response:
    attempt = LoginAttempt(
        address=text(form, "username").strip()[:LONGEST_ADDRESS],
        password=Secret(text(form, "password")[:LONGEST_PASSWORD]),
        client_ip=client_ip(request),
        user_agent=request.headers.get("user-agent", "")[:300],
        public_computer=bool(text(form, "public")),
    )
    try:
        token = services_of(request).accounts.login(attempt)
    except LoginRefused:
        again = {"username": attempt.address, "problem": "refused", "wait": 0}
        return render(request, "login.html", again, status=401)
    except LoginThrottled as error:
        again = {"username": attempt.address, "problem": "wait", "wait": error.retry_after}
        page = render(request, "login.html", again, status=429)
        page.headers["Retry-After"] = str(error.retry_after)
        return page
    response = RedirectResponse(path_to(request.app, "home"), status_code=303)
    cookies.set_session(request, response, token)
    return response


@router.post("/language", dependencies=[Anyone], name="set_language")
def set_language(request: Request, form: OpenForm) -> RedirectResponse:
    """The language of this browser, chosen before anybody signs in."""
    look = cookies.read_look(request)
    response = RedirectResponse(path_to(request.app, "login"), status_code=303)
    chosen = cookies.look_of(look.theme, look.density, text(form, "language"))
    cookies.set_look(request, response, chosen)
    return response


@router.post("/logout", name="logout")
def logout(request: Request, visit: SignedIn, _: PostedForm) -> Response:
    services_of(request).accounts.logout(visit.viewer)
    response = RedirectResponse(path_to(request.app, "login"), status_code=303)
    for name in ("la", flash.COOKIE, recall.COOKIE):
        cookies.drop(request, response, name)
    response.headers["Clear-Site-Data"] = CLEAR
    return response
