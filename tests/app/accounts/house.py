"""The door of an installation with a real database and the real key agent, and a clock to move."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
from fastapi import FastAPI

from app.accounts import sessions
from app.accounts.entrance import Entrance
from app.accounts.method_service import MethodParts, OwnMethods
from app.accounts.passkeys import Site
from app.accounts.service import Accounts
from app.accounts.ways_in import WaysIn
from app.admin.method_desk import MethodDesk, MethodDeskParts
from app.keys.agent import KeyAgent
from app.keys.factors import AppFactors, CodeFactors
from app.portal import Portal
from app.secret import Secret
from app.viewer import Viewer
from app.views import Visit
from app.web import create_app
from archive_store.config import StoreConfig
from archive_store.directory import PublicKeys, public_octets
from archive_store.keyring import Keyring, KeyringFile
from tests.app.accounts.authenticator import Device
from tests.app.accounts.conftest import NOW, PASSWORD, Town
from tests.app.web.double import World
from tests.app.web.settings_double import Settings

VLAD, MARIA, AUDIT = "vlad@acme.example", "maria@acme.example", "audit@acme.example"
SITE = Site("mail.acme.example", "https://mail.acme.example")


class Keys:
    """The keys role, asked without a socket."""

    def __init__(self, agent: KeyAgent) -> None:
        apps = AppFactors(agent)
        self.code_digests = CodeFactors(agent).code_digests
        self.begin_app, self.confirm_app = apps.begin_app, apps.confirm_app
        self.check_app = apps.check_app


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a log-in brings with it."""

    address: str = VLAD
    password: Secret = PASSWORD
    client_ip: str = "192.0.2.7"
    user_agent: str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0"
    public_computer: bool = False
    device: Secret = field(default_factory=lambda: Secret("a-browser"))


class Nothing:
    """No mail was opened."""

    def forget(self, session_id: bytes) -> None: ...


class House:
    """Everything that the pages of the door call."""

    def __init__(self, town: Town, folder: Path, site: Site = SITE) -> None:
        self.town, self.db, self.now = town, town.db, NOW
        config = StoreConfig(data_dir=folder)
        keyring = Keyring.generate()
        keyring.extend(NOW)
        config.keys_dir.mkdir(parents=True)
        file = KeyringFile(config.keyring)
        file.save(keyring)
        public = PublicKeys(
            keyring.installation,
            public_octets(keyring.directory_key),
            public_octets(keyring.audit_key),
            {},
        )
        self.keys = Keys(KeyAgent(self.db, file, config, public, self.clock))
        self.ways = WaysIn(self.db, self.keys, site)
        self.accounts = Accounts(self.db, town.passwords, self.clock)
        self.entrance = Entrance(self.ways, site, self.clock)
        self.own = OwnMethods(
            MethodParts(
                db=self.db, passwords=town.passwords, keys=self.keys, site=site, now=self.clock
            )
        )
        self.desk = MethodDesk(MethodDeskParts(db=self.db, keys=self.keys, now=self.clock))

    def clock(self) -> datetime:
        return self.now

    def pages(self, public_url: str = Settings.public_url) -> FastAPI:
        """The site, with mail from a double."""
        world = World()
        services = replace(
            world.services(),
            accounts=Portal(self.accounts, Nothing()),
            entrance=self.entrance,
            methods=self.own,
            method_desk=self.desk,
            now=self.clock,
        )
        return create_app(services, Settings(public_url=public_url))

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def visit(self, token: Secret) -> Visit:
        found = self.accounts.glance(token, "192.0.2.7")
        assert found is not None
        return found

    def viewer(self, form: Form | None = None) -> Viewer:
        """Somebody who signs in by password."""
        return self.visit(self.accounts.login(form or Form())).viewer

    def with_codes(self, address: str = VLAD) -> list[Secret]:
        """The codes of somebody's new list."""
        viewer = self.town.viewer(address, self.now)
        return [Secret(code) for code in self.own.make_codes(viewer)]

    def with_app(self, address: str = VLAD) -> pyotp.TOTP:
        """Somebody's new authenticator app, confirmed half a minute ago."""
        viewer = self.town.viewer(address, self.now)
        app = pyotp.TOTP(self.own.begin_app(viewer).secret)
        self.own.confirm_app(viewer, self.shown(app))
        self.later(seconds=30)
        return app

    def app_of(self, secret: str) -> pyotp.TOTP:
        return pyotp.TOTP(secret)

    def shown(self, app: pyotp.TOTP) -> Secret:
        """What the app shows now."""
        return Secret(app.at(self.now))

    def with_passkey(self, address: str = VLAD) -> Device:
        """A device with somebody's new passkey."""
        viewer, device = self.town.viewer(address, self.now), Device(SITE.origin, SITE.name)
        step, options = self.own.ask_new_passkey(viewer)
        self.own.add_passkey(viewer, step, "Laptop", device.create(options))
        return device

    def by_passkey(self, device: Device, form: Form | None = None) -> Secret:
        step, options = self.entrance.ask_passkey(form or Form())
        return self.entrance.by_passkey(step, device.get(options), form or Form())

    def live(self, token: Secret) -> bool:
        with self.db.read() as tx:
            return sessions.current(tx, token, self.now) is not None
