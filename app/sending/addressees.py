"""Recipients as a person types them, and as they stand in a header (RFC 5322 section 3.4).

    Hanna Berg <hanna@in.example>, "Lee, Bruce" <lee@kung.example>; sales@acme.example

A list is split at commas, semicolons and line ends outside of quotation marks and angle
brackets. Names lose everything invisible; addresses are parsed strictly and never
repaired. What cannot be taken raises `BadList`, whose text says which part and why.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.address_faults import why
from app.phrase import Phrase, phrase
from archive_store.address import BadAddress, EmailAddress
from archive_store.mime import clean

_SHOWN = 80  # characters of a wrong part that its error quotes
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_PLAIN_NAME = re.compile(r"""[^\s"(),:;<>@\[\\\]]+(?: [^\s"(),:;<>@\[\\\]]+)*""")


class BadList(ValueError):
    """A part of a list is no recipient; `message` is for the person who typed it."""

    def __init__(self, message: Phrase) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Addressee:
    """A display name, perhaps empty, and an address."""

    name: str
    address: EmailAddress

    @property
    def wire(self) -> str:
        """The address as it goes into headers and the envelope: the domain as the DNS has it."""
        return EmailAddress(self.address.local, self.address.ascii_domain).text

    @property
    def needs_smtputf8(self) -> bool:
        """Whether servers on the way must know RFC 6531."""
        return not self.address.local.isascii()


def read_list(text: str) -> tuple[Addressee, ...]:
    """The recipients in `text`, each address once."""
    found: dict[str, Addressee] = {}
    parts = [part for part in _split(text) if part.strip()]  # a list may end with a comma
    for part in parts:
        try:
            one = _read(part)
        except BadAddress as error:
            raise BadList(_wrong(part, error, several=len(parts) > 1)) from None
        found.setdefault(one.address.key, one)
    return tuple(found.values())


def _wrong(part: str, error: BadAddress, *, several: bool) -> Phrase:
    text = _excerpt(part)
    if "@" in part:
        return phrase("%(text)s is no e-mail address: %(why)s.", text=text, why=why(error))
    if several:
        return phrase(
            "%(text)s is no e-mail address: it has no @ sign. "
            "A name with a comma in it needs quotation marks.",
            text=text,
        )
    return phrase("%(text)s is no e-mail address: it has no @ sign.", text=text)


def write_list(people: Iterable[tuple[str, str]]) -> str:
    """Names and addresses as a person would type them; `read_list` reads it back."""
    return ", ".join(_write(clean.name(name), clean.name(address)) for name, address in people)


def _write(name: str, address: str) -> str:
    if not name or name == address:
        return address
    if not _PLAIN_NAME.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>"


def _split(text: str) -> Iterable[str]:
    part: list[str] = []
    quoted = escaped = angled = False
    for character in text:
        if escaped:
            escaped = False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"' and (quoted or _may_open(part)):
            quoted = not quoted
        elif not quoted and character in "<>":
            angled = character == "<"
        elif not quoted and not angled and character in ",;\r\n":
            yield "".join(part)
            part = []
            continue
        part.append(character)
    if quoted:
        raise BadList(
            phrase("A quotation mark is not closed: %(text)s", text=_excerpt("".join(part)))
        )
    yield "".join(part)


def _may_open(part: list[str]) -> bool:
    """A quotation mark inside a word is a part of the word."""
    return not part or part[-1].isspace() or part[-1] == "<"


def _read(part: str) -> Addressee:
    name, address = "", part.strip()
    if address.endswith(">") and "<" in address:
        name, _, address = address[:-1].rpartition("<")
    return Addressee(clean.name(_unquote(name)), EmailAddress.parse(address.strip()))


def _unquote(name: str) -> str:
    return _QUOTED.sub(lambda found: _ESCAPED.sub(r"\1", found[1]), name.strip())


def _excerpt(part: str) -> str:
    shown = clean.name(part)
    return f"“{shown[:_SHOWN]}…”" if len(shown) > _SHOWN else f"“{shown}”"
