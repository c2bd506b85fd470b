"""`DnsDesk`: the records that a domain should publish, and what the DNS says of them when asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import BoundedSemaphore

from app.accounts import domains
from app.accounts.permissions import Permission
from app.admin import lines
from app.admin.gate import Gate, read_id
from app.admin_views import DnsLine, DnsPage
from app.config_kinds import HostPort
from app.delivery import dns_check
from app.delivery.dns_check import Ask, Finding
from app.viewer import Viewer
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import StoreBusy

AT_ONCE = 2  # checks; each asks with threads of its own, and its page waits for them


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsParts:
    """What the use cases are made of. `hostname`, `smarthost`: as in the configuration."""

    db: Database
    ask: Ask
    hostname: str
    smarthost: HostPort | None = None
    now: Callable[[], datetime] = field(default=utc_now)


class DnsDesk:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: DnsParts) -> None:
        self._parts = parts
        self._gate = Gate(parts.db, parts.now)
        self._places = BoundedSemaphore(AT_ONCE)

    def page(self, viewer: Viewer, domain_id: str, *, check: bool) -> DnsPage:
        """A domain with its records; `check`: and what stands there. Raises StoreBusy."""
        wanted, parts = read_id(domain_id), self._parts
        self._gate.require(viewer, Permission.CHANGE_DOMAIN, wanted)
        with self._gate.guarded(viewer), parts.db.read() as tx:
            domain = domains.find(tx, viewer, wanted)
            should = dns_check.expected(domain, parts.hostname, parts.smarthost)
            line = lines.domain_line(tx, domain)
        findings = self._asked(should) if check else dns_check.unasked(should)
        return DnsPage(domain=line, asked=check, lines=tuple(_line(one) for one in findings))

    def _asked(self, should: dns_check.Expected) -> list[Finding]:
        if not self._places.acquire(blocking=False):
            raise StoreBusy("too many domains are being checked")
        try:
            return dns_check.look(should, self._parts.ask)
        finally:
            self._places.release()


def _line(one: Finding) -> DnsLine:
    return DnsLine(
        kind=one.kind,
        host=one.host,
        result=one.result.name.lower(),
        found=one.found,
        wanted=one.wanted,
    )
