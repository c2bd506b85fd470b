"""How the pages write names, sizes and files: small pure functions, the filters of the templates.

What comes out of a message may try to look like something else: control and
bidirectional override characters are taken from everything that is printed, and
a name that is itself an address gives way to the real one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from archive_store.search import hits

# C0 and C1 controls but tab and newlines; embeddings, overrides and isolates; invisible letters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]"
)
KILO = 1000
MOST_MARKED_WORDS = 12


def visible(value: object) -> object:
    """What a template prints: text without characters that hide or turn other text.

    Text that is escaped already stays so: only characters without meaning in HTML are taken.
    """
    # A page prints thousands of texts, and nearly all of them are printable ASCII.
    if not isinstance(value, str) or (value.isascii() and value.isprintable()):
        return value
    if UNSEEN.search(value) is None:
        return value
    seen = UNSEEN.sub("", value)
    return Markup(seen) if isinstance(value, Markup) else seen  # noqa: S704 (escaped before)


@lru_cache(maxsize=2000)
def _known(text: str) -> Markup:
    return Markup(text)  # noqa: S704 (the product's own words)


def translated(text: str, /, **values: object) -> Markup:
    """A text of the product with its values escaped, as Jinja's own `_` gives it, in less time:
    a list asks hundreds of times.
    """
    return _known(text) % values


def sender_name(name: str, address: str) -> str:
    """The name to show for a sender: never one that poses as another address."""
    name = " ".join(name.split())
    if not name or ("@" in name and name.casefold() != address.casefold()):
        return address
    return name


def initials(name: str) -> str:
    """One or two letters for the round mark beside a name."""
    words = [word for word in re.split(r"[\s@._-]+", name) if word and word[0].isalnum()]
    if not words:
        return "?"
    last = words[-1][0] if len(words) > 1 and "@" not in name else ""
    return (words[0][0] + last).upper()


def size(octets: int) -> str:
    """218 KB, 4.1 MB"""
    if octets < KILO:
        return f"{octets} B"
    value = float(octets)
    for unit in ("KB", "MB", "GB"):
        value /= KILO
        if value < KILO or unit == "GB":
            return f"{value:.1f} {unit}" if value < 10 and unit != "KB" else f"{value:.0f} {unit}"
    raise AssertionError


def number(value: int) -> str:
    """1,180"""
    return f"{value:,}"


def short_address(address: str, own: str) -> str:
    """ "sales@" of "sales@acme.example"; all of it when it begins as the own address does."""
    local, at, _ = address.rpartition("@")
    alike = local.casefold() == own.rpartition("@")[0].casefold()
    return local + at if at and not alike else address


def spoken(who: str) -> str:
    """The name alone of "Hanna Berg <hanna@berg.example>", unless it poses as an address."""
    name, opened, address = who.rpartition(" <")
    return sender_name(name, address.removesuffix(">")) if opened else who


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file name's ending promises, and the icon for it."""

    label: str
    icon: str
    runs: bool = False  # opening it runs what is in it


KINDS = {
    "PDF": FileKind("PDF", "file-text"),
    "DOC": FileKind("Document", "file-text"),
    "DOCX": FileKind("Document", "file-text"),
    "ODT": FileKind("Document", "file-text"),
    "TXT": FileKind("Text", "file-text"),
    "CSV": FileKind("Table", "file-spreadsheet"),
    "XLS": FileKind("Spreadsheet", "file-spreadsheet"),
    "XLSX": FileKind("Spreadsheet", "file-spreadsheet"),
    "ODS": FileKind("Spreadsheet", "file-spreadsheet"),
    "ICS": FileKind("Invitation", "calendar"),
    "EML": FileKind("Message", "mail"),
    "JPG": FileKind("Picture", "image"),
    "JPEG": FileKind("Picture", "image"),
    "PNG": FileKind("Picture", "image"),
    "GIF": FileKind("Picture", "image"),
    "WEBP": FileKind("Picture", "image"),
    "HEIC": FileKind("Picture", "image"),
}
PROGRAMS = frozenset(
    "APP BAT CMD COM CPL DMG EXE HTA ISO JAR JS JSE LNK MSI PIF PS1 REG SCR SH VBE VBS".split()
)
LONGEST_ENDING = 8


def file_kind(filename: str) -> FileKind:
    """By the real ending, shown apart from the name, which may hide it."""
    _, dot, ending = UNSEEN.sub("", filename).strip().rpartition(".")
    ending = ending.upper()
    if not dot or not ending.isalnum() or len(ending) > LONGEST_ENDING:
        return FileKind("File", "paperclip")
    if ending in PROGRAMS:
        return FileKind(f"Program ({ending})", "triangle-alert", runs=True)
    return KINDS.get(ending) or FileKind(ending, "paperclip")


def marked(text: str, needles: tuple[str, ...]) -> list[tuple[str, bool]]:
    """The text in pieces, each with whether a search word (folded) is in it."""
    if isinstance(text, Markup):
        text = text.unescape()  # what a macro made is escaped already, and would be twice
    pieces: list[tuple[str, bool]] = []
    at = 0
    for start, end in hits(text, needles[:MOST_MARKED_WORDS]):
        pieces += [(text[at:start], False), (text[start:end], True)]
        at = end
    pieces.append((text[at:], False))
    return [(piece, hit) for piece, hit in pieces if piece] or [("", False)]


def device(user_agent: str) -> str:
    """ "Chrome on Windows": a guess for the list of sessions, from what the browser said."""
    browsers = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
    systems = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "Linux")
    names = {"Edg": "Edge", "OPR": "Opera", "Macintosh": "Mac"}
    browser = next((name for name in browsers if name in user_agent), "")
    system = next((name for name in systems if name in user_agent), "")
    found = [names.get(name, name) for name in (browser, system) if name]
    return " on ".join(found) if found else "Another program"
