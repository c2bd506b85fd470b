"""What is asked of the keys role about addresses outside: the other end of `app.keys.outside`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from app.keys.protocol import octets, text
from app.secret import Secret


class OutsideQuestions(ABC):
    """The part of `KeysClient` that is about addresses outside."""

    @abstractmethod
    def _ask(self, verb: str, **arguments: Any) -> Any: ...

    def set_outside(self, token: Secret, client_ip: str, address: str) -> None:
        """Ask a session's own person to confirm an address; audited."""
        self._ask("set_outside", token=token.reveal(), client_ip=client_ip, address=address)

    def operator_outside(self, operator: str, user_id: bytes, address: str) -> None:
        """The same for somebody, by command; audited."""
        self._ask("operator_outside", operator=operator, user=text(user_id), address=address)

    def own_outside(self, token: Secret) -> Secret | None:
        """The address of a session's own person; None: there is none that opens."""
        found = self._ask("own_outside", token=token.reveal())
        return Secret(found) if found else None

    def open_outside(self, user_ids: Sequence[bytes]) -> dict[bytes, Secret]:
        """The addresses, by person, of those who are owed a mail there."""
        found = self._ask("open_outside", users=[text(one) for one in user_ids])
        return {octets(one): Secret(address) for one, address in found.items()}
