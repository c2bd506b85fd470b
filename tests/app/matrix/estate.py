"""An installation for the matrix: two customers, everybody's things, and the site over real parts.

Each person has mail (with files, an enclosed mail and an invitation), a draft, a passkey and a
session besides the one that asks; each customer has a hold, lines in its log and its queue.
"""

from collections import defaultdict
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from argon2 import PasswordHasher
from fastapi import FastAPI
from sqlalchemy import select, update

from app.accounts import domains, sessions, steps
from app.accounts.demand import Demand
from app.accounts.entrance import Entrance
from app.accounts.habits import HabitDesk
from app.accounts.method_service import MethodParts, OwnMethods
from app.accounts.outside_desk import OutsideDesk
from app.accounts.passkeys import Site
from app.accounts.passwords import Passwords
from app.accounts.service import Accounts
from app.accounts.sessions import Beginning, Client
from app.accounts.ways_in import WaysIn
from app.admin.dns_desk import DnsDesk, DnsParts
from app.admin.hold_service import HoldParts, Holds
from app.admin.method_desk import MethodDesk, MethodDeskParts
from app.admin.outage_desk import OutageDesk, OutageParts
from app.admin.service import Administration, AdminParts
from app.admin.webhook_desk import WebhookDesk, WebhookParts
from app.login_models import Passkey
from app.models import Domain, QueueItem, User
from app.portal import Portal, Watch, WatchParts
from app.reading.live import Live
from app.reading.picture_senders import PictureSenders
from app.sending.invitations import InvitationDesk
from app.sending.leaving import ListDesk
from app.sending.outbox import Outbox, OutboxParts
from app.viewer import Method, Role, Viewer
from app.views import Outgoing
from app.web.access import Line, matrix
from app.web.deps import Services
from app.web.site import create_app
from archive_store import ids
from archive_store.held import HeldReader
from archive_store.models import MaillogLine
from archive_store.segments.choice import open_hold_segments
from tests.app.conftest import CALENDARS, KEEP, OPERATOR, World
from tests.app.web.picture_double import PictureDouble
from tests.app.web.settings_double import Settings
from tests.corpus.invitations import OUTLOOK

PEOPLE = {
    "dana@acme.example": Role.USER,
    "eve@other.example": Role.USER,
    "otto@other.example": Role.AUDITOR,
}
READERS = ("vlad", "dana", "eve")
SECTIONS = {"/attachments/{index}/mail": "3", "/preview/": "2", "/attachments/{index}": "1"}


CHECKED = (
    b"Authentication-Results: mx.in.example; dkim=pass header.d=in.example\r\n"
    b"Received: from in.example by mx.in.example; now\r\n"
    b"DKIM-Signature: d=in.example; h=from:list-unsubscribe:list-unsubscribe-post; b=A\r\n"
    b"List-Unsubscribe: <https://in.example/u>, <mailto:leave@in.example>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
)
CHECKER = "mx.in.example 192.0.2.0/24"


async def taken(url: str, form: bytes) -> None:
    """The server of a list that takes every press."""


def letter_to(address: str) -> bytes:
    message, inside = EmailMessage(policy=SMTP), EmailMessage(policy=SMTP)
    for one in (message, inside):
        one["From"], one["To"], one["Subject"] = "hanna@in.example", address, "Offer"
        one.set_content("See the files.\n")
    message.add_alternative(
        OUTLOOK.replace("vlad@acme.example", address).replace("Vlad@acme.example", address),
        subtype="calendar",
        params={"method": "REQUEST"},
    )
    message.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="a.pdf")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="b.png")
    message.add_attachment(inside, filename="c.eml")
    return CHECKED + message.as_bytes()


@dataclass(frozen=True)
class Caller:
    """Somebody who asks. `role` None: nobody is signed in."""

    name: str
    cookies: dict[str, str]
    viewer: Viewer | None = None

    is_limited: bool = False
    is_confined: bool = False  # has still to set a second factor up

    @property
    def role(self) -> Role | None:
        return self.viewer.user.role if self.viewer else None


class Estate:
    """All of it. `ids[kind][owner]` is a thing as it stands in an address of a page."""

    def __init__(self, world: World) -> None:
        self.world = world
        for address, role in PEOPLE.items():
            world.add_person(address, address.partition("@")[0].title(), role)
        with world.db.write() as tx:
            strict = domains.add(tx, OPERATOR, "strict.example", None, world.clock())
            domains.enable(tx, OPERATOR, strict, world.clock(), all_users=True)
            strict.second_factor = Demand.EVERYBODY
        world.add_person("sam@strict.example", "Sam", Role.DOMAIN_ADMIN)
        world.agent.ensure_keys()
        self.holds = holds_of(world)
        self.app: FastAPI = create_app(services_of(world, self.holds), Settings())
        self.lines: list[Line] = matrix(self.app)
        self.domains = {"acme": world.acme.id, "other": world.other.id}
        self.ids: dict[str, dict[str, str]] = defaultdict(dict)
        for name in READERS:
            self._furnish(name)
        with world.db.write() as tx:
            tx.execute(update(Domain).values(checked_by=CHECKER))
        for name, domain_id in self.domains.items():
            self._furnish_domain(name, domain_id)
        world.index()

    def _furnish(self, name: str) -> None:
        """A person's things."""
        world, viewer = self.world, self.world.viewer(name)
        letter = letter_to(viewer.user.address)
        [entry] = world.receive(letter, viewer.user.address, client_ip="192.0.2.7")
        identity = world.sending.identities(viewer)[0].id
        draft = Outgoing(identity_id=identity, to="", cc="", bcc="", subject="x", text="x")
        passkey_id = ids.new_id()
        with world.db.write() as tx:
            tx.add(
                Passkey(
                    id=passkey_id,
                    user_id=viewer.user.id,
                    credential_id=passkey_id,
                    public_key=b"",
                    sign_count=0,
                    name="x",
                    made_at=world.clock(),
                    used_at=None,
                )
            )
        things = {
            "entry": entry,
            "draft": world.drafts.save(viewer, draft, None).id,
            "identity": identity,
            "passkey": ids.show(passkey_id),
            "session": ids.show(viewer.session_id[: ids.ID_OCTETS]),
            "user": ids.show(viewer.user.id),
        }
        for kind, shown in things.items():
            self.ids[kind][name] = shown

    def _furnish_domain(self, name: str, domain_id: bytes) -> None:
        """What a customer has."""
        world = self.world
        auditor, reader = {"acme": ("audit", "vlad"), "other": ("otto", "eve")}[name]
        viewer = world.viewer(auditor)
        address = world.viewer(reader).user.address
        hold = self.holds.place(viewer, address, "a case")
        world.agent.holder.seal_all()
        with world.db.read() as tx:
            line = tx.scalars(select(MaillogLine).where(MaillogLine.tenant_id == domain_id)).first()
            item = tx.scalars(select(QueueItem).where(QueueItem.domain_id == domain_id)).first()
        assert line is not None
        assert item is not None
        things = {
            "domain": ids.show(domain_id),
            "hold": hold,
            "line": ids.show(line.message_id),
            "item": ids.show(item.id),
        }
        for kind, shown in things.items():
            self.ids[kind][name] = shown

    def caller(self, label: str, name: str, **how: Any) -> Caller:
        """Somebody with a new session."""
        method, public = how.get("method", Method.PASSWORD), how.get("public", False)
        client, now = Client(ip="192.0.2.7", public_computer=public), self.world.clock()
        with self.world.db.write() as tx:
            user = tx.scalars(select(User).where(User.address.startswith(f"{name}@"))).one()
            token = sessions.start(tx, user, client, now, Beginning(method=method))
        viewer, confined = self.world.seen_by(token), name == "sam"
        return Caller(label, {"la": token.reveal()}, viewer, method.is_limited, confined)

    def pending(self) -> Caller:
        """Somebody whose password was right, and who has still to type a code."""
        vlad = self.world.viewer("vlad").user.id
        with self.world.db.write() as tx:
            wanted = steps.Wanted(kind=steps.Kind.CODE, user_id=vlad)
            token = steps.begin(tx, wanted, Client(ip="192.0.2.7"), self.world.clock())
        return Caller("second factor pending", {"step": token.reveal(), "la": token.reveal()})


def holds_of(world: World) -> Holds:
    reader = HeldReader(world.db, world.reader, lambda hold: open_hold_segments(world.config, hold))
    return Holds(HoldParts(db=world.db, keys=world.keys, reader=reader, now=world.clock))


def services_of(world: World, holds: Holds) -> Services:
    """The use cases as the web role has them."""
    db, keys, now = world.db, world.keys, world.clock
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    site, rows = Site("127.0.0.1", Settings.public_url), world.reading.to_be_sent
    admin = AdminParts(
        db=db,
        keys=keys,
        passwords=passwords,
        public=world.public,
        segments=world.segments,
        data_dir=world.folder,
        keep=KEEP,
        now=now,
    )
    methods = MethodParts(db=db, passwords=passwords, keys=keys, site=site, now=now)
    return Services(
        reading=world.reading,
        live=Live(db),
        sending=world.sending,
        invitations=InvitationDesk(world.reading.opener, CALENDARS, world.sending, now),
        lists=ListDesk(db, world.reading, taken, now),
        drafts=world.drafts,
        outbox=Outbox(OutboxParts(db=db, segments=world.segments, rows=rows, now=now)),
        habits=HabitDesk(db, now),
        picture_senders=PictureSenders(db, keys, world.reading, now),
        accounts=Portal(Accounts(db, passwords, now), world.reading),
        entrance=Entrance(WaysIn(db, keys, site), site, now),
        methods=OwnMethods(methods),
        method_desk=MethodDesk(MethodDeskParts(db=db, keys=keys, now=now)),
        admin=Administration(admin),
        holds=holds,
        outages=OutageDesk(OutageParts(db=db, now=now)),
        outside=OutsideDesk(db, keys, now),
        dns=DnsDesk(DnsParts(db=db, ask=lambda *_: (), hostname="live.example", now=now)),
        webhooks=WebhookDesk(WebhookParts(db=db, keys=keys, now=now)),
        health=Watch(WatchParts(db=db, keys=keys, disk=lambda: (1 << 40, 1 << 41))),
        config=Settings(),
        pictures=PictureDouble(),
        now=now,
    )
