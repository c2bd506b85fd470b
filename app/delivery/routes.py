"""The route of a recipient: the servers to try, or why there is none.

    primary    the domain's own mail server
    outgoing   the domain's smarthost, else the installation's, else the recipient's MX;
               for a domain that we relay for it is that domain's own mail server, since its
               MX would be this very service

Trouble is an outcome, never an exception.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.accounts.domains import Tls
from app.config_kinds import HostPort, parse_host_port
from app.delivery.mx import MailExchangers, Target
from app.delivery.outcome import Deferred, Failed
from app.models import Domain
from archive_store.address import EmailAddress

NO_PRIMARY = Deferred(0, "4.3.5 No mail server is set for this domain")
NO_SMARTHOST = Deferred(0, "4.3.5 The smarthost that is set is no HOST:PORT")


@dataclass(frozen=True, slots=True)
class Route:
    """Servers in the order in which to try them. `key` names the destination."""

    key: str
    targets: tuple[Target, ...]


NoRoute: TypeAlias = Deferred | Failed


def primary(domain: Domain) -> HostPort | None:
    """The domain's own mail server; None in copy mode."""
    if domain.mode != "relay" or not domain.relay_host:
        return None
    return HostPort(domain.relay_host, domain.relay_port)


def primary_target(domain: Domain) -> Target | None:
    """The domain's own mail server, and how to talk to it."""
    server = primary(domain)
    if server is None:
        return None
    return Target(server.host, server.port, tls=Tls(domain.relay_tls or Tls.MAY))


def towards(server: HostPort, tls: Tls = Tls.MAY) -> Route:
    """The route to one server that somebody set."""
    return _only(Target(server.host, server.port, tls=tls))


def _only(target: Target) -> Route:
    # Whoever asks for more of a server may fail where others do not.
    name = str(HostPort(target.host, target.port))
    return Route(name if target.tls is Tls.MAY else f"{name} {target.tls}", (target,))


def primary_route(domain: Domain) -> Route | NoRoute:
    """The route of what comes in for a domain."""
    target = primary_target(domain)
    return _only(target) if target else NO_PRIMARY


class Routes:
    """Knows the way out."""

    def __init__(self, exchangers: MailExchangers, smarthost: HostPort | None) -> None:
        self._exchangers = exchangers
        self._smarthost = smarthost

    async def outgoing(
        self,
        sender: Domain,
        recipient: EmailAddress,
        ours: Mapping[str, Domain],
        *,
        past_primary: bool = False,
    ) -> Route | NoRoute:
        """The route of what a domain sends; `ours` are our domains by name. `past_primary`: not
        by a smarthost that is the domain's own mail server.
        """
        domain = recipient.ascii_domain
        own = ours.get(domain)
        target = primary_target(own) if own else None
        if target is not None:
            return _only(target)
        server = None
        if sender.smarthost:
            try:
                server = parse_host_port(sender.smarthost)
            except ValueError:
                return NO_SMARTHOST
        if past_primary and server is not None and server.host == sender.relay_host:
            server = None
        server = server or self._smarthost
        if server is not None:
            return towards(server, Tls(sender.smarthost_tls or Tls.MAY))
        found = await self._exchangers.find(domain)
        return found if isinstance(found, Deferred | Failed) else Route(domain, found)
