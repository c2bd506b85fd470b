"""Where a domain takes its mail: MX, else its own addresses (RFC 5321 section 5.1).

`find` never raises: trouble with the DNS is Deferred, a domain that takes no mail is
Failed (null MX: RFC 7505 section 4.2). Hosts come in the order in which they are to be
tried; equals are shuffled. A stranger chooses what his MX points to, so addresses of this
machine and of its links are never connected to. The whole search has LIFETIME seconds.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

from app.accounts.domains import Tls
from app.delivery.outcome import Deferred, Failed

LIFETIME = 20.0
MAX_ADDRESSES = 6
SMTP_PORT = 25

DNS_TROUBLE = Deferred(451, "4.4.3 The DNS does not answer for the recipient's domain")
NO_DOMAIN = Failed(550, "5.1.2 The recipient's domain does not exist")
NO_SERVER = Failed(550, "5.4.4 The recipient's domain has no mail server that can be reached")
NULL_MX = Failed(556, "5.1.10 The recipient's domain takes no mail")  # RFC 7505 section 4.2
LOOP = Failed(554, "5.4.6 The recipient's domain sends its mail to this very server")

_random = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Target:
    """A server to try. Without `addresses` the system's resolver knows the host."""

    host: str
    port: int
    addresses: tuple[str, ...] = ()
    tls: Tls = Tls.MAY


def may_connect(address: str) -> bool:
    """Whether mail to a stranger's MX may go to this address."""
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)


class MailExchangers:
    """Looks up where domains take their mail."""

    def __init__(
        self,
        hostname: str,
        resolver: dns.asyncresolver.Resolver | None = None,
        *,
        port: int = SMTP_PORT,
        allowed: Callable[[str], bool] = may_connect,
    ) -> None:
        self._own = dns.name.from_text(hostname)
        self._resolver = resolver
        self._port = port
        self._allowed = allowed

    async def find(self, domain: str) -> tuple[Target, ...] | Deferred | Failed:
        """The servers of a domain, given as A-labels or as an address literal."""
        if domain.startswith("["):
            address = domain.strip("[]").removeprefix("IPv6:")
            return (Target(address, self._port, (address,)),) if self._allowed(address) else LOOP
        try:
            async with asyncio.timeout(LIFETIME):
                return await self._find(dns.name.from_text(domain))
        except dns.resolver.NXDOMAIN:
            return NO_DOMAIN
        except (dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.EmptyLabel):
            return NO_DOMAIN
        except (dns.exception.DNSException, TimeoutError, OSError):
            return DNS_TROUBLE

    async def _find(self, domain: dns.name.Name) -> tuple[Target, ...] | Failed:
        hosts = await self._exchangers(domain)
        if hosts == [(0, dns.name.root)]:
            return NULL_MX
        own = [preference for preference, host in hosts if host == self._own]
        if own:  # only those that are better than ourselves, or the mail runs in a circle
            hosts = [(preference, host) for preference, host in hosts if preference < min(own)]
            if not hosts:
                return LOOP
        targets = [await self._target(host) for _, host in hosts[:MAX_ADDRESSES]]
        found = tuple(target for target in targets if target.addresses)
        return found or NO_SERVER

    async def _exchangers(self, domain: dns.name.Name) -> list[tuple[int, dns.name.Name]]:
        try:
            answer = await self._ask(domain, "MX")
        except dns.resolver.NoAnswer:
            return [(0, domain)]  # the implicit MX
        found = [(record.preference, record.exchange) for record in answer]
        found.sort(key=lambda one: (one[0], _random.random()))
        return found

    async def _target(self, host: dns.name.Name) -> Target:
        addresses: list[str] = []
        trouble: Exception | None = None
        for kind in ("AAAA", "A"):
            try:
                addresses += [record.address for record in await self._ask(host, kind)]
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
                continue
            except dns.exception.DNSException as error:
                trouble = error
        if trouble is not None and not addresses:
            raise trouble
        allowed = tuple(address for address in addresses if self._allowed(address))
        return Target(str(host).rstrip("."), self._port, allowed[:MAX_ADDRESSES])

    async def _ask(self, name: dns.name.Name, kind: str) -> dns.resolver.Answer:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver()
        return await self._resolver.resolve(name, kind, search=False)
