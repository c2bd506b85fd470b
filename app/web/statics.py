"""Our own style sheets, scripts and icons, read once and kept in memory.

They are served under a path that holds a hash of all of them, so a browser may
keep them for ever and no old script meets a new page. Any other hash is a 404;
no request ever names a file on disk.
"""

import gzip
import hashlib
from base64 import b32encode
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from app.resources import resource_dir
from app.web.access import Anyone

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER = "public, max-age=31536000, immutable"
# An icon may be opened as a page of its own: it could do nothing there.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True, slots=True)
class File:
    octets: bytes
    packed: bytes
    type: str


class StaticFiles:
    """All files below a folder whose type we serve."""

    def __init__(self, folder: Path) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES)
        self._files = {path.relative_to(folder).as_posix(): _read(path) for path in paths}
        names = hashlib.sha256()
        for name, file in self._files.items():
            names.update(hashlib.sha256(name.encode()).digest())
            names.update(hashlib.sha256(file.octets).digest())
        self.digest = b32encode(names.digest()[:10]).decode().lower()

    @property
    def names(self) -> list[str]:
        return list(self._files)

    def path(self, name: str) -> str:
        """The path of a file; a name that does not exist is our own mistake."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def find(self, digest: str, name: str) -> File | None:
        return self._files.get(name) if digest == self.digest else None


@cache
def product_files() -> StaticFiles:
    """The static files of the product, read once a process."""
    return StaticFiles(resource_dir("static"))


def _read(path: Path) -> File:
    octets = path.read_bytes()
    return File(octets, gzip.compress(octets, mtime=0), TYPES[path.suffix])


router = APIRouter()


@router.get("/static/{digest}/{name:path}", dependencies=[Anyone], name="static")
def static_file(request: Request, digest: str, name: str) -> Response:
    file = request.app.state.statics.find(digest, name)
    if file is None:
        raise HTTPException(404)
    headers = {
        "Cache-Control": FOR_EVER,
        "Content-Security-Policy": POLICY,
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.type, headers=headers)
    return Response(file.octets, media_type=file.type, headers=headers)
