"""What a sender's name and address pose as: the one thing a reader should be told of it, if any.

A name proves nothing, and programs of mail show it large. By weight: the name of somebody in the
reader's organisation over an address elsewhere; a name that is itself another address; a domain
with letters that look like others (in the spirit of Unicode UTS #39, as far as Latin, Cyrillic and
Greek go). Ordinary mail is told nothing of. Whether the address itself is forged is not judged.
"""

from __future__ import annotations

import re
import unicodedata
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.markup import domains
from app.models import Identity, User
from app.phrase import Phrase, phrase
from app.viewer import Viewer
from archive_store.mime.values import Address

LONGEST_NAME: Final = 300  # characters that are looked at
_ADDRESS: Final = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ADDED: Final = re.compile(r"\s*[(|\[/]|\s[-\u2013\u2014]\s")  # "Maria Chen (CEO)", "Maria | Acme"
# And those of which the capital does, since names begin with one.
_ALIKE_IN_NAMES: Final = str.maketrans(
    domains.ALIKE
    | dict(
        zip(
            "\u0432\u043d\u043c\u0442\u043a\u03b2\u03b7\u03bc\u03c4\u03ba\u03c7\u03b5",
            "bhmtkbhmtkxe",
            strict=True,
        )
    )
)
_ASCII_SMALL: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


def told_of(tx: Session, viewer: Viewer, sender: Address) -> Phrase | None:
    """The one thing to be told of a sender; None of nearly all."""
    posed = colleague_posed_as(tx, viewer, sender)
    if posed:
        return phrase(
            "This is not the address of %(name)s in your organisation, which is %(address)s.",
            name=posed.name,
            address=posed.address,
        )
    claimed = address_in_name(sender)
    if claimed:
        return phrase(
            "The sender's name says %(claimed)s, but the mail is from %(address)s.",
            claimed=claimed,
            address=sender.address,
        )
    domain = sender.address.rpartition("@")[2]
    if domains.looks_like_another(domain):
        return phrase(
            "The domain of this address has letters that look like others. Its name is %(domain)s.",
            domain=domains.in_ascii(domain),
        )
    return None


def colleague_posed_as(tx: Session, viewer: Viewer, sender: Address) -> Address | None:
    """Whose name of the viewer's organisation it is, when none of its addresses is."""
    name = skeleton(sender.name)
    names = {name, skeleton(_ADDED.split(sender.name[:LONGEST_NAME])[0]), _turned(name)}
    names = {one for one in names if " " in one}  # a first name alone is anybody's
    # A database may fold ASCII alone (SQLite; PostgreSQL in the locale C), and leave "Özlem".
    names |= {one.title().translate(_ASCII_SMALL) for one in names}
    own = viewer.user.domain_name.casefold()
    domain = sender.address.rpartition("@")[2].casefold()
    if not names or viewer.user.domain_id is None or not sender.address:
        return None
    if domain == own or domain.endswith(f".{own}"):
        return None
    people = select(User.name, User.address).where(
        User.domain_id == viewer.user.domain_id, func.lower(User.name).in_(names)
    )
    found = tx.execute(people.order_by(User.address_key).limit(1)).first()
    if found is None or _is_of_the_organisation(tx, viewer, sender.address):
        return None
    return Address(found.name, found.address)


def address_in_name(sender: Address) -> str:
    """An address in the name that is at another domain than the real one; empty: there is none."""
    plain = unicodedata.normalize("NFKC", sender.name[:LONGEST_NAME])
    domain = sender.address.rpartition("@")[2].casefold()
    for found in _ADDRESS.findall(plain):
        if sender.address and not _are_related(found.rpartition("@")[2].casefold(), domain):
            return str(found)
    return ""


def skeleton(name: str) -> str:
    """What a name reads as: small letters of one alphabet, nothing invisible, single blanks."""
    plain = unicodedata.normalize("NFKC", name[:LONGEST_NAME])
    seen = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    folded = seen.lower()
    if any(one.isascii() and one.isalpha() for one in folded):
        folded = folded.translate(_ALIKE_IN_NAMES)  # a name in Cyrillic alone is just that
    return " ".join(folded.replace('"', " ").split()).strip("'")


def _turned(name: str) -> str:
    """ "Chen, Maria" the other way round."""
    last, comma, first = name.partition(", ")
    return f"{first} {last}" if comma else name


def _is_of_the_organisation(tx: Session, viewer: Viewer, address: str) -> bool:
    mine = select(Identity.id).join(User, Identity.user_id == User.id)
    mine = mine.where(
        User.domain_id == viewer.user.domain_id, func.lower(Identity.address) == address.lower()
    )
    return tx.execute(mine.limit(1)).first() is not None


def _are_related(one: str, other: str) -> bool:
    """Whether two domains share their last two labels: news.shop.example and shop.example."""
    return one.split(".")[-2:] == other.split(".")[-2:]
