"""Octets of a message leave only as files to save (RFC 6266), never as something to show.

Whatever a part calls itself, it is sent as `application/octet-stream`, with a
policy of its own under which nothing in it could run or load.
"""

from urllib.parse import quote

from fastapi import Response

from app.web.showing import UNSEEN

POLICY = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
NO_NAME = "attachment"
LONGEST_NAME = 150
ATTR_CHARS = "!#$&+-.^_`|~"  # RFC 8187 section 3.2.1, beyond letters and digits


def safe_name(name: str) -> str:
    """A name without a path, control characters or anything that turns text around."""
    name = UNSEEN.sub("", name).replace("\n", " ").replace("\r", " ").replace("\t", " ")
    name = name.replace("\\", "/").rpartition("/")[2].strip().strip(".")
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        keep = dot + ending if 0 < len(ending) <= 10 and stem else ""
        name = name[: LONGEST_NAME - len(keep)] + keep
    return name or NO_NAME


def disposition(name: str) -> str:
    """Content-Disposition with the name in ASCII, and exact in UTF-8 (RFC 8187)."""
    safe = safe_name(name)
    plain = "".join(c if " " <= c <= "~" and c not in '"\\%' else "_" for c in safe)
    exact = quote(safe, safe=ATTR_CHARS, errors="replace")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}"


def download(octets: bytes, name: str, media_type: str = "application/octet-stream") -> Response:
    """A file to save."""
    return Response(octets, media_type=media_type, headers=download_headers(name))


def download_headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": disposition(name), "Content-Security-Policy": POLICY}
