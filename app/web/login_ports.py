"""What the pages about logging in need of the inside, beside `AccountService`."""

from dataclasses import dataclass
from typing import Protocol

from app.admin_views import GivenCode, PersonMethods
from app.login_views import AppSetup, LoginNews, MethodsView
from app.secret import Secret
from app.viewer import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a request comes from; `device` is what its browser is known by."""

    client_ip: str
    user_agent: str
    public_computer: bool
    device: Secret


class EntranceService(Protocol):
    """The ways in beside the password. Each gives the token of a new session, or raises
    `LoginRefused`, `LoginThrottled` or `StepOver`.
    """

    @property
    def offers_passkeys(self) -> bool: ...
    def by_code(self, address: str, code: Secret, caller: Caller) -> Secret:
        """With a one-time code: as on a public computer, and limited."""

    def second_half(self, step: Secret, code: Secret, caller: Caller) -> Secret: ...
    def ask_passkey(self, caller: Caller) -> tuple[Secret, str]:
        """The token of a step, and options for the browser as JSON."""

    def by_passkey(self, step: Secret, answer: str, caller: Caller) -> Secret: ...


class MethodService(Protocol):
    """A person's own ways to log in. What changes one raises `NotConfirmed` unless the person
    proved in the last ten minutes to be there.
    """

    def methods(self, viewer: Viewer) -> MethodsView: ...
    def require_confirmed(self, viewer: Viewer) -> None: ...
    def can_confirm(self, viewer: Viewer) -> bool:
        """False in a session that a one-time code began."""

    def confirm(self, viewer: Viewer, *, password: Secret, code: Secret) -> Secret:
        """The session's new token; raises `BadEntry` for "proof"."""

    def confirm_by_passkey(self, viewer: Viewer, step: Secret, answer: str) -> Secret:
        """The session's new token; raises `BadEntry` for "proof"."""

    def make_codes(self, viewer: Viewer) -> tuple[str, ...]: ...
    def remove_codes(self, viewer: Viewer) -> None: ...
    def begin_app(self, viewer: Viewer) -> AppSetup: ...
    def confirm_app(self, viewer: Viewer, code: Secret) -> None:
        """Raises `BadEntry` for "code"."""

    def remove_app(self, viewer: Viewer) -> None: ...
    def ask_new_passkey(self, viewer: Viewer) -> tuple[Secret, str]:
        """The token of a step, and options for the browser as JSON."""

    def add_passkey(self, viewer: Viewer, step: Secret, name: str, answer: str) -> None:
        """Raises `BadEntry` for "passkey"."""

    def remove_passkey(self, viewer: Viewer, passkey_id: str) -> None: ...
    def news(self, viewer: Viewer) -> LoginNews:
        """What this session has to tell: asked for with each page."""

    def note_told(self, viewer: Viewer, device: Secret | None) -> None: ...


class MethodDeskService(Protocol):
    """Another person's ways to log in, for an administrator, who proved as above."""

    def person(self, viewer: Viewer, user_id: str) -> PersonMethods: ...
    def give_code(self, viewer: Viewer, user_id: str) -> GivenCode: ...
    def reset(self, viewer: Viewer, user_id: str) -> None: ...
