"""Settings of the deliver role; frozen, made from the installation's configuration."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from app.config import Config
from app.config_kinds import HostPort
from app.delivery.health import PROMPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Patience with another server (RFC 5321 section 4.5.3.2), in seconds.

    `data` covers sending a message and waiting for the reply after its final dot.
    """

    connect: float = 20
    greeting: float = 60
    command: float = 300
    data: float = 600
    probe: float = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverConfig:
    """What the deliver role needs to know."""

    hostname: str
    run_dir: Path
    smarthost: HostPort | None = None
    public_url: str = ""  # where people read their mail
    webhooks_private: bool = False  # they may go to any address, and in plain http
    authorities: Path | None = None  # of certificates of other servers, beside the system's
    keep: timedelta = timedelta(days=7)  # how long delivery is tried
    sessions: int = 20  # SMTP sessions at once
    sessions_per_destination: int = 5
    octets_in_hand: int = 128 * 1024 * 1024  # of messages that are open in memory
    lease: timedelta = timedelta(seconds=60)
    idle_poll: float = 0.3  # seconds between two looks at an idle queue
    # Seconds without contact after which a primary is probed, by what is known of it; `prompt` is
    # how long its greeting may take until it counts as slow.
    probe_up: float = 30
    probe_suspect: float = 2
    probe_down: float = 5
    prompt: float = PROMPT
    # Seconds; with `outside.AT_ONCE` this is the rate of all mail to addresses outside.
    outside_tick: float = 5
    timeouts: Timeouts = Timeouts()

    @classmethod
    def of(cls, config: Config) -> Self:
        """The part of the installation's settings that is ours."""
        return cls(
            hostname=config.hostname,
            run_dir=config.data_dir / "run",
            smarthost=config.smarthost,
            public_url=config.public_url,
            webhooks_private=config.webhooks_private,
            authorities=config.tls_authorities,
            keep=timedelta(days=config.mailbag_days),
        )
