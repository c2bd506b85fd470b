"""What is asked of the keys role for the way back: the other end of `app.keys.imap`."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from app.keys.protocol import octets, text
from app.secret import Secret


class ImapQuestions(ABC):
    """The part of `KeysClient` that is about IMAP."""

    @abstractmethod
    def _ask(self, verb: str, **arguments: Any) -> Any: ...

    def set_imap(
        self, operator: str, domain_id: bytes, wish: Mapping[str, Any], password: Secret
    ) -> None:
        """Set how a domain's mailboxes are reached; audited."""
        what = {"operator": operator, "domain": text(domain_id), "wish": dict(wish)}
        self._ask("set_imap", password=password.reveal(), **what)

    def try_imap(self, operator: str, domain_id: bytes, mailbox: str) -> Secret:
        """The password of a domain's master user, to try it out with a mailbox; audited."""
        what = {"operator": operator, "domain": text(domain_id), "mailbox": mailbox}
        return Secret(self._ask("try_imap", **what))

    def open_imap(self, item_ids: Sequence[bytes]) -> dict[bytes, Secret | None]:
        """The passwords, by domain, of Sent copies that wait; None: it is broken."""
        answer = self._ask("open_imap", items=[text(one) for one in item_ids])
        return {octets(one): Secret(shown) if shown else None for one, shown in answer.items()}
