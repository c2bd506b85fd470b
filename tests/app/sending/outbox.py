"""What the tests of sending write, and how they look at what came of it."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from sqlalchemy import select

from app.delivery.sealed import open_envelope
from app.models import QueueItem
from app.viewer import Viewer
from app.views import Outgoing
from archive_store.envelope import Envelope
from archive_store.maillog import LogEntry, open_line
from archive_store.models import MaillogLine, Message
from archive_store.sealing import queue_key
from tests.app.conftest import World


def identity(world: World, viewer: Viewer, address: str) -> str:
    return next(i.id for i in world.sending.identities(viewer) if i.address == address)


def letter(world: World, viewer: Viewer, **changed: object) -> Outgoing:
    fields: dict[str, object] = {
        "identity_id": identity(world, viewer, "sales@acme.example"),
        "to": "Hanna Berg <hanna@in.example>",
        "cc": "",
        "bcc": "",
        "subject": "Lunch",
        "text": "At noon.\n",
    }
    return Outgoing(**(fields | changed))  # type: ignore[arg-type]  # by name


def read(octets: bytes) -> EmailMessage:
    message = message_from_bytes(octets, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def envelopes(world: World) -> dict[str, tuple[str, Envelope, bytes]]:
    """What waits in the queue for recipients, by these: kind, envelope and octets."""
    found = {}
    with world.db.read() as tx:
        items = tx.scalars(select(QueueItem).where(QueueItem.kind != "sent")).all()
        keys = world.agent.queue_keys(tx, items)
        for item in items:
            envelope = open_envelope(world.public.installation, item, queue_key(keys[item.id]))
            message = tx.get_one(Message, item.message_id)
            octets = world.reader.open(message, keys[item.id]).octets
            found[envelope.rcpt_to] = (item.kind, envelope, octets)
    return found


def log_entries(world: World, domain_id: bytes) -> list[LogEntry]:
    with world.db.read() as tx:
        lines = tx.scalars(select(MaillogLine).where(MaillogLine.tenant_id == domain_id)).all()
        keys = world.agent.log_keys(tx, domain_id, [line.writer_key_id for line in lines])
    return [open_line(world.public.installation, one, keys[one.writer_key_id]) for one in lines]


def inbox(world: World, name: str) -> list[str]:
    viewer = world.viewer(name)
    rows = world.reading.list_folder(viewer, "inbox", page=1, filter="all").rows
    return [row.id for row in rows]
