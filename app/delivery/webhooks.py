"""Webhooks: a domain's outages told to a program, by Standard Webhooks (standardwebhooks.com).

An event is a row from the transaction that opened or closed the outage, so none is lost and none
is invented; it is tried until the receiver answers 2xx, and may arrive twice under the same
`webhook-id`. The keys role makes the secret and opens it to send. Use cases take the open
transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.accounts.errors import Invalid
from app.accounts.permissions import Permission, require
from app.audit import record
from app.audit.events import WebhookRemoved
from app.models import Domain, Outage, Webhook, WebhookEvent
from app.phrase import phrase
from app.viewer import Actor, Viewer
from archive_store import ids

# As the specification recommends; over two days in all.
RETRY_DELAYS = (
    *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20)),
)
LEASE = timedelta(seconds=60)
KEYS_AWAY = timedelta(seconds=5)
FORGOTTEN_AFTER = timedelta(days=30)
LONGEST_URL = 500
TEST = "webhook.test"
GONE = 410  # the receiver wants no more
BAD_URL = phrase("expected an address such as https://hooks.acme.example/livearchive")
NEEDS_TLS = phrase("expected an address that begins with https://")


@dataclass(frozen=True, slots=True)
class Task:
    """One request to make."""

    event_id: bytes
    domain_id: bytes
    url: str
    body: str
    attempts: int


def remove(tx: Session, who: Viewer | Actor, domain: Domain, now: datetime) -> None:
    """Tell no program any more, also not what was on its way."""
    actor = require(who, Permission.CHANGE_DOMAIN, domain.id)
    hook = tx.get(Webhook, domain.id)
    if hook is None:
        raise Invalid("url", phrase("no webhook is set"))
    tx.execute(delete(WebhookEvent).where(WebhookEvent.domain_id == domain.id))
    tx.delete(hook)
    event = WebhookRemoved(domain=domain.name, host=host_of(hook.url))
    record(tx, event, trail=domain.id, actor=actor, at=now)


def checked(url: str, *, private: bool) -> str:
    """A URL that a request can be made to; Invalid otherwise."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise Invalid("url", BAD_URL) from None
    odd = parts.username is not None or parts.fragment or len(url) > LONGEST_URL
    if not whole or odd or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid("url", BAD_URL)
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        raise Invalid("url", NEEDS_TLS)
    return url


def host_of(url: str) -> str:
    """All of a URL that may be shown: its path can be a secret of the receiver's."""
    return urlsplit(url).hostname or ""


def tell(tx: Session, kind: str, outage: Outage, now: datetime) -> None:
    """Put an event on its way, if the domain has a webhook."""
    domain = tx.get_one(Domain, outage.domain_id)
    moments = {"opened_at": outage.opened_at, "closed_at": outage.closed_at}
    told = {
        "domain": domain.name,
        "outage": ids.show(outage.id),
        "state": outage.state,
        "opened_by": "administrator" if outage.opened_by else "livearchive",
        **{name: _shown(moment) if moment else None for name, moment in moments.items()},
    }
    put(tx, domain.id, kind, told, now)


def put(
    tx: Session, domain_id: bytes, kind: str, told: Mapping[str, object], now: datetime
) -> bool:
    """An event of a kind on its way; False when there is nobody to tell."""
    if tx.get(Webhook, domain_id) is None:
        return False
    old = WebhookEvent.created_at < now - FORGOTTEN_AFTER
    tx.execute(delete(WebhookEvent).where(WebhookEvent.domain_id == domain_id, old))
    body = json.dumps({"type": kind, "timestamp": _shown(now), "data": told})
    event = WebhookEvent(
        id=ids.new_id(), domain_id=domain_id, body=body, created_at=now, next_attempt_at=now
    )
    tx.add(event)
    return True


def latest(tx: Session, domain_id: bytes) -> WebhookEvent | None:
    """The newest event, whatever became of it."""
    return next(iter(recent(tx, domain_id, 1)), None)


def recent(tx: Session, domain_id: bytes, limit: int) -> Sequence[WebhookEvent]:
    """The newest events, whatever became of them."""
    mine = select(WebhookEvent).where(WebhookEvent.domain_id == domain_id)
    return tx.scalars(mine.order_by(WebhookEvent.created_at.desc()).limit(limit)).all()


def has_due(tx: Session, now: datetime) -> bool:
    """Whether there is anything to send. Cheap: asked all day long."""
    return tx.scalar(select(WebhookEvent.id).where(*_due(now)).limit(1)) is not None


def claim(tx: Session, now: datetime, limit: int) -> Sequence[Task]:
    """Take events that are due; whoever claims and dies leaves them due a lease later."""
    due = select(WebhookEvent, Webhook).join(Webhook, Webhook.domain_id == WebhookEvent.domain_id)
    due = due.where(*_due(now)).order_by(WebhookEvent.next_attempt_at).limit(limit)
    tasks = []
    for event, hook in tx.execute(due.with_for_update(of=WebhookEvent, skip_locked=True)):
        event.next_attempt_at, event.attempts = now + LEASE, event.attempts + 1
        tasks.append(Task(event.id, event.domain_id, hook.url, event.body, event.attempts))
    tx.flush()
    return tasks


def give_back(tx: Session, tasks: Sequence[Task], now: datetime) -> None:
    """Let events wait that could not be tried: that counts as no attempt."""
    mine = update(WebhookEvent).where(WebhookEvent.id.in_([task.event_id for task in tasks]))
    again = now + KEYS_AWAY
    tx.execute(mine.values(attempts=WebhookEvent.attempts - 1, next_attempt_at=again))


def settle(tx: Session, task: Task, error: str, now: datetime, *, gone: bool = False) -> None:
    """Write what became of a request; empty `error`: the receiver has it."""
    again = None
    if error and not gone and task.attempts <= len(RETRY_DELAYS):
        again = now + RETRY_DELAYS[task.attempts - 1]
    changes: dict[str, object] = {"last_error": error, "done_at": None if again else now}
    if again is not None:
        changes["next_attempt_at"] = again
    tx.execute(update(WebhookEvent).where(WebhookEvent.id == task.event_id).values(**changes))


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return WebhookEvent.done_at.is_(None), WebhookEvent.next_attempt_at <= now


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
