"""Signing in by a one-time code, by the second half after a password, and by a passkey.

A passkey is asked for by a script, in two requests: the first gives the browser a challenge, the
second brings its answer, which ends the step whatever it says. All else works without a script.
"""

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from app.login_views import StepOver
from app.secret import Secret
from app.views import LoginRefused, LoginThrottled
from app.web import cookies
from app.web.access import Anyone
from app.web.csrf import OpenForm, text
from app.web.deps import client_ip, services_of
from app.web.login import LONGEST_ADDRESS, LONGEST_AGENT, door, entered
from app.web.login_ports import Caller
from app.web.render import path_to, render

router = APIRouter()
LONGEST_CODE = 100


def caller_of(request: Request, *, public: bool = False) -> Caller:
    """Who asks, as far as a request tells."""
    return Caller(
        client_ip=client_ip(request),
        user_agent=request.headers.get("user-agent", "")[:LONGEST_AGENT],
        public_computer=public,
        device=cookies.device_of(request),
    )


def code_page(
    request: Request, template: str, *, username: str = "", problem: str = "", wait: int = 0
) -> Response:
    status = {"": 200, "wait": 429}.get(problem, 401)
    context = {"username": username, "problem": problem, "wait": wait}
    page = render(request, template, context, status=status)
    if wait:
        page.headers["Retry-After"] = str(wait)
    return page


@router.get("/login/code", dependencies=[Anyone], name="login_code")
def code_form(request: Request) -> Response:
    return code_page(request, "login_code.html")


@router.post("/login/code", dependencies=[Anyone])
def by_code(request: Request, form: OpenForm) -> Response:
    address = text(form, "username").strip()[:LONGEST_ADDRESS]
    code, caller = Secret(text(form, "code")[:LONGEST_CODE]), caller_of(request, public=True)
    try:
        token = services_of(request).entrance.by_code(address, code, caller)
    except LoginRefused:
        return code_page(request, "login_code.html", username=address, problem="refused")
    except LoginThrottled as error:
        wait = error.retry_after
        return code_page(request, "login_code.html", username=address, problem="wait", wait=wait)
    return entered(request, token, caller.device)


@router.get("/login/second", dependencies=[Anyone], name="second_step")
def second_form(request: Request) -> Response:
    if cookies.read_secret(request, cookies.STEP) is None:
        return RedirectResponse(path_to(request.app, "login"), status_code=303)
    return code_page(request, "login_second.html")


@router.post("/login/second", dependencies=[Anyone])
def second_half(request: Request, form: OpenForm) -> Response:
    step = cookies.read_secret(request, cookies.STEP) or Secret("")
    code, caller = Secret(text(form, "code")[:LONGEST_CODE]), caller_of(request)
    try:
        token = services_of(request).entrance.second_half(step, code, caller)
    except StepOver:
        return door(request, problem="over")
    except LoginRefused:
        return code_page(request, "login_second.html", problem="refused")
    except LoginThrottled as error:
        return code_page(request, "login_second.html", problem="wait", wait=error.retry_after)
    return entered(request, token, caller.device)


@router.post("/login/passkey/start", dependencies=[Anyone], name="ask_passkey")
def ask_passkey(request: Request, form: OpenForm) -> Response:
    caller = caller_of(request, public=bool(text(form, "public")))
    try:
        token, options = services_of(request).entrance.ask_passkey(caller)
    except LoginRefused:
        raise HTTPException(404) from None
    response = Response(options, media_type="application/json")
    cookies.set_step(request, response, token)
    return response


@router.post("/login/passkey", dependencies=[Anyone], name="login_passkey")
def by_passkey(request: Request, form: OpenForm) -> Response:
    step = cookies.read_secret(request, cookies.STEP) or Secret("")
    caller = caller_of(request, public=bool(text(form, "public")))
    try:
        token = services_of(request).entrance.by_passkey(step, text(form, "answer"), caller)
    except StepOver:
        return door(request, problem="over")
    except (LoginRefused, LoginThrottled):
        return door(request, problem="passkey")
    return entered(request, token, caller.device)
