"""The secrets that sign webhooks: made here, sealed in the database, and opened to send.

The key that seals them is derived from the keyring, so that neither the database nor a backup of
it can sign. What leaves is shown once to whoever sets a webhook; after that, the secret
of a domain that has events waiting, to the deliver role alone, which forgets it with them.
"""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.accounts import sessions
from app.accounts.permissions import Permission, allows
from app.audit import events
from app.keys.agent import KeyAgent
from app.models import Domain, Webhook, WebhookEvent
from app.secret import Secret
from app.viewer import Actor
from archive_store import seal
from archive_store.errors import KeysMissing, NotFound, SealBroken
from archive_store.ids import new_id
from archive_store.keyring import Keyring

SECRET_OCTETS = 32  # Standard Webhooks: 24 to 64
_LABEL = "webhook"


class MadeWebhooks:
    """The verbs of the admin socket, and of the web role's. The caller has checked the URL."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def set_webhook(self, operator: str, domain_id: bytes, url: str) -> Secret:
        """Set or change a domain's webhook; its new secret."""
        with self._agent.lock, self._agent.db.write() as tx:
            return self._set(tx, Actor.command_line(operator), domain_id, url)

    def set_domain_webhook(
        self, token: Secret, client_ip: str, domain_id: bytes, url: str
    ) -> Secret:
        """The same for a session that may change the domain."""
        with self._agent.lock, self._agent.db.write() as tx:
            viewer = sessions.current(tx, token, self._agent.now(), client_ip=client_ip)
            if viewer is None or not allows(viewer.user, Permission.CHANGE_DOMAIN, domain_id):
                raise NotFound("no such domain")
            return self._set(tx, viewer.actor, domain_id, url)

    def _set(self, tx: Session, actor: Actor, domain_id: bytes, url: str) -> Secret:
        domain = tx.get(Domain, domain_id)
        if domain is None:
            raise NotFound("no such domain")
        hook, secret = sealed(self._agent.keyring, domain_id)
        hook.url, hook.set_at = url, self._agent.now()
        tx.merge(hook)
        event = events.WebhookSet(domain=domain.name, host=urlsplit(url).hostname or "")
        audit.record(tx, event, trail=domain_id, actor=actor, at=hook.set_at)
        return secret


class DeliverWebhooks:
    """The verb of the deliver role's socket."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent

    def open_webhooks(self, event_ids: Sequence[bytes]) -> dict[bytes, Secret | None]:
        """The secrets, by domain, of events that wait; None: that one does not open."""
        with self._agent.lock, self._agent.db.read() as tx:
            return opened(tx, self._agent.keyring, event_ids)


def sealed(keyring: Keyring, domain_id: bytes) -> tuple[Webhook, Secret]:
    """A webhook that has a new secret and no URL yet, and the secret as its receiver needs it."""
    octets = secrets.token_bytes(SECRET_OCTETS)
    hook = Webhook(domain_id=domain_id, id=new_id())
    hook.sealed = seal.wrap_kek(keyring.secrets_key(_LABEL), octets, _place(hook))
    return hook, _shown(octets)


def opened(tx: Session, keyring: Keyring, event_ids: Sequence[bytes]) -> dict[bytes, Secret | None]:
    """The secrets of those of the events that wait still."""
    waits = WebhookEvent.id.in_(event_ids), WebhookEvent.done_at.is_(None)
    wanted = select(Webhook).join(WebhookEvent, WebhookEvent.domain_id == Webhook.domain_id)
    hooks = tx.scalars(wanted.where(*waits)).unique()
    return {hook.domain_id: _opened(keyring, hook) for hook in hooks}


def _opened(keyring: Keyring, hook: Webhook) -> Secret | None:
    try:
        return _shown(seal.unwrap_kek(keyring.secrets_key(_LABEL), hook.sealed, _place(hook)))
    except (KeysMissing, SealBroken):
        return None  # it was damaged, or sealed under a keyring that is lost


def _place(hook: Webhook) -> bytes:
    return seal.context("webhook", hook.domain_id, hook.id)


def _shown(octets: bytes) -> Secret:
    """As Standard Webhooks writes it."""
    return Secret("whsec_" + b64encode(octets).decode())
