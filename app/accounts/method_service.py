"""The own ways to log in, as the pages call them; what changes one was confirmed before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit
from app.accounts import codes, demand, devices, methods, passkeys, sessions, steps, totp
from app.accounts.confirming import Confirming, require_confirmed
from app.accounts.errors import Invalid, Unknown
from app.accounts.factor_keys import FactorKeys
from app.accounts.names import clean_name
from app.accounts.passwords import Passwords, PasswordsBusy
from app.accounts.service import session_view
from app.accounts.sessions import Client
from app.audit.events import PasskeyAdded
from app.login_models import PASSKEY_NAME_LENGTH
from app.login_views import AppSetup, LoginNews, MethodsView, PasskeyView
from app.models import Passkey, User
from app.phrase import phrase
from app.secret import Secret
from app.upsert import insert_if_absent
from app.viewer import Method, Viewer
from app.views import BadEntry
from archive_store import ids
from archive_store.clock import utc_now
from archive_store.db import Database
from archive_store.errors import NotFound, StoreBusy

UNNAMED = "Passkey"
NO_PASSKEY = phrase("Your browser made no passkey that can be used here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodParts:
    """What the use cases are made of. `site` None: there are no passkeys."""

    db: Database
    passwords: Passwords
    keys: FactorKeys
    site: passkeys.Site | None
    now: Callable[[], datetime] = field(default=utc_now)


class OwnMethods:
    """A person's own. Raises NotConfirmed, BadEntry, or NotFound for what is another's."""

    def __init__(self, parts: MethodParts) -> None:
        self._db, self._keys, self._site, self._now = (
            parts.db,
            parts.keys,
            parts.site,
            parts.now,
        )
        self._confirming = Confirming(parts.db, parts.passwords, parts.keys)

    def methods(self, viewer: Viewer) -> MethodsView:
        """What there is."""
        with self._db.read() as tx:
            found = methods.of(tx, viewer.user.id)
        return MethodsView(
            app_since=found.app_since,
            passkeys=tuple(_passkey_view(key) for key in found.passkeys),
            codes_left=found.codes.left,
            codes_made_at=found.codes.made_at,
            offers_passkeys=self._site is not None,
        )

    def require_confirmed(self, viewer: Viewer) -> None:
        """Raise NotConfirmed unless a change is allowed now."""
        with self._db.read() as tx:
            require_confirmed(tx, viewer, self._now())

    def can_confirm(self, viewer: Viewer) -> bool:
        """Whether a proof would help: not in a session that a one-time code began."""
        with self._db.read() as tx:
            return not sessions.is_limited(tx, viewer)

    def confirm(self, viewer: Viewer, *, password: Secret, code: Secret) -> Secret:
        """The session's new token, for the password or a code, whichever was typed."""
        try:
            if code:
                return self._confirming.by_code(viewer, code, self._now())
            return self._confirming.by_password(viewer, password, self._now())
        except PasswordsBusy as error:
            raise StoreBusy("too many passwords are being checked") from error

    def confirm_by_passkey(self, viewer: Viewer, step: Secret, answer: str) -> Secret:
        """The session's new token, for what the browser answered."""
        if self._site is None:
            raise NotFound("no passkeys here")
        return self._confirming.by_passkey(viewer, self._site, (step, answer), self._now())

    def make_codes(self, viewer: Viewer) -> tuple[str, ...]:
        """A new list of one-time codes, shown once; the old one ends."""
        made = [codes.generate() for _ in range(codes.ON_A_LIST)]
        digests = self._keys.code_digests(viewer.user.id, [codes.plain(one) for one in made])
        with self._changing(viewer) as tx:
            methods.make_codes(tx, viewer, digests, self._now())
        return tuple(one.reveal() for one in made)

    def remove_codes(self, viewer: Viewer) -> None:
        """End the list."""
        with self._changing(viewer) as tx:
            methods.remove_codes(tx, viewer, self._now())

    def begin_app(self, viewer: Viewer) -> AppSetup:
        """What the authenticator app is told; it counts from its first code on."""
        self.require_confirmed(viewer)
        secret = self._keys.begin_app(viewer.token)
        uri = totp.enrolment_uri(secret, viewer.user.address)
        return AppSetup(uri=uri, secret=secret.reveal())

    def confirm_app(self, viewer: Viewer, code: Secret) -> None:
        """The first code. Raises BadEntry for "code"."""
        self.require_confirmed(viewer)
        if not self._keys.confirm_app(viewer.token, viewer.client_ip, code):
            raise BadEntry("code", phrase("That is not the code of now. Wait for the next one."))

    def remove_app(self, viewer: Viewer) -> None:
        """The password is enough again."""
        with self._changing(viewer) as tx:
            methods.remove_app(tx, viewer, self._now())

    def ask_new_passkey(self, viewer: Viewer) -> tuple[Secret, str]:
        """The token of a step, and the options for the browser, as JSON."""
        if self._site is None:
            raise NotFound("no passkeys here")
        with self._changing(viewer) as tx:
            user = tx.get_one(User, viewer.user.id)
            asked = passkeys.ask_for_new(self._site, user, methods.of(tx, user.id).passkeys)
            wanted = steps.Wanted(
                kind=steps.Kind.NEW_KEY, user_id=user.id, challenge=asked.challenge
            )
            return steps.begin(tx, wanted, Client(ip=viewer.client_ip), self._now()), asked.options

    def add_passkey(self, viewer: Viewer, step: Secret, name: str, answer: str) -> None:
        """Keep what the browser made. Raises BadEntry for "passkey"."""
        if self._site is None:
            raise NotFound("no passkeys here")
        with self._changing(viewer) as tx:
            _add_passkey(tx, viewer, self._site, (step, name, answer), self._now())

    def remove_passkey(self, viewer: Viewer, passkey_id: str) -> None:
        """Take one away; NotFound when it is not the person's own."""
        try:
            with self._changing(viewer) as tx:
                methods.remove_passkey(tx, viewer, ids.read(passkey_id), self._now())
        except (Unknown, ids.BadId):
            raise NotFound("no such passkey") from None

    def news(self, viewer: Viewer) -> LoginNews:
        """What this session has to tell."""
        with self._db.read() as tx:
            found, reset_at = devices.untold(tx, viewer)
            if reset_at and sessions.is_limited(tx, viewer):
                reset_at = None  # which cannot end there
        views = tuple(
            session_view(sessions.facts_of(row, viewer.user.role), viewer) for row in found
        )
        return LoginNews(log_ins=views, methods_reset_at=reset_at)

    def note_told(self, viewer: Viewer, device: Secret | None) -> None:
        """It was read."""
        digest = sessions.hash_of(device) if device else b""
        with self._db.write() as tx:
            devices.note_told(tx, viewer, digest, self._now())

    @contextmanager
    def _changing(self, viewer: Viewer) -> Iterator[Session]:
        with self._db.write() as tx:
            require_confirmed(tx, viewer, self._now())
            yield tx


def _add_passkey(
    tx: Session, viewer: Viewer, site: passkeys.Site, made: tuple[Secret, str, str], now: datetime
) -> None:
    token, name, answer = made
    step = steps.find(tx, token, steps.Kind.NEW_KEY, now)
    # Of another person's session, it is no step of this one.
    if step is None or step.user_id != viewer.user.id or not steps.end(tx, step.token_hash):
        raise BadEntry("passkey", phrase("That took too long. Begin again."))
    key = passkeys.made(site, step.challenge, answer)
    kept = methods.of(tx, viewer.user.id).passkeys
    if key is None or len(kept) >= passkeys.MOST_OF_A_PERSON:
        raise BadEntry("passkey", NO_PASSKEY)
    new_id = ids.new_id()
    insert_if_absent(
        tx,
        Passkey,
        id=new_id,
        user_id=viewer.user.id,
        credential_id=key.credential_id,
        public_key=key.public_key,
        sign_count=key.sign_count,
        name=_named(name),
        made_at=now,
        used_at=None,
    )
    # Nobody signs that an id is theirs: one that is somebody's already is not taken over.
    if tx.get(Passkey, new_id) is None:
        raise BadEntry("passkey", NO_PASSKEY)
    demand.meet(tx, viewer.session_id, Method.PASSKEY)
    event = PasskeyAdded(user_id=viewer.user.id, address=viewer.user.address, passkey_id=new_id)
    audit.record(tx, event, trail=viewer.user.domain_id, actor=viewer.actor, at=now)


def _named(typed: str) -> str:
    try:
        return clean_name(typed[:PASSKEY_NAME_LENGTH]) if typed.strip() else UNNAMED
    except Invalid as error:
        words = phrase("A name is made of characters that can be seen.")
        raise BadEntry("passkey", words) from error


def _passkey_view(key: Passkey) -> PasskeyView:
    return PasskeyView(id=ids.show(key.id), name=key.name, made_at=key.made_at, used_at=key.used_at)
