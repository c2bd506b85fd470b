"""What accounts ask of the keys role: it alone has the keys of codes and of authenticator apps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.secret import Secret


class CodeKeys(Protocol):
    """The key that digests of one-time codes are made with."""

    def code_digests(self, user_id: bytes, codes: Sequence[Secret]) -> list[bytes]:
        """The digests of a person's codes, in their order; of an id that names nobody as well."""


class FactorKeys(CodeKeys, Protocol):
    """And the secrets of authenticator apps, which stay there once they are set up."""

    def begin_app(self, token: Secret) -> Secret:
        """A new app's secret for a live session; until it is confirmed, the same again."""

    def confirm_app(self, token: Secret, client_ip: str, code: Secret) -> bool:
        """Whether the code is of that app, which counts from now on; audited."""

    def check_app(self, user_id: bytes, code: Secret) -> bool:
        """Whether it is a code of the person's app that was not used before. It is used now."""
