"""Where a request comes from: the host it asks for, and the page that sent it.

A name that is not ours is refused before anything else (DNS rebinding, cache
poisoning). A request that changes something must come from our own pages: by
`Sec-Fetch-Site`, and by `Origin` where a browser sends that. A program that
sends neither header is no browser, and carries nobody's cookies by accident.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers

from app.web.deps import services_of

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def host_name(netloc: str) -> str:
    """The name in "name:port", lower case, without brackets; empty when it is none."""
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def allowed_hosts(public_url: str) -> frozenset[str]:
    """The names under which the site answers; on one machine, all names of that machine."""
    name = host_name(urlsplit(public_url).netloc)
    return LOOPBACK_NAMES if name in LOOPBACK_NAMES else frozenset({name})


def is_own_request(headers: Headers, public_url: str) -> bool:
    """Whether a request that changes something was sent by a page of ours, or by no page."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is None or (origin == "null" and site == "same-origin"):
        # Without a referrer a browser sends "null" also from our own pages, and vouches for
        # them by Sec-Fetch-Site; "null" alone is a sandboxed frame, or anybody.
        return True
    return urlsplit(origin).netloc in {headers.get("host", ""), urlsplit(public_url).netloc} - {""}


def is_trustworthy(public_url: str) -> bool:
    """Whether browsers send Sec-Fetch-Site to that address (W3C Secure Contexts section 3.1)."""
    return public_url.startswith("https:") or allowed_hosts(public_url) == LOOPBACK_NAMES


def is_local(request: Request) -> bool:
    """Whether the peer is a process of this machine that speaks for itself."""
    if request.client is None or any(name in request.headers for name in FORWARDING):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def own_origin(request: Request) -> str:
    """Scheme, host and port by which the browser reached us, as they stand in a policy.

    The name is one of ours (`Shield`); written anew, so that nothing else of the header gets in.
    """
    host = request.headers.get("host", "")
    port = urlsplit(f"//{host}").port
    scheme = urlsplit(services_of(request).config.public_url).scheme
    return f"{scheme}://{host_name(host)}" + (f":{port}" if port else "")
