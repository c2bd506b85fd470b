"""How long a silent or slow client is waited for (RFC 5321 section 4.5.3.2). No clock of its own.

Meant to be asked now and then, not at each packet: a step is dated when it is first noticed. What
counts is a whole command, not a single octet: a client that sends one octet a minute gets no
further than a silent one. Data may take longer than its time as long as it keeps to a least rate.
Times are seconds of any steady clock.
"""

import math

from smtp_ingest.config import IngestConfig
from smtp_ingest.session import Phase, Session

LINGER = 5.0  # for a client to take our last words


class Patience:
    """The deadline of one session."""

    def __init__(self, config: IngestConfig, now: float) -> None:
        self._command = config.command_timeout.total_seconds()
        self._data = config.data_timeout.total_seconds()
        self._rate = config.data_min_rate
        self._max_size = config.max_size
        self._step = 0
        self._since = now

    def deadline(self, session: Session, now: float) -> float:
        """When to give up, should nothing more happen."""
        if session.steps != self._step:
            self._step, self._since = session.steps, now
        match session.phase:
            case Phase.COMMAND:
                return self._since + self._command
            case Phase.DATA:
                # What is beyond the size limit buys no more time.
                paid_for = min(session.data_arrived, self._max_size)
                return self._since + self._data + paid_for / self._rate
            case Phase.ANSWER:
                return math.inf
            case Phase.CLOSED:
                return self._since + LINGER
