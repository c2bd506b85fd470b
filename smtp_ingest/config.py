"""What an operator may set about the door. Frozen, checked when made; ConfigError names the field.

Sizes are octets of mail after dot-unstuffing. The limits on sessions and on octets in flight
hold for one process.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from archive_store.errors import ConfigError
from smtp_ingest.trust import TrustedHosts

KIB = 1024
MIB = 1024 * KIB

KEPT_FOR_SMALL = 32 * MIB  # of the octets in flight, where there are that many more than max_size

_HOSTNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,253}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig:
    """Limits and names of the SMTP and LMTP listeners."""

    hostname: str
    max_size: int = 50 * MIB
    max_octets_in_flight: int = 2 * 50 * MIB + KEPT_FOR_SMALL
    max_recipients: int = 1000
    max_received_lines: int = 100
    max_sessions: int = 2500
    max_sessions_per_peer: int = 200
    max_errors: int = 20
    command_timeout: timedelta = timedelta(seconds=300)  # RFC 5321 section 4.5.3.2.7
    data_timeout: timedelta = timedelta(seconds=600)
    # Beyond data_timeout a sender may go on as long as it has kept to this rate, in octets/s.
    data_min_rate: int = 4 * KIB
    stop_grace: timedelta = timedelta(seconds=25)
    needs_auth: bool = False  # on SMTP and SMTPS
    trusted: TrustedHosts = field(default_factory=TrustedHosts)

    def needs_auth_on(self, listener: str) -> bool:
        """Whether the listener of that name takes mail only from who has logged in."""
        return self.needs_auth and listener != "lmtp"

    def __post_init__(self) -> None:
        if not _HOSTNAME.fullmatch(self.hostname):
            raise ConfigError("hostname must be the host name of this mail server")
        for name in (
            "max_size",
            "max_recipients",
            "max_received_lines",
            "max_sessions",
            "max_sessions_per_peer",
            "max_errors",
            "data_min_rate",
        ):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1")
        if self.max_octets_in_flight < self.max_size:
            raise ConfigError("max_octets_in_flight must be at least max_size")
        for name in ("command_timeout", "data_timeout"):
            if getattr(self, name) <= timedelta(0):
                raise ConfigError(f"{name} must be more than 0 seconds")
        if self.stop_grace < timedelta(0):
            raise ConfigError("stop_grace must not be negative")
