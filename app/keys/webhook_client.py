"""What is asked of the keys role about webhooks: the other end of `app.keys.webhooks`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from app.keys.protocol import octets, text
from app.secret import Secret


class WebhookQuestions(ABC):
    """The part of `KeysClient` that is about webhooks."""

    @abstractmethod
    def _ask(self, verb: str, **arguments: Any) -> Any: ...

    def set_webhook(self, operator: str, domain_id: bytes, url: str) -> Secret:
        """Set a domain's webhook; its new secret. Audited."""
        domain = text(domain_id)
        return Secret(self._ask("set_webhook", operator=operator, domain=domain, url=url))

    def set_domain_webhook(
        self, token: Secret, client_ip: str, domain_id: bytes, url: str
    ) -> Secret:
        """The same for a session that may change the domain."""
        who = {"token": token.reveal(), "client_ip": client_ip}
        return Secret(self._ask("set_domain_webhook", domain=text(domain_id), url=url, **who))

    def open_webhooks(self, event_ids: Sequence[bytes]) -> dict[bytes, Secret | None]:
        """The secrets of webhooks, by domain, that have events waiting; None: it is broken."""
        answer = self._ask("open_webhooks", events=[text(one) for one in event_ids])
        return {octets(one): Secret(shown) if shown else None for one, shown in answer.items()}
