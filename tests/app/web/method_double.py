"""The ways to log in, in memory, for tests of pages; the real ones have tests of their own."""

from dataclasses import dataclass, field, replace

from app.admin_views import GivenCode, PersonMethods
from app.login_views import AppSetup, LoginNews, MethodsView, NotConfirmed, PasskeyView, StepOver
from app.secret import Secret
from app.viewer import Role, Viewer
from app.views import BadEntry, LoginRefused, Visit
from app.web.login_ports import Caller
from archive_store.errors import NotFound
from tests.app.web import sample


@dataclass
class EntranceDouble:
    """Lets nobody in."""

    visits: dict[str, Visit]
    offers_passkeys: bool = True

    def by_code(self, address: str, code: Secret, caller: Caller) -> Secret:
        raise LoginRefused

    def second_half(self, step: Secret, code: Secret, caller: Caller) -> Secret:
        raise StepOver

    def ask_passkey(self, caller: Caller) -> tuple[Secret, str]:
        return Secret("step"), "{}"

    def by_passkey(self, step: Secret, answer: str, caller: Caller) -> Secret:
        raise StepOver


@dataclass
class MethodDouble:
    """One person's, confirmed until a test says otherwise."""

    view: MethodsView = field(
        default_factory=lambda: MethodsView(
            app_since=None,
            passkeys=(
                PasskeyView(
                    id=sample.entry_id(400), name="Office laptop", made_at=sample.NOW, used_at=None
                ),
            ),
            codes_left=7,
            codes_made_at=sample.NOW,
            offers_passkeys=True,
        )
    )
    confirmed: bool = True
    possible: bool = True
    told: LoginNews = field(default_factory=LoginNews)

    def methods(self, viewer: Viewer) -> MethodsView:
        return self.view

    def require_confirmed(self, viewer: Viewer) -> None:
        if not self.confirmed:
            raise NotConfirmed

    def can_confirm(self, viewer: Viewer) -> bool:
        return self.possible

    def confirm(self, viewer: Viewer, *, password: Secret, code: Secret) -> Secret:
        if password.reveal() != sample.PASSWORD:
            raise BadEntry("proof", "That is not right. Try again.")
        self.confirmed = True
        return viewer.token

    def confirm_by_passkey(self, viewer: Viewer, step: Secret, answer: str) -> Secret:
        raise BadEntry("proof", "That is not right. Try again.")

    def make_codes(self, viewer: Viewer) -> tuple[str, ...]:
        self.require_confirmed(viewer)
        return tuple(f"abcd-efgh-{n:04}" for n in range(2222, 2232))

    def remove_codes(self, viewer: Viewer) -> None:
        self.require_confirmed(viewer)
        self.view = replace(self.view, codes_left=0, codes_made_at=None)

    def begin_app(self, viewer: Viewer) -> AppSetup:
        self.require_confirmed(viewer)
        return AppSetup(uri="otpauth://totp/x?secret=ABCDEFGHIJKLMNOP", secret="ABCDEFGHIJKLMNOP")

    def confirm_app(self, viewer: Viewer, code: Secret) -> None:
        raise BadEntry("code", "That is not the code of now.")

    def remove_app(self, viewer: Viewer) -> None:
        self.require_confirmed(viewer)

    def ask_new_passkey(self, viewer: Viewer) -> tuple[Secret, str]:
        self.require_confirmed(viewer)
        return Secret("step"), "{}"

    def add_passkey(self, viewer: Viewer, step: Secret, name: str, answer: str) -> None:
        raise BadEntry("passkey", "Your browser made no passkey that can be used here.")

    def remove_passkey(self, viewer: Viewer, passkey_id: str) -> None:
        self.require_confirmed(viewer)
        if passkey_id not in [key.id for key in self.view.passkeys]:
            raise NotFound

    def news(self, viewer: Viewer) -> LoginNews:
        return self.told

    def note_told(self, viewer: Viewer, device: Secret | None) -> None:
        self.told = LoginNews()


@dataclass
class MethodDeskDouble:
    """One other person."""

    def person(self, viewer: Viewer, user_id: str) -> PersonMethods:
        return PersonMethods(
            id=user_id,
            address="dana@acme.example",
            name="Dana",
            role=Role.USER,
            disabled=False,
            last_login_at=sample.NOW,
            app=True,
            passkeys=1,
            codes_left=3,
            by_code=True,
        )

    def give_code(self, viewer: Viewer, user_id: str) -> GivenCode:
        return GivenCode(code="abcd-efgh-jkmn", minutes=60)

    def reset(self, viewer: Viewer, user_id: str) -> None: ...
