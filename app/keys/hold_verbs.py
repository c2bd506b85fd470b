"""What may be asked about legal holds: by a session of the domain's auditor, by the operator.

Nobody else opens held mail, and nobody else places or releases a hold: a service provider's
session does neither. Of a search an auditor is told how much it finds, and each answer is an
event. How much an auditor's account opens and searches in a minute is limited, over all of
its sessions.
"""

from collections.abc import Sequence

from app import audit
from app.accounts import sessions
from app.accounts.permissions import Permission, allows
from app.audit import events
from app.keys.agent import KeyAgent
from app.keys.hold_search import HoldSearch
from app.keys.holding import Wanted
from app.keys.pace import Pace
from app.models import Domain
from app.secret import Secret
from app.viewer import Actor, Viewer
from archive_store.errors import NotFound
from archive_store.models import Mailbox

OPENS_PER_MINUTE = 30
SEARCHES_PER_MINUTE = 30


class AuditorHolds:
    """The verbs of the web role's socket: for live sessions of an auditor."""

    def __init__(self, agent: KeyAgent, opens_per_minute: int = OPENS_PER_MINUTE) -> None:
        self._agent = agent
        self._search = HoldSearch(agent)
        self._opens = Pace(opens_per_minute)
        self._searches = Pace(SEARCHES_PER_MINUTE)

    def count_found(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes, words: str
    ) -> tuple[int, int]:
        """How many messages and octets a search in a mailbox of the auditor's own domain finds;
        audited, since somebody could guess at mail with it.
        """
        viewer, mailbox = self._searchable(token, client_ip, mailbox_id)
        found = self._search.find(mailbox, words)
        _record_search(self._agent, viewer.actor, (mailbox, reason, len(found)))
        return len(found), sum(found.values())

    def place_found(
        self,
        token: Secret,
        client_ip: str,
        reason: str,
        ids: tuple[bytes, bytes],
        words: str,
    ) -> None:
        """Hold what a search finds now; `ids`: the new hold's and the mailbox's."""
        hold_id, mailbox_id = ids
        viewer, mailbox = self._searchable(token, client_ip, mailbox_id)
        found = self._search.find(mailbox, words)
        if not found:
            # An answer like any other: without an event one could guess at mail with it.
            _record_search(self._agent, viewer.actor, (mailbox, reason, 0))
            raise NotFound("the search found nothing")
        wanted = Wanted(
            hold_id=hold_id,
            domain_id=mailbox.tenant_id,
            reason=reason,
            entry_ids=list(found),
            searched=mailbox.address,
        )
        self._agent.holder.place(wanted, viewer.actor)

    def place_hold(
        self, token: Secret, client_ip: str, reason: str, ids: tuple[bytes, bytes]
    ) -> None:
        """Hold a mailbox of the auditor's own domain; `ids`: the new hold's and the mailbox's."""
        viewer, domain_id = self._auditor(token, client_ip)
        hold_id, mailbox_id = ids
        wanted = Wanted(hold_id=hold_id, domain_id=domain_id, reason=reason, mailbox_id=mailbox_id)
        self._agent.holder.place(wanted, viewer.actor)

    def release_hold(self, token: Secret, client_ip: str, reason: str, hold_id: bytes) -> None:
        """Release a hold of the auditor's own domain."""
        viewer, domain_id = self._auditor(token, client_ip)
        self._agent.holder.release(hold_id, domain_id, reason, viewer.actor)

    def open_held(
        self, token: Secret, client_ip: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of what a hold of the auditor's own domain holds; audited one by one."""
        viewer, domain_id = self._auditor(token, client_ip)
        with self._agent.lock:
            self._opens.take(viewer.user.id, len(entry_ids), self._agent.now())
        return self._agent.holder.open(hold_id, domain_id, (entry_ids, ""), viewer.actor)

    def _searchable(
        self, token: Secret, client_ip: str, mailbox_id: bytes
    ) -> tuple[Viewer, Mailbox]:
        viewer, domain_id = self._auditor(token, client_ip)
        with self._agent.lock, self._agent.db.read() as tx:
            self._searches.take(viewer.user.id, 1, self._agent.now())
            mailbox = tx.get(Mailbox, mailbox_id)
        if mailbox is None or mailbox.tenant_id != domain_id:
            raise NotFound("no such mailbox in that domain")
        return viewer, mailbox

    def _auditor(self, token: Secret, client_ip: str) -> tuple[Viewer, bytes]:
        with self._agent.lock, self._agent.db.read() as tx:
            viewer = sessions.current(tx, token, self._agent.now(), client_ip=client_ip)
        if viewer is None:
            raise NotFound("the session has ended")
        domain_id = viewer.user.domain_id
        if domain_id is None or not allows(viewer.user, Permission.HOLD_MAIL, domain_id):
            raise NotFound("no such hold")
        return viewer, domain_id


class OperatorHolds:
    """The verbs of the admin socket: with a reason, on the record."""

    def __init__(self, agent: KeyAgent) -> None:
        self._agent = agent
        self._search = HoldSearch(agent)

    def operator_hold(
        self, operator: str, reason: str, ids: tuple[bytes, bytes], entry_ids: Sequence[bytes]
    ) -> None:
        """Hold a mailbox, or these entries of a domain; `ids`: the new hold's, and of that."""
        hold_id, owner_id = ids
        with self._agent.db.read() as tx:
            mailbox, domain = tx.get(Mailbox, owner_id), tx.get(Domain, owner_id)
        if mailbox is not None:
            wanted = Wanted(
                hold_id=hold_id,
                domain_id=mailbox.tenant_id,
                reason=reason,
                mailbox_id=mailbox.id,
            )
        elif domain is not None:
            wanted = Wanted(
                hold_id=hold_id, domain_id=domain.id, reason=reason, entry_ids=entry_ids
            )
        else:
            raise NotFound("no such mailbox or domain")
        self._agent.holder.place(wanted, Actor.command_line(operator))

    def operator_find(
        self, operator: str, reason: str, mailbox_id: bytes, words: str
    ) -> list[bytes]:
        """What a search finds in anybody's mailbox, to hold it."""
        with self._agent.db.read() as tx:
            mailbox = tx.get(Mailbox, mailbox_id)
        if mailbox is None:
            raise NotFound("no such mailbox")
        found = self._search.find(mailbox, words)
        _record_search(self._agent, Actor.command_line(operator), (mailbox, reason, len(found)))
        return list(found)

    def operator_release(self, operator: str, reason: str, hold_id: bytes) -> None:
        """Release any hold."""
        self._agent.holder.release(hold_id, None, reason, Actor.command_line(operator))

    def operator_held(
        self, operator: str, reason: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of what any hold holds; audited one by one."""
        actor = Actor.command_line(operator)
        return self._agent.holder.open(hold_id, None, (entry_ids, reason), actor)


def _record_search(agent: KeyAgent, actor: Actor, what: tuple[Mailbox, str, int]) -> None:
    mailbox, reason, count = what
    event = events.HoldSearched(
        mailbox_id=mailbox.id, address=mailbox.address, count=count, reason=reason
    )
    with agent.lock, agent.db.write() as tx:
        audit.record(tx, event, trail=mailbox.tenant_id, actor=actor, at=agent.now())
