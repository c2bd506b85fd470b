"""Who may open a session: so many in all, so many from one address (RFC 5321 section 3.8).

An IPv6 client is counted by its /64, which is what one customer of a provider has.
"""

import ipaddress
from collections import Counter

from smtp_ingest import replies
from smtp_ingest.config import IngestConfig
from smtp_ingest.replies import Reply


class Admission:
    """The sessions of one process, by peer. Used from one event loop only."""

    def __init__(self, config: IngestConfig) -> None:
        self._config = config
        self._by_peer: Counter[str] = Counter()
        self._all = 0

    def enter(self, client_ip: str) -> Reply | None:
        """Count a session in, or return why not."""
        peer = _peer(client_ip)
        if self._all >= self._config.max_sessions:
            return replies.TOO_MANY_SESSIONS
        if self._by_peer[peer] >= self._config.max_sessions_per_peer:
            return replies.TOO_MANY_FROM_PEER
        self._all += 1
        self._by_peer[peer] += 1
        return None

    def leave(self, client_ip: str) -> None:
        """Count out a session that was counted in."""
        peer = _peer(client_ip)
        self._all -= 1
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]  # or every address that ever came would stay


def _peer(client_ip: str) -> str:
    if ":" not in client_ip:
        return client_ip
    network = ipaddress.ip_network((client_ip.partition("%")[0], 64), strict=False)
    return str(network)
