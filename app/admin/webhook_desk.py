"""`WebhookDesk`: what the pages may do with a domain's webhook.

The secret is shown once, when it is made, and the URL never again: its path may be a secret, too.
Where requests may go to private addresses, only the service provider sets where, since whoever
chooses the URL could knock at what lies inside.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.accounts import domains
from app.accounts.permissions import Permission
from app.admin import lines
from app.admin.gate import Gate, read_id
from app.admin_views import WebhookLine, WebhookPage
from app.delivery import webhooks
from app.models import Webhook, WebhookEvent
from app.phrase import phrase
from app.secret import Secret
from app.viewer import Viewer
from app.views import BadEntry
from archive_store.clock import utc_now
from archive_store.db import Database

SHOWN = 10  # events
TESTS_EVERY = timedelta(seconds=10)
FIELD = "url"


class WebhookKeys(Protocol):
    """The keys role, as far as this page needs it."""

    def set_domain_webhook(
        self, token: Secret, client_ip: str, domain_id: bytes, url: str
    ) -> Secret:
        """Set a domain's webhook for a session that may; its new secret. Raises StoreError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookParts:
    """What the use cases are made of. `private`: requests may go to private addresses."""

    db: Database
    keys: WebhookKeys
    private: bool = False
    now: Callable[[], datetime] = field(default=utc_now)


class WebhookDesk:
    """The use cases. Safe to share between threads."""

    def __init__(self, parts: WebhookParts) -> None:
        self._db = parts.db
        self._keys = parts.keys
        self._private = parts.private
        self._now = parts.now
        self._gate = Gate(parts.db, parts.now)
        self._sets = Permission.ROUTE_DOMAIN if parts.private else Permission.CHANGE_DOMAIN

    def page(self, viewer: Viewer, domain_id: str) -> WebhookPage:
        """A domain with its webhook, and what became of the newest events."""
        wanted = self._allowed(viewer, domain_id, Permission.CHANGE_DOMAIN)
        with self._gate.guarded(viewer), self._db.read() as tx:
            domain = domains.find(tx, viewer, wanted)
            hook = tx.get(Webhook, domain.id)
            return WebhookPage(
                domain=lines.domain_line(tx, domain),
                host=webhooks.host_of(hook.url) if hook else "",
                set_at=hook.set_at if hook else None,
                lines=tuple(_line(one) for one in webhooks.recent(tx, domain.id, SHOWN)),
            )

    def set(self, viewer: Viewer, domain_id: str, url: str) -> Secret:
        """Set it, or change it; the new secret."""
        wanted = self._allowed(viewer, domain_id, self._sets)
        with self._gate.guarded(viewer):
            checked = webhooks.checked(url, private=self._private)
            return self._keys.set_domain_webhook(viewer.token, viewer.client_ip, wanted, checked)

    def test(self, viewer: Viewer, domain_id: str) -> None:
        """Put a `webhook.test` event on its way."""
        wanted, now = self._allowed(viewer, domain_id, Permission.CHANGE_DOMAIN), self._now()
        with self._gate.guarded(viewer), self._db.write() as tx:
            domain = domains.find(tx, viewer, wanted)
            newest = webhooks.latest(tx, domain.id)
            if newest is not None and newest.created_at > now - TESTS_EVERY:
                raise BadEntry(FIELD, phrase("An event is on its way already. Wait a moment."))
            if not webhooks.put(tx, domain.id, webhooks.TEST, {"domain": domain.name}, now):
                raise BadEntry(FIELD, phrase("There is no webhook to test."))

    def remove(self, viewer: Viewer, domain_id: str) -> None:
        """Tell no program any more."""
        wanted = self._allowed(viewer, domain_id, Permission.CHANGE_DOMAIN)
        with self._gate.guarded(viewer), self._db.write() as tx:
            webhooks.remove(tx, viewer, domains.find(tx, viewer, wanted), self._now())

    def _allowed(self, viewer: Viewer, domain_id: str, permission: Permission) -> bytes:
        wanted = read_id(domain_id)
        self._gate.require(viewer, permission, wanted)
        return wanted


def _line(event: WebhookEvent) -> WebhookLine:
    waits = event.done_at is None
    return WebhookLine(
        at=event.created_at,
        kind=str(json.loads(event.body)["type"]),
        state="waiting" if waits else "failed" if event.last_error else "taken",
        attempts=event.attempts,
        error=event.last_error,
        next_at=event.next_attempt_at if waits else None,
    )
