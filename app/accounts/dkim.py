"""The keys that sign a domain's outgoing mail, and the DNS records that publish them (RFC 6376).

Keys are made in pairs with a name: an RSA one, whose selector is the name, and an Ed25519 one
(RFC 8463), whose selector is the name with `-ed`. Making them changes nothing: they sign once
`domain set NAME dkim=...` names them. Those that signed before stay, so that their records can
stand until the last of their mail was checked, and are removed by name.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app import audit
from app.accounts.errors import Invalid, Unknown
from app.accounts.permissions import Permission, require
from app.audit.events import DkimKeysRemoved
from app.models import DkimKey, Domain
from app.viewer import Actor, Viewer

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")
_TXT_OCTETS = 255  # of one character-string (RFC 1035 section 3.3)


class Algorithm(StrEnum):
    """How a key signs; the value is what `k=` of its record says."""

    RSA = "rsa"
    ED25519 = "ed25519"

    def selector(self, name: str) -> str:
        """Under which selector the key of a pair is published."""
        return name if self is Algorithm.RSA else f"{name}-ed"


@dataclass(frozen=True, slots=True)
class TxtRecord:
    """A TXT record to publish."""

    host: str
    value: str

    @property
    def zone_text(self) -> str:
        """The value as a zone file has it: quoted, in strings that are not too long."""
        cuts = range(0, len(self.value), _TXT_OCTETS)
        return " ".join(f'"{self.value[at : at + _TXT_OCTETS]}"' for at in cuts)


def record_of(key: DkimKey, domain: Domain) -> TxtRecord:
    """The record that publishes a key (RFC 6376 section 3.6.1)."""
    public = base64.b64encode(key.public).decode()
    value = f"v=DKIM1; k={key.algorithm}; p={public}"
    return TxtRecord(f"{key.selector}._domainkey.{domain.name}", value)


def parse_name(text: str) -> str:
    """The name of a pair of keys, which is the selector of the first; raises Invalid."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise Invalid("selector", "selector: expected letters, digits and hyphens, at most 50")
    return name


def next_name(domain: Domain, now: datetime) -> str:
    """A name that no keys of the domain have: the day, and a number when that is taken."""
    day = f"la{now:%Y%m%d}"
    taken = {key.name for key in domain.dkim_keys}
    names = (day, *(f"{day}-{number}" for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def remove(tx: Session, who: Viewer | Actor, domain: Domain, name: str, now: datetime) -> None:
    """Forget keys that sign no more. Their records can go a week after their last mail."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    if name == domain.dkim:
        raise Invalid("selector", f"{name} signs now: sign with others, or with none, before")
    if name not in {key.name for key in domain.dkim_keys}:
        raise Unknown(f"{domain.name} has no DKIM keys {name}")
    tx.execute(delete(DkimKey).where(DkimKey.domain_id == domain.id, DkimKey.name == name))
    tx.expire(domain, ["dkim_keys"])
    event = DkimKeysRemoved(domain=domain.name, selector=name)
    audit.record(tx, event, trail=domain.id, actor=actor, at=now)
