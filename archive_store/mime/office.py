"""The text of office files: OOXML (docx, xlsx, pptx; ECMA-376) and OpenDocument (ISO 26300).

Both are ZIP archives of XML. Only the members that hold text are read, each as a stream that is
left as soon as there is enough, so an archive that would grow without end is not unpacked. XML
with a document type is refused: neither format has one, and entities are declared there. It raises
OfficeError for what is no such file; whoever calls bounds time and memory all the same.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Final
from xml.parsers import expat

MOST_READ: Final = 32 * 1024 * 1024  # octets of unpacked XML, of a whole file
MOST_MEMBERS: Final = 200
_STEP: Final = 64 * 1024
_MEMBER: Final = re.compile(
    r"word/(document|footnotes|endnotes|header\d*|footer\d*)\.xml"
    r"|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml"
    r"|ppt/(slides/slide|notesSlides/notesSlide)\d+\.xml|content\.xml"
)
_TEXT: Final = frozenset(("t", "v"))  # runs and cells of OOXML
_ENDS: Final = frozenset(("p", "h", "tab", "br", "c", "si", "table-cell", "line-break", "s"))


class OfficeError(Exception):
    """No office file, or a broken one."""


class _Enough(Exception):
    """There is as much text as was asked for."""


def office_text(content: bytes, most: int) -> str:
    """About the first `most` characters of the text in `content`."""
    found = _Text(most)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name, octets in _members(archive):
                found.read(octets, everything=name == "content.xml")
    except _Enough:
        pass
    except (
        *(zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError),
        *(ValueError, NotImplementedError, RuntimeError),  # encrypted, or packed in another way
    ) as error:
        if not found.pieces:
            raise OfficeError("no office file that can be read") from error
    return "".join(found.pieces)[:most]


def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, Callable[[], bytes]]]:
    names = sorted(filter(_MEMBER.fullmatch, archive.namelist()), key=_order)
    room = MOST_READ
    for name in names[:MOST_MEMBERS]:
        with archive.open(name) as member:

            def step() -> bytes:
                nonlocal room
                octets = member.read(min(_STEP, room))
                room -= len(octets)
                return octets

            yield name, step


def _order(name: str) -> tuple[str, int]:
    """Slides and sheets in their order: slide2 before slide10."""
    number = re.search(r"\d+", name)
    return re.sub(r"\d+", "", name), int(number[0][:9]) if number else 0


class _Text:
    """Gathers the text of XML documents."""

    def __init__(self, most: int) -> None:
        self.pieces: list[str] = []
        self._room = most
        self._inside = 0
        self._everything = False
        self._shared = False  # a cell that holds the number of a string, not text

    def read(self, step: Callable[[], bytes], *, everything: bool) -> None:
        """The text of one document; `everything`: of all its elements."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        self._inside, self._everything, self._shared = 0, everything, False
        while octets := step():
            parser.Parse(octets, False)
        parser.Parse(b"", True)
        self.pieces.append("\n")

    def _doctype(self, *_: object) -> None:
        raise ValueError("a document type")

    def _start(self, name: str, given: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        if local == "c":
            self._shared = given.get("t") == "s"
        if local in _TEXT and not (local == "v" and self._shared):
            self._inside += 1

    def _end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local in _TEXT and self._inside:
            self._inside -= 1
        if local in _ENDS:
            self.pieces.append(" ")

    def _characters(self, text: str) -> None:
        if self._inside or self._everything:
            self.pieces.append(text)
            self._room -= len(text)
            if self._room <= 0:
                raise _Enough
