"""Who knocks: what every way of logging in is told of the browser."""

from __future__ import annotations

from typing import Protocol

from app.accounts import sessions
from app.accounts.sessions import Client
from app.secret import Secret


class Caller(Protocol):
    """Where a request comes from."""

    @property
    def client_ip(self) -> str: ...
    @property
    def user_agent(self) -> str: ...
    @property
    def public_computer(self) -> bool: ...
    @property
    def device(self) -> Secret | None: ...


def client_of(caller: Caller) -> Client:
    """Where a log-in comes from."""
    return Client(
        ip=caller.client_ip,
        user_agent=caller.user_agent,
        public_computer=caller.public_computer,
        device=sessions.hash_of(caller.device) if caller.device else b"",
    )
