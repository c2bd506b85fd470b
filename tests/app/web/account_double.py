"""Signing in and out, in memory."""

import itertools
from dataclasses import dataclass, field
from datetime import timedelta

from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry, LoginRefused, LoginThrottled, SessionView, Visit
from app.web.deps import LoginAttempt
from archive_store.errors import NotFound
from tests.app.web import sample


@dataclass
class AccountDouble:
    """Sessions in a dict. `throttled` makes the next attempts wait that many seconds."""

    visits: dict[str, Visit] = field(default_factory=dict)
    throttled: int = 0
    used: int = 0
    attempts: list[LoginAttempt] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def login(self, attempt: LoginAttempt) -> Secret:
        self.attempts.append(attempt)
        if self.throttled:
            raise LoginThrottled(self.throttled)
        user = sample.PEOPLE.get(attempt.address)
        if user is None or attempt.password.reveal() != sample.PASSWORD:
            raise LoginRefused
        token = Secret(f"token-{next(self.numbers)}-of-{attempt.address}")
        has_mail = user.role in ("user", "domain-admin")
        self.visits[token.reveal()] = Visit(
            viewer=Viewer(
                user=user,
                mailbox_id=user.id if has_mail else None,
                token=token,
                client_ip=attempt.client_ip,
                session_id=token.reveal().encode(),
            ),
            public_computer=attempt.public_computer,
            expires_at=sample.NOW + timedelta(minutes=14),
        )
        return token

    def current(self, token: Secret, client_ip: str) -> Visit | None:
        self.used += 1
        return self.visits.get(token.reveal())

    def glance(self, token: Secret, client_ip: str) -> Visit | None:
        return self.visits.get(token.reveal())

    def logout(self, viewer: Viewer) -> None:
        self.visits.pop(viewer.token.reveal(), None)

    def sessions(self, viewer: Viewer) -> tuple[SessionView, ...]:
        agents = (
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36", "198.51.100.7", 0.1),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0) Version/19 Safari/604.1", "203.0.113.18", 1),
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", "2001:db8:0:7::1", 37),
        )
        return tuple(
            SessionView(
                id=f"s{n}",
                client_ip=ip,
                user_agent=agent,
                created_at=sample.NOW - timedelta(hours=hours + 2),
                seen_at=sample.NOW - timedelta(hours=hours),
                expires_at=sample.NOW + timedelta(hours=9),
                public_computer=n == 2,
                current=n == 0,
            )
            for n, (agent, ip, hours) in enumerate(agents)
        )

    def revoke(self, viewer: Viewer, session_id: str) -> None:
        if session_id not in ("s1", "s2"):
            raise NotFound

    def revoke_others(self, viewer: Viewer) -> None:
        pass

    def revoke_all(self, viewer: Viewer) -> None:
        self.visits.pop(viewer.token.reveal(), None)

    def change_password(self, viewer: Viewer, old: Secret, new: Secret) -> None:
        if old.reveal() != sample.PASSWORD:
            raise BadEntry("old", "That is not your password now.")
        if len(new.reveal()) < 12:
            raise BadEntry("new", "Twelve characters at least.")
