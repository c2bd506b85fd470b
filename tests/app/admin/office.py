"""The administration of a test's installation, and forms to fill in."""

from collections.abc import Callable
from dataclasses import replace

from argon2 import PasswordHasher

from app.accounts.passwords import Passwords
from app.admin.service import Administration, AdminParts
from app.admin_views import AuditFilter, DomainForm, MaillogQuery, PersonForm
from app.models import QueueItem, User
from app.viewer import Viewer
from archive_store import ids
from archive_store.models import MaillogLine
from tests.app.conftest import KEEP, World

FORM = DomainForm(
    name="new.example",
    mode="relay",
    relay="mail.new.example:25",
    smarthost="",
    unknown_recipients="relay",
    enabled=True,
    all_users=True,
)
NEW = PersonForm(address="anna@acme.example", name="Anna", role="user", domain_id="")
NOTHING = AuditFilter()


def administration(world: World) -> Administration:
    return Administration(
        AdminParts(
            db=world.db,
            keys=world.keys,
            passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)),
            public=world.public,
            segments=world.segments,
            data_dir=world.folder,
            keep=KEEP,
            now=world.clock,
        )
    )


def acme(world: World) -> str:
    return ids.show(world.acme.id)


def everything(world: World, admin: Administration) -> dict[str, Callable[[Viewer], object]]:
    """Each use case for acme.example, harmless where it is allowed."""
    with world.db.read() as tx:
        item = ids.show(tx.query(QueueItem).first().id)  # type: ignore[union-attr]  # there is one
        maria = next(p for p in people_of(world) if p.startswith("maria"))
    return {
        "overview": admin.overview,
        "domains": admin.domains,
        "domain": lambda v: admin.domain(v, acme(world)),
        "set_domain": lambda v: admin.set_domain(v, acme(world), as_it_is(world)),
        "people": lambda v: admin.people(v, domain_id=acme(world), page=1),
        "add_person": lambda v: admin.add_person(v, NEW),
        "set_disabled": lambda v: admin.set_disabled(v, people_of(world)[maria], False),
        "reset_password": lambda v: admin.reset_password(v, people_of(world)[maria]),
        "queue": lambda v: admin.queue(v, 1),
        "flush": admin.flush,
        "hold": lambda v: admin.hold(v, item),
        "release": lambda v: admin.release(v, item),
        "drop": lambda v: admin.drop(v, item),
        "maillog": lambda v: admin.maillog(v, MaillogQuery(recipient="vlad")),
        "maillog_detail": lambda v: admin.maillog_detail(v, log_line(world)),
        "audit": lambda v: admin.audit(v, NOTHING),
        "audit_export": lambda v: admin.audit_export(v, NOTHING),
        "add_domain": lambda v: admin.add_domain(v, FORM),
    }


def as_it_is(world: World) -> DomainForm:
    return replace(FORM, name="acme.example", relay="127.0.0.1:2526", enabled=True, all_users=False)


def people_of(world: World) -> dict[str, str]:
    with world.db.read() as tx:
        return {user.address: ids.show(user.id) for user in tx.query(User)}


def log_line(world: World) -> str:
    with world.db.read() as tx:
        line = tx.query(MaillogLine).filter_by(tenant_id=world.acme.id).first()
        assert line is not None
        return ids.show(line.message_id)
