"""The keys role's sockets: one per asking role, each with its own table of verbs.

The file permissions of a socket decide who may ask (0600; give a role's socket
to that role's uid where roles have uids of their own). A verb that is not in the
socket's table does not exist there.
"""

import json
import logging
import socketserver
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

from app.keys.agent import KeyAgent
from app.keys.check_verbs import CheckVerbs
from app.keys.dkim import DeliverDkim, OperatorDkim
from app.keys.factors import AppFactors, CodeFactors
from app.keys.hold_verbs import OPENS_PER_MINUTE, AuditorHolds, OperatorHolds
from app.keys.imap import DeliverImap, OperatorImap
from app.keys.operator_verbs import OperatorVerbs
from app.keys.protocol import LARGEST_LINE, Purpose, encode, octets, socket_name, text
from app.keys.role_verbs import DeliverVerbs, IndexVerbs, SweepVerbs
from app.keys.web_verbs import WebVerbs
from app.keys.webhooks import DeliverWebhooks, OperatorWebhooks
from app.secret import Secret
from archive_store.errors import MasterKeyAway, StoreError
from archive_store.segments.frame import KeyFrame, MessageFrame, Slot

log = logging.getLogger(__name__)
Verb = Callable[[Mapping[str, Any]], Any]


def verb_tables(agent: KeyAgent, held_opens: int = OPENS_PER_MINUTE) -> dict[str, dict[str, Verb]]:
    """Which verbs each role's socket has. `held_opens`: of an auditor's account, a minute."""
    common: dict[str, Verb] = {
        "ensure_keys": lambda _: agent.ensure_keys(),
        "status": lambda _: agent.status(),
    }
    codes = CodeFactors(agent)
    return {
        "web": _web(WebVerbs(agent))
        | _auditor(AuditorHolds(agent, held_opens))
        | {"code_digests": lambda q: _digests(codes, q)}
        | _apps(AppFactors(agent))
        | common,
        "index": _index(IndexVerbs(agent)) | common,
        "deliver": _deliver(DeliverVerbs(agent))
        | _signing(DeliverDkim(agent))
        | _telling(DeliverWebhooks(agent))
        | _filing(DeliverImap(agent))
        | common,
        "sweep": {
            "expire": lambda _: _expired(SweepVerbs(agent).expire()),
            "believed_time": lambda _: agent.believed_time().isoformat(),
        }
        | common,
        "admin": _operator(OperatorVerbs(agent))
        | _holds(OperatorHolds(agent))
        | _check(CheckVerbs(agent))
        | _dkim(OperatorDkim(agent))
        | _webhooks(OperatorWebhooks(agent))
        | _imap(OperatorImap(agent))
        | {"operator_code_digests": lambda q: _digests(codes, q)}
        | common,
    }


class KeysServer:
    """Listens on every role's socket until closed."""

    def __init__(self, agent: KeyAgent, run_dir: Path, held_opens: int = OPENS_PER_MINUTE) -> None:
        self._servers = [
            _listen(run_dir / socket_name(role), verbs.__getitem__)
            for role, verbs in verb_tables(agent, held_opens).items()
        ]
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening; answers in hand are finished."""
        # Each sees it with its next look: all at once, since every command waits for this.
        with ThreadPoolExecutor(len(self._servers)) as threads:
            list(threads.map(_Server.shutdown, self._servers))
        for server in self._servers:
            server.end()


class LockedServer:
    """While the keyring does not open: tells operators why, and nobody anything else."""

    def __init__(self, run_dir: Path) -> None:
        self.reason = MasterKeyAway("the keyring does not open yet")
        self._server = _listen(run_dir / socket_name("admin"), self._refuse)
        threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True).start()

    def _refuse(self, _verb: str) -> Verb:
        raise self.reason

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.end()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # a Unix socket refuses at once whoever does not fit

    def __init__(self, path: Path, find: Callable[[str], Verb]) -> None:
        self.find = find
        super().__init__(str(path), _Connection)

    def end(self) -> None:
        """After its loop ended: nobody finds it any more."""
        self.server_close()
        Path(str(self.server_address)).unlink(missing_ok=True)


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        while line := self.rfile.readline(LARGEST_LINE):
            self.wfile.write(encode(_answer(self.server.find, line)))
            self.wfile.flush()


def _listen(path: Path, find: Callable[[str], Verb]) -> _Server:
    # A socket file that a killed process left behind would refuse the address.
    path.unlink(missing_ok=True)
    server = _Server(path, find)
    path.chmod(0o600)
    return server


def _answer(find: Callable[[str], Verb], line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
        return {"ok": find(request["verb"])(request)}
    except StoreError as error:
        return {"error": type(error).__name__, "text": str(error)}
    except Exception as error:  # the process's edge: say nothing of what was asked
        log.error("a verb failed: %s", type(error).__name__)  # noqa: TRY400 - no secrets in logs
        return {"error": "StoreError", "text": "the keys role could not do this"}


def _web(verbs: WebVerbs) -> dict[str, Verb]:
    return {
        "open_entries": lambda q: _texts(
            verbs.open_entries(
                Secret(q["token"]),
                q["client_ip"],
                _many(q["entries"]),
                Purpose(q["purpose"]),
                q["attachment"],
            )
        ),
        "bury_entries": lambda q: verbs.bury_entries(Secret(q["token"]), _many(q["entries"])),
        "summary_keys": lambda q: _day_texts(verbs.summary_keys(Secret(q["token"]))),
        "maillog_keys": lambda q: _texts(
            verbs.maillog_keys(
                Secret(q["token"]), q["client_ip"], octets(q["domain"]), _many(q["keys"])
            )
        ),
        "queue_keys": lambda q: _texts(verbs.queue_keys(Secret(q["token"]), _many(q["items"]))),
        "sign_export": lambda q: text(
            verbs.sign_export(Secret(q["token"]), octets(q["trail"]), octets(q["statement"]))
        ),
    }


def _digests(codes: CodeFactors, asked: Mapping[str, Any]) -> list[str]:
    found = codes.code_digests(octets(asked["user"]), [Secret(one) for one in asked["codes"]])
    return [text(digest) for digest in found]


def _apps(verbs: AppFactors) -> dict[str, Verb]:
    return {
        "begin_app": lambda q: verbs.begin_app(Secret(q["token"])).reveal(),
        "confirm_app": lambda q: verbs.confirm_app(
            Secret(q["token"]), q["client_ip"], Secret(q["code"])
        ),
        "check_app": lambda q: verbs.check_app(octets(q["user"]), Secret(q["code"])),
    }


def _index(verbs: IndexVerbs) -> dict[str, Verb]:
    return {
        "open_for_index": lambda q: {
            str(seq): text(key) for seq, key in verbs.open_for_index(q["seqs"]).items()
        },
        "index_summary_keys": lambda q: _index_summary_keys(verbs, q["places"]),
    }


def _index_summary_keys(verbs: IndexVerbs, asked: list[list[str]]) -> list[str | None]:
    """A key, or null, for each place in its order."""
    places = [(octets(mailbox), date.fromisoformat(day)) for mailbox, day in asked]
    found = verbs.index_summary_keys(places)
    return [text(found[place]) if place in found else None for place in places]


def _deliver(verbs: DeliverVerbs) -> dict[str, Verb]:
    return {"open_queue": lambda q: _texts(verbs.open_queue(_many(q["items"])))}


def _signing(verbs: DeliverDkim) -> dict[str, Verb]:
    return {
        "open_dkim": lambda q: {
            text(domain): [[key.selector, key.algorithm, text(key.private)] for key in keys]
            for domain, keys in verbs.open_dkim(_many(q["items"])).items()
        }
    }


def _dkim(verbs: OperatorDkim) -> dict[str, Verb]:
    return {
        "make_dkim_keys": lambda q: verbs.make_dkim_keys(
            q["operator"], octets(q["domain"]), q["name"]
        )
    }


def _telling(verbs: DeliverWebhooks) -> dict[str, Verb]:
    return {
        "open_webhooks": lambda q: {
            text(domain): secret.reveal() if secret else None
            for domain, secret in verbs.open_webhooks(_many(q["events"])).items()
        }
    }


def _webhooks(verbs: OperatorWebhooks) -> dict[str, Verb]:
    return {
        "set_webhook": lambda q: verbs.set_webhook(
            q["operator"], octets(q["domain"]), q["url"]
        ).reveal()
    }


def _filing(verbs: DeliverImap) -> dict[str, Verb]:
    return {
        "open_imap": lambda q: {
            text(domain): secret.reveal() if secret else None
            for domain, secret in verbs.open_imap(_many(q["items"])).items()
        }
    }


def _imap(verbs: OperatorImap) -> dict[str, Verb]:
    return {
        "set_imap": lambda q: verbs.set_imap(
            q["operator"], octets(q["domain"]), q["wish"], Secret(q["password"])
        ),
        "try_imap": lambda q: verbs.try_imap(
            q["operator"], octets(q["domain"]), q["mailbox"]
        ).reveal(),
    }


def _operator(verbs: OperatorVerbs) -> dict[str, Verb]:
    return {
        "operator_entries": lambda q: _texts(
            verbs.operator_entries(q["operator"], q["reason"], _many(q["entries"]))
        ),
        "operator_summary_keys": lambda q: _day_texts(
            verbs.operator_summary_keys(q["operator"], q["reason"], octets(q["mailbox"]))
        ),
        "operator_queue": lambda q: _texts(verbs.operator_queue(_many(q["items"]))),
        "operator_maillog": lambda q: _texts(
            verbs.operator_maillog(q["operator"], octets(q["domain"]), _many(q["keys"]))
        ),
        "operator_sign": lambda q: text(verbs.operator_sign(octets(q["statement"]))),
        "keyring_copy": lambda q: text(verbs.keyring_copy(q["operator"], days=q["days"])),
        "expire": lambda _: _expired(verbs.expire()),
        "provider": lambda _: verbs.provider(),
        "believed_time": lambda _: verbs.believed_time().isoformat(),
        "confirm_clock": lambda q: verbs.confirm_clock(q["operator"]),
    }


def _auditor(verbs: AuditorHolds) -> dict[str, Verb]:
    return {
        "place_hold": lambda q: verbs.place_hold(
            Secret(q["token"]),
            q["client_ip"],
            q["reason"],
            (octets(q["hold"]), octets(q["mailbox"])),
        ),
        "count_found": lambda q: verbs.count_found(
            Secret(q["token"]), q["client_ip"], q["reason"], octets(q["mailbox"]), q["words"]
        ),
        "place_found": lambda q: verbs.place_found(
            Secret(q["token"]),
            q["client_ip"],
            q["reason"],
            (octets(q["hold"]), octets(q["mailbox"])),
            q["words"],
        ),
        "release_hold": lambda q: verbs.release_hold(
            Secret(q["token"]), q["client_ip"], q["reason"], octets(q["hold"])
        ),
        "open_held": lambda q: _texts(
            verbs.open_held(
                Secret(q["token"]), q["client_ip"], octets(q["hold"]), _many(q["entries"])
            )
        ),
    }


def _holds(verbs: OperatorHolds) -> dict[str, Verb]:
    return {
        "operator_hold": lambda q: verbs.operator_hold(
            q["operator"],
            q["reason"],
            (octets(q["hold"]), octets(q["owner"])),
            _many(q["entries"]),
        ),
        "operator_find": lambda q: [
            text(one)
            for one in verbs.operator_find(
                q["operator"], q["reason"], octets(q["mailbox"]), q["words"]
            )
        ],
        "operator_release": lambda q: verbs.operator_release(
            q["operator"], q["reason"], octets(q["hold"])
        ),
        "operator_held": lambda q: _texts(
            verbs.operator_held(q["operator"], q["reason"], octets(q["hold"]), _many(q["entries"]))
        ),
    }


def _check(verbs: CheckVerbs) -> dict[str, Verb]:
    return {
        "verify_entries": lambda q: _texts(
            verbs.verify_entries(q["operator"], _many(q["entries"]))
        ),
        "verify_queue": lambda q: _texts(verbs.verify_queue(q["operator"], _many(q["items"]))),
        "verify_held": lambda q: _texts(
            verbs.verify_held(q["operator"], octets(q["hold"]), _many(q["entries"]))
        ),
        "verify_summaries": lambda q: _day_texts(
            verbs.verify_summaries(q["operator"], octets(q["mailbox"]))
        ),
        "verify_log": lambda q: _texts(
            verbs.verify_log(q["operator"], octets(q["domain"]), _many(q["keys"]))
        ),
        "recover_slots": lambda q: _dated_texts(
            verbs.recover_slots(q["operator"], [_slot(one) for one in q["slots"]])
        ),
        "recover_names": lambda q: {
            text(owner): name
            for owner, name in verbs.recover_names(
                q["operator"], [KeyFrame.decode(octets(one)) for one in q["frames"]]
            ).items()
        },
        "known_holds": lambda _: {
            text(one): facts.to_json() if facts is not None else None
            for one, facts in verbs.known_holds().items()
        },
        "broken_day_keys": lambda q: [text(x) for x in verbs.broken_day_keys(_many(q["keys"]))],
        "broken_writer_keys": lambda q: [
            text(x) for x in verbs.broken_writer_keys(_many(q["keys"]))
        ],
    }


def _slot(value: str) -> tuple[MessageFrame, Slot]:
    """A frame of one slot and no content, as the client sends it."""
    frame = MessageFrame.decode(octets(value))
    return frame, frame.slots[0]


def _dated_texts(found: Mapping[bytes, tuple[date, bytes]]) -> dict[str, list[str]]:
    return {text(slot): [day.isoformat(), text(key)] for slot, (day, key) in found.items()}


def _many(values: list[str]) -> list[bytes]:
    return [octets(value) for value in values]


def _texts(keys: Mapping[bytes, bytes]) -> dict[str, str]:
    return {text(name): text(key) for name, key in keys.items()}


def _day_texts(keys: Mapping[date, bytes]) -> dict[str, str]:
    return {day.isoformat(): text(key) for day, key in keys.items()}


def _expired(gone: list[tuple[str, date]]) -> list[list[str]]:
    return [[series, day.isoformat()] for series, day in gone]
