"""Where links lead, and which of them seem to lead elsewhere.

A link is marked when its text shows a web address or an address of mail and it leads to another
registrable domain; when a domain stands before an at sign in it (https://bank.example@evil.example);
when its host has letters that look like others, or is an IP address of the Internet. Plain words
claim nothing, so that the links of newsletters get no mark however they are counted. The gateways
of mail filters, which wrap every link, are judged by what they wrap. Nothing here raises.
"""

from __future__ import annotations

import html as entities
import re
import unicodedata
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from app.markup import domains
from app.markup.attributes import safe_link
from archive_store.mime.html_tokens import Kind, attributes, tokens

LONGEST_TEXT: Final = 2_000  # characters of a link's text that are looked at
LONGEST_TITLE: Final = 300
MOST_CLAIMS: Final = 20
SIGN: Final = "\u26a0"

_HOST: Final = r"[^\s/\\?#@:()<>\[\]\"',;]{1,253}"
_CLAIMED: Final = re.compile(rf"(?:https?://(?:[^\s/@]*@)?|\bwww\.)({_HOST})", re.IGNORECASE)
_BARE: Final = re.compile(rf"({_HOST}\.[^\W\d_]{{2,24}})(?:[:/]\S*)?")
_HEAD: Final = re.compile(r"https?:[/\\]*[^/\\?#]*", re.IGNORECASE)
_IN_TEXT: Final = re.compile(
    r"(?:https?://|(?<![/\w])(?=www\.))([^\s<>\"]{1,2000}+)", re.IGNORECASE
)
_TEXT_READ: Final = 2 * 1024 * 1024
_MAILBOX: Final = re.compile(rf"[^\s@<>]{{1,64}}@({_HOST}\.[^\W\d_]{{2,24}})")
# Endings of domains that are endings of files, too: "README.md" claims nothing.
_OF_FILES: Final = frozenset("cab cc java md mov pl ps py rs sh so zip".split())
_PARTS: Final = frozenset(
    "address article aside blockquote br caption center dd div dl dt figcaption figure footer h1 "
    "h2 h3 h4 h5 h6 header hr img "
    "li main ol p pre section table tbody td tfoot th thead tr ul".split()
)
# Gateways that wrap links, and the part of the query that has what is wrapped.
_WRAPPED_IN: Final = {
    "safelinks.protection.outlook.com": "url",
    "linkprotect.cudasvc.com": "a",
    "protection.sophos.com": "u",
}
_GATEWAYS: Final = tuple(_WRAPPED_IN)
_URLDEFENSE: Final = re.compile(r"https?://urldefense\.(?:com|us)/v3/__(.+?)__;", re.IGNORECASE)


def suspicion(url: str, text: str) -> str:
    """The place that a link really leads to, for people; empty when nothing is odd about it."""
    url = unwrapped(url)
    if url[:7].lower() == "mailto:":
        return _other_mailbox(url, text)
    host, _ = domains.authority(url)
    if disguise := disguised(url):
        return disguise
    shown = claimed(text)
    if not shown or not host:
        address = domains.ip_of(host)
        return host if address is not None and address.is_global else ""
    return "" if any(_are_one(one, host) for one in shown) else domains.spelled(host)


def disguised(url: str) -> str:
    """The same of an address that stands there as it is, as in plain text."""
    host, user = domains.authority(url)
    if domains.looks_like_another(host) or _is_domain(user):
        return domains.spelled(host)
    return ""


def claimed(text: str) -> list[str]:
    """The hosts that a text shows: addresses of the web anywhere in it, or a domain that is all
    of it.
    """
    if "." not in text and text.isascii():
        return []
    text = _plain(text)
    found = _CLAIMED.findall(text)
    if found:
        return [domains.host_of(one.rstrip(".!*_~")) for one in found[:MOST_CLAIMS]]
    bare = _BARE.fullmatch(text.rstrip(".:!"))
    if bare is None:
        return []
    host = domains.host_of(bare[1])
    known = domains.is_public(host) and host.rpartition(".")[2] not in _OF_FILES
    return [host] if known else []


def destination(url: str) -> str:
    """Where a link leads, as one line for people: without what stands before an at sign."""
    host, _ = domains.authority(url)
    if not host:
        return _line(url)
    rest = _HEAD.sub("", url, count=1)
    return _line(f"{domains.spelled(host)}{'' if rest == '/' else rest}")


def unwrapped(url: str) -> str:
    """The address that a mail filter's gateway wraps, once; any other address as it is."""
    defended = _URLDEFENSE.match(url)
    if defended:
        return defended[1].replace("*", "") if "://" in defended[1] else url
    host, _ = domains.authority(url)
    if not host.endswith(_GATEWAYS):
        return url
    for gateway, name in _WRAPPED_IN.items():
        if host == gateway or host.endswith(f".{gateway}"):
            return _in_query(url, name) or url
    return url


class Reader:
    """Follows the tokens of a document, and judges each link when it ends."""

    def __init__(self) -> None:
        self.marked = 0
        self.title: str | None = None  # of the element that began; None: what it says itself
        self._url: str | None = None
        self._text: list[str] = []
        self._room = 0

    def start(self, name: str, written: str) -> str:
        """An element begins; the place that a link leads to that ends with it, as `suspicion`."""
        ended = self.end("a") if name == "a" else ""
        if name == "a":
            self._url = safe_link(entities.unescape(attribute(written, "href")))
            self._text, self._room = [], LONGEST_TEXT
            self.title = destination(self._url) if self._url else None
            return ended
        # Within a link the pointer is told where that leads, and nothing else.
        self.title = None if self._url is None else ""
        if self._url is not None and name in _PARTS:
            # Where a picture is not shown, its text stands for it.
            alt = entities.unescape(attribute(written, "alt")) if name == "img" else ""
            self.text(f" {alt} ")
        return ended

    def text(self, written: str) -> None:
        if self._url is not None and self._room > 0:
            self._text.append(written[: self._room])
            self._room -= len(written)

    def end(self, name: str) -> str:
        """An element ends; likewise."""
        if name != "a" or self._url is None:
            if self._url is not None and name in _PARTS:
                self.text(" ")
            return ""
        place = suspicion(self._url, entities.unescape("".join(self._text)))
        self._url = None
        self.marked += bool(place)
        return place


def marked_links(html: str) -> int:
    """How many links of an HTML body get a mark."""
    if "href" not in html and "HREF" not in html.upper():
        return 0
    reader = Reader()
    for kind, name, value in tokens(html):
        if kind is Kind.TEXT:
            reader.text(value)
        elif kind is Kind.START:
            reader.start(name, value)
        elif kind is Kind.END:
            reader.end(name)
    reader.end("a")
    return reader.marked


def disguised_links(text: str) -> int:
    """How many links of a plain text get one."""
    if "://" not in text and "www." not in text:
        return 0
    return sum(bool(disguised(f"https://{rest}")) for rest in _IN_TEXT.findall(text[:_TEXT_READ]))


def attribute(written: str, name: str) -> str:
    """The first of that name, as a browser takes it; empty: there is none."""
    return next((value for one, value in attributes(written) if one == name), "")


def _other_mailbox(url: str, text: str) -> str:
    shown = _MAILBOX.fullmatch(_plain(text).rstrip(".:!"))
    target = unquote(url[7:].partition("?")[0])
    host = domains.host_of(target.rpartition("@")[2])
    if shown is None or _are_one(domains.host_of(shown[1]), host):
        return ""
    return _line(target)


def _are_one(shown: str, host: str) -> bool:
    return domains.registrable(shown) == domains.registrable(host)


def _is_domain(user: str) -> bool:
    return bool(user) and domains.is_public(domains.host_of(re.split(r"[:/\\]", user)[0]))


def _plain(text: str) -> str:
    """What a text reads as: no marks that nobody sees, single blanks; turned where it is turned."""
    text = text[:LONGEST_TEXT]
    if "\u202e" in text:
        text = text[::-1]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(one for one in text if unicodedata.category(one) != "Cf")
    return " ".join(text.split())


def _line(text: str) -> str:
    """Bounded, and with nothing that hides or turns its end."""
    if text.isprintable() and text.isascii():
        return text if len(text) <= LONGEST_TITLE else f"{text[:LONGEST_TITLE]}\u2026"
    seen = (
        one if one.isprintable() else quote(one, errors="replace") for one in text[:LONGEST_TITLE]
    )
    return "".join(seen) + ("\u2026" if len(text) > LONGEST_TITLE else "")


def _in_query(url: str, name: str) -> str:
    try:
        found = parse_qs(urlsplit(url).query, max_num_fields=50).get(name, [""])[0]
    except ValueError:
        return ""
    return found if safe_link(found) else ""
