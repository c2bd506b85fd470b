"""Asking the keys role: a connection for each question in hand, kept for the next one.

Threads come and go, so connections belong to none of them. Every verb may raise
KeysUnavailable (nobody answers: try again) or another StoreError that the keys role gave
as its answer.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from app.accounts.dkim import Algorithm
from app.keys.dkim import SigningKey
from app.keys.imap_client import ImapQuestions
from app.keys.line import Line
from app.keys.outside_client import OutsideQuestions
from app.keys.protocol import Place, Purpose, encode, error_of, octets, socket_name, text
from app.keys.webhook_client import WebhookQuestions
from app.secret import Secret
from archive_store.errors import KeysUnavailable
from archive_store.hold_facts import HoldFacts
from archive_store.ids import new_id
from archive_store.segments.frame import KeyFrame, MessageFrame, Slot


class KeysClient(ImapQuestions, OutsideQuestions, WebhookQuestions):
    """The keys role as one other role sees it. Thread-safe."""

    def __init__(self, run_dir: Path, role: str) -> None:
        self._path = run_dir / socket_name(role)
        self._idle: list[Line] = []
        self._lock = threading.Lock()

    # web
    def open_entries(
        self,
        token: Secret,
        client_ip: str,
        entry_ids: Sequence[bytes],
        purpose: Purpose,
        attachment: int | None = None,
    ) -> dict[bytes, bytes]:
        """Content keys of a session's own entries; the audit event is written first."""
        return _keys(
            self._ask(
                "open_entries",
                token=token.reveal(),
                client_ip=client_ip,
                entries=[text(one) for one in entry_ids],
                purpose=purpose.value,
                attachment=attachment,
            )
        )

    def bury_entries(self, token: Secret, entry_ids: Sequence[bytes]) -> None:
        """Note durably that a session's own entries are deleted for good."""
        self._ask("bury_entries", token=token.reveal(), entries=[text(one) for one in entry_ids])

    def summary_keys(self, token: Secret) -> dict[date, bytes]:
        """Summary keys of the session's own mailbox, by day."""
        return _days(self._ask("summary_keys", token=token.reveal()))

    def maillog_keys(
        self, token: Secret, client_ip: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log, for its administrators; audited."""
        return _keys(
            self._ask(
                "maillog_keys",
                token=token.reveal(),
                client_ip=client_ip,
                domain=text(domain_id),
                keys=[text(one) for one in key_ids],
            )
        )

    def queue_keys(self, token: Secret, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Keys of the envelopes of queue items of the administrator's own domain."""
        ids = [text(one) for one in item_ids]
        return _keys(self._ask("queue_keys", token=token.reveal(), items=ids))

    def sign_export(self, token: Secret, trail: bytes, statement: bytes) -> bytes:
        """Sign an audit export for a session that may have it."""
        answer = self._ask(
            "sign_export", token=token.reveal(), trail=text(trail), statement=text(statement)
        )
        return octets(answer)

    def place_hold(self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes) -> bytes:
        """Hold a mailbox of an auditor's domain; the hold's id. Audited."""
        hold_id = new_id()
        ids = {"hold": text(hold_id), "mailbox": text(mailbox_id), "client_ip": client_ip}
        self._ask("place_hold", token=token.reveal(), reason=reason, **ids)
        return hold_id

    def count_found(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes, words: str
    ) -> tuple[int, int]:
        """How many messages and octets a search in a mailbox of an auditor's domain finds;
        audited.
        """
        what = {"mailbox": text(mailbox_id), "words": words, "client_ip": client_ip}
        count, size = self._ask("count_found", token=token.reveal(), reason=reason, **what)
        return int(count), int(size)

    def place_found(
        self, token: Secret, client_ip: str, reason: str, mailbox_id: bytes, words: str
    ) -> bytes:
        """Hold what a search finds in a mailbox of an auditor's domain; the hold's id. Audited."""
        hold_id = new_id()
        ids = {"hold": text(hold_id), "mailbox": text(mailbox_id), "client_ip": client_ip}
        self._ask("place_found", token=token.reveal(), reason=reason, words=words, **ids)
        return hold_id

    def release_hold(self, token: Secret, client_ip: str, reason: str, hold_id: bytes) -> None:
        """Release a hold of an auditor's domain; audited."""
        ids = {"hold": text(hold_id), "client_ip": client_ip}
        self._ask("release_hold", token=token.reveal(), reason=reason, **ids)

    def open_held(
        self, token: Secret, client_ip: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of held entries for an auditor; audited one by one."""
        ids = {"hold": text(hold_id), "entries": [text(one) for one in entry_ids]}
        return _keys(self._ask("open_held", token=token.reveal(), client_ip=client_ip, **ids))

    def begin_app(self, token: Secret) -> Secret:
        """The secret of a new authenticator app, for a session that was confirmed."""
        return Secret(self._ask("begin_app", token=token.reveal()))

    def confirm_app(self, token: Secret, client_ip: str, code: Secret) -> bool:
        """Whether the code is of that app, which counts from now on; audited."""
        what = {"client_ip": client_ip, "code": code.reveal()}
        return bool(self._ask("confirm_app", token=token.reveal(), **what))

    def check_app(self, user_id: bytes, code: Secret) -> bool:
        """Whether it is a code of the person's app; it is used now. Asked a second time because
        the connection broke, it is refused: the person types the next one.
        """
        return bool(self._ask("check_app", user=text(user_id), code=code.reveal()))

    def code_digests(
        self, user_id: bytes, codes: Sequence[Secret], *, operator: bool = False
    ) -> list[bytes]:
        """The digests of a person's one-time codes; `operator`: for a command."""
        verb, shown = "operator_" * operator + "code_digests", [code.reveal() for code in codes]
        return [octets(one) for one in self._ask(verb, user=text(user_id), codes=shown)]

    # index
    def open_for_index(self, seqs: Sequence[int]) -> dict[int, bytes]:
        """Content keys of entries that have no summary yet."""
        answer = self._ask("open_for_index", seqs=list(seqs))
        return {int(seq): octets(key) for seq, key in answer.items()}

    def index_summary_keys(self, places: Sequence[Place]) -> dict[Place, bytes]:
        """The summary keys of mailboxes' days; those that are over or damaged are missing."""
        keys = self._ask("index_summary_keys", places=[(text(m), str(day)) for m, day in places])
        return {place: octets(key) for place, key in zip(places, keys, strict=True) if key}

    # deliver
    def open_queue(self, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of queue items; those whose day is over are missing."""
        return _keys(self._ask("open_queue", items=[text(one) for one in item_ids]))

    def open_dkim(self, item_ids: Sequence[bytes]) -> dict[bytes, list[SigningKey]]:
        """The DKIM keys of the domains that sign, of mail that waits to go out."""
        answer = self._ask("open_dkim", items=[text(one) for one in item_ids])
        return {
            octets(domain): [
                SigningKey(selector, Algorithm(algorithm), octets(private))
                for selector, algorithm, private in keys
            ]
            for domain, keys in answer.items()
        }

    # sweep
    def expire(self) -> list[tuple[str, date]]:
        """Destroy the keys of days that are over; says which."""
        return [(series, date.fromisoformat(day)) for series, day in self._ask("expire")]

    def believed_time(self) -> datetime:
        """The time that destruction goes by."""
        return datetime.fromisoformat(self._ask("believed_time"))

    # operator
    def provider(self) -> dict[str, str]:
        """`provider` of the master key, and `trouble`: empty when the keyring opens now."""
        return dict(self._ask("provider"))

    def confirm_clock(self, operator: str) -> None:
        """Believe the clock after a jump; audited."""
        self._ask("confirm_clock", operator=operator)

    def operator_entries(
        self, operator: str, reason: str, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of anybody's entries, for a command that gave its reason; audited."""
        ids = [text(one) for one in entry_ids]
        return _keys(self._ask("operator_entries", operator=operator, reason=reason, entries=ids))

    def operator_summary_keys(
        self, operator: str, reason: str, mailbox_id: bytes
    ) -> dict[date, bytes]:
        """Summary keys of anybody's mailbox; audited."""
        return _days(
            self._ask(
                "operator_summary_keys",
                operator=operator,
                reason=reason,
                mailbox=text(mailbox_id),
            )
        )

    def operator_queue(self, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Keys of queue items' envelopes, for `queue list`."""
        return _keys(self._ask("operator_queue", items=[text(one) for one in item_ids]))

    def operator_maillog(
        self, operator: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log; audited."""
        ids = [text(one) for one in key_ids]
        return _keys(
            self._ask("operator_maillog", operator=operator, domain=text(domain_id), keys=ids)
        )

    def operator_sign(self, statement: bytes) -> bytes:
        """Sign an audit export."""
        return octets(self._ask("operator_sign", statement=text(statement)))

    def make_dkim_keys(self, operator: str, domain_id: bytes, name: str) -> None:
        """Make the DKIM keys of a domain; audited."""
        self._ask("make_dkim_keys", operator=operator, domain=text(domain_id), name=name)

    def operator_hold(
        self, operator: str, reason: str, owner_id: bytes, entry_ids: Sequence[bytes] = ()
    ) -> bytes:
        """Hold a mailbox, or entries of a domain; the hold's id. Audited."""
        hold_id, entries = new_id(), [text(one) for one in entry_ids]
        by = {"operator": operator, "reason": reason, "hold": text(hold_id)}
        self._ask("operator_hold", owner=text(owner_id), entries=entries, **by)
        return hold_id

    def operator_find(
        self, operator: str, reason: str, mailbox_id: bytes, words: str
    ) -> list[bytes]:
        """What a search finds in a mailbox, to hold it; audited."""
        what = {"operator": operator, "reason": reason, "words": words}
        return [octets(one) for one in self._ask("operator_find", mailbox=text(mailbox_id), **what)]

    def operator_release(self, operator: str, reason: str, hold_id: bytes) -> None:
        """Release a hold; audited."""
        self._ask("operator_release", operator=operator, reason=reason, hold=text(hold_id))

    def operator_held(
        self, operator: str, reason: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of held entries; audited one by one."""
        ids = {"hold": text(hold_id), "entries": [text(one) for one in entry_ids]}
        return _keys(self._ask("operator_held", operator=operator, reason=reason, **ids))

    def verify_held(
        self, operator: str, hold_id: bytes, entry_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Content keys of held entries, for fsck; audited."""
        ids = {"hold": text(hold_id), "entries": [text(one) for one in entry_ids]}
        return _keys(self._ask("verify_held", operator=operator, **ids))

    def verify_entries(self, operator: str, entry_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys for fsck, which opens everything and shows nothing; audited as such."""
        ids = [text(one) for one in entry_ids]
        return _keys(self._ask("verify_entries", operator=operator, entries=ids))

    def verify_queue(self, operator: str, item_ids: Sequence[bytes]) -> dict[bytes, bytes]:
        """Content keys of queue items, for fsck; audited."""
        ids = [text(one) for one in item_ids]
        return _keys(self._ask("verify_queue", operator=operator, items=ids))

    def verify_summaries(self, operator: str, mailbox_id: bytes) -> dict[date, bytes]:
        """Summary keys of a mailbox, for fsck; audited."""
        return _days(self._ask("verify_summaries", operator=operator, mailbox=text(mailbox_id)))

    def verify_log(
        self, operator: str, domain_id: bytes, key_ids: Sequence[bytes]
    ) -> dict[bytes, bytes]:
        """Writer keys of a domain's mail log, for fsck; audited."""
        ids = [text(one) for one in key_ids]
        return _keys(self._ask("verify_log", operator=operator, domain=text(domain_id), keys=ids))

    def known_holds(self) -> dict[bytes, HoldFacts | None]:
        """The ids of the holds whose keys there are."""
        return {
            octets(one): HoldFacts.from_json(facts) if facts is not None else None
            for one, facts in self._ask("known_holds").items()
        }

    def broken_day_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those of these day keys that do not open; no key is handed out."""
        keys = [text(one) for one in key_ids]
        return [octets(one) for one in self._ask("broken_day_keys", keys=keys)]

    def broken_writer_keys(self, key_ids: Sequence[bytes]) -> list[bytes]:
        """Those of these writer keys that do not open; no key is handed out."""
        keys = [text(one) for one in key_ids]
        return [octets(one) for one in self._ask("broken_writer_keys", keys=keys)]

    def recover_slots(
        self, operator: str, slots: Sequence[tuple[MessageFrame, Slot]]
    ) -> dict[bytes, tuple[date, bytes]]:
        """Content keys of slots without rows, for a rebuild; audited."""
        bare = [replace(frame, slots=(slot,), content=b"", receipt=b"") for frame, slot in slots]
        answer = self._ask(
            "recover_slots", operator=operator, slots=[text(one.encode()) for one in bare]
        )
        return {
            octets(slot): (date.fromisoformat(day), octets(key))
            for slot, (day, key) in answer.items()
        }

    def recover_names(self, operator: str, frames: Sequence[KeyFrame]) -> dict[bytes, str]:
        """The addresses of mailboxes that key frames carry, for a rebuild; audited."""
        sent = [text(frame.encode()) for frame in frames]
        answer = self._ask("recover_names", operator=operator, frames=sent)
        return {octets(owner): str(name) for owner, name in answer.items()}

    def keyring_copy(self, operator: str, *, days: bool) -> bytes:
        """The keyring's octets, with the keys of days or without, for a backup; audited."""
        return octets(self._ask("keyring_copy", operator=operator, days=days))

    # everybody
    def ensure_keys(self) -> int:
        """Make the day keys that any mailbox or domain still lacks; says how many."""
        return int(self._ask("ensure_keys"))

    def status(self) -> dict[str, Any]:
        """What there is to know of the keyring, without any key."""
        answer = self._ask("status")
        return dict(answer)

    def close(self) -> None:
        """Close the connections that nobody is using."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _ask(self, verb: str, **arguments: Any) -> Any:
        request = encode({"verb": verb, **arguments})
        answer = self._by_kept_line(request)
        if answer is None:
            try:
                answer = self._exchange(Line(self._path), request)
            except (OSError, ValueError):
                raise KeysUnavailable("the keys role does not answer") from None
        if "ok" in answer:
            return answer["ok"]
        raise error_of(answer)

    def _by_kept_line(self, request: bytes) -> Mapping[str, Any] | None:
        """The answer, or None when there is no connection or it has broken: it may have died
        with an earlier keys process. Every verb may safely be asked twice.
        """
        with self._lock:
            line = self._idle.pop() if self._idle else None
        if line is None:
            return None
        try:
            return self._exchange(line, request)
        except (OSError, ValueError):
            self.close()  # the others are as old
            return None

    def _exchange(self, line: Line, request: bytes) -> Mapping[str, Any]:
        try:
            answer = line.exchange(request)
        except BaseException:
            line.close()  # an answer that comes late must not be taken for the next one's
            raise
        with self._lock:
            self._idle.append(line)
        return answer


def _keys(answer: Mapping[str, str]) -> dict[bytes, bytes]:
    return {octets(name): octets(key) for name, key in answer.items()}


def _days(answer: Mapping[str, str]) -> dict[date, bytes]:
    return {date.fromisoformat(day): octets(key) for day, key in answer.items()}
