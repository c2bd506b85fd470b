"""How the pages write names and files: small pure functions, the filters of the templates.

What comes out of a message may try to look like something else: control and
bidirectional override characters are taken from everything that is printed, and
a name that is itself an address gives way to the real one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from app.languages.speech import Speech
from app.markup import domains
from app.phrase import Phrase, phrase
from app.views import Face
from archive_store.search import hits

# C0 and C1 controls but tab and newlines; embeddings, overrides and isolates; invisible letters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)
MOST_MARKED_WORDS = 12


def visible(value: str) -> str:
    """Text without characters that hide or turn other text."""
    if UNSEEN.search(value) is None:
        return value
    seen = UNSEEN.sub("", value)
    return Markup(seen) if isinstance(value, Markup) else seen  # noqa: S704 (escaped before)


class Texts:
    """What the templates of one language call to print a text of the product."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._known: dict[str, Markup] = {}
        self._plain: dict[str, Markup] = {}

    def text(self, message: str, /, **values: object) -> Markup:
        """The text with its values escaped: `_`. As Jinja's own, in less time: a list asks
        hundreds of times.
        """
        if not values:
            plain = self._plain.get(message)
            if plain is None:
                plain = self._plain[message] = self._own(message) % values
            return plain
        known = self._known.get(message)
        if known is None:
            known = self._known[message] = self._own(message)
        return known % self._speech.said(values)

    def plural(self, one: str, many: str, num: int, /, **values: object) -> Markup:
        """The same, by a number: `ngettext`."""
        text = Markup(self._speech.ngettext(one, many, num))  # noqa: S704 (the product's own words)
        return text % {"num": self._speech.number(num), **self._speech.said(values)}

    def shown(self, value: object) -> object:
        """What a template prints: a phrase in the language, and nothing that hides or turns text.

        Text that is escaped already stays so: only characters without meaning in HTML are taken.
        """
        if type(value) is Phrase:
            value = self._speech.say(value)
        # A page prints thousands of texts, and nearly all of them are printable ASCII.
        if not isinstance(value, str) or (value.isascii() and value.isprintable()):
            return value
        return visible(value)

    def _own(self, message: str) -> Markup:
        return Markup(self._speech.gettext(message))  # noqa: S704 (the product's own words)


def sender_name(name: str, address: str) -> str:
    """The name to show for a sender: never one that poses as another address."""
    name = " ".join(name.split())
    if not name or ("@" in name and name.casefold() != address.casefold()):
        return address
    return name


def own_letters(address: str) -> str:
    """A domain in punycode as its owner writes it; empty where the address shows that itself, or
    where it is written to look like another, which is told of it.
    """
    domain = address.rpartition("@")[2].lower()
    if "xn--" not in domain or domains.looks_like_another(domain):
        return ""
    read = domains.in_unicode(domain)
    return "" if read == domain else read


def initials(name: str) -> str:
    """One or two letters for the round mark beside a name."""
    words = [word for word in re.split(r"[\s@._-]+", name) if word and word[0].isalnum()]
    if not words:
        return "?"
    last = words[-1][0] if len(words) > 1 and "@" not in name else ""
    return (words[0][0] + last).upper()


def problem(text: str) -> str:
    """What was wrong with a message (`archive_store.mime.values.Problem`), to be said."""
    return PROBLEMS.get(text, text)


def short_address(address: str, own: str) -> str:
    """ "sales@" of "sales@acme.example"; all of it when it begins as the own address does."""
    local, at, _ = address.rpartition("@")
    alike = local.casefold() == own.rpartition("@")[0].casefold()
    return local + at if at and not alike else address


def spoken(who: str) -> str:
    """The name alone of "Hanna Berg <hanna@berg.example>", unless it poses as an address."""
    name, opened, address = who.rpartition(" <")
    return sender_name(name, address.removesuffix(">")) if opened else who


def faces(of: Sequence[Face], me: str) -> str:
    """ "Anna, me": who wrote the messages of a conversation, each once."""
    own = {"": me} if any(face.own for face in of) else {}
    names = {
        "" if face.own else face.address.casefold(): sender_name(face.name, face.address)
        for face in of
    } | own
    if len(names) == 1:
        return next(iter(names.values()))
    return ", ".join(_first_name(name) for name in names.values() if name)


def _first_name(name: str) -> str:
    first = name.split(" ", 1)[0]
    return name if first.endswith((",", ".")) or "@" in name else first


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file name's ending promises, and the icon for it."""

    label: str
    icon: str
    runs: bool = False  # opening it runs what is in it


KINDS = {
    "PDF": FileKind("PDF", "file-text"),
    "DOC": FileKind(phrase("Document"), "file-text"),
    "DOCX": FileKind(phrase("Document"), "file-text"),
    "ODT": FileKind(phrase("Document"), "file-text"),
    "TXT": FileKind(phrase("Text"), "file-text"),
    "CSV": FileKind(phrase("Table"), "file-spreadsheet"),
    "XLS": FileKind(phrase("Spreadsheet"), "file-spreadsheet"),
    "XLSX": FileKind(phrase("Spreadsheet"), "file-spreadsheet"),
    "ODS": FileKind(phrase("Spreadsheet"), "file-spreadsheet"),
    "ICS": FileKind(phrase("Invitation"), "calendar"),
    "EML": FileKind(phrase("Message"), "mail"),
    "JPG": FileKind(phrase("Picture"), "image"),
    "JPEG": FileKind(phrase("Picture"), "image"),
    "PNG": FileKind(phrase("Picture"), "image"),
    "GIF": FileKind(phrase("Picture"), "image"),
    "WEBP": FileKind(phrase("Picture"), "image"),
    "HEIC": FileKind(phrase("Picture"), "image"),
}
PROBLEMS = {
    str(problem): problem
    for problem in (
        phrase("This message could not be read here. The original is complete."),
        phrase("Some parts are nested too deeply and are shown as one attachment."),
        phrase("The message has more parts than are shown."),
        phrase("The message has more header fields than are shown."),
        phrase("The message has more addresses than are shown."),
        phrase("The text is longer than what is shown."),
        phrase("The HTML is longer than what is shown."),
        phrase("A part names no usable boundary, so it is shown as text."),
        phrase("The message has more than one From field."),
        phrase("The message has no header fields."),
    )
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
        return FileKind(phrase("File"), "paperclip")
    if ending in PROGRAMS:
        return FileKind(phrase("Program (%(ending)s)", ending=ending), "triangle-alert", runs=True)
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
    if browser and system:
        return phrase("%(browser)s on %(system)s", browser=found[0], system=found[1])
    return found[0] if found else phrase("Another program")
