"""The verbs of the keys role, a table for each role that may ask; what is not in it is not there.

A verb reads its question's JSON, calls one method, and makes the answer JSON again: octets go as
base64. Who may ask which is here and nowhere else.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from app.keys.agent import KeyAgent
from app.keys.check_verbs import CheckVerbs
from app.keys.dkim import DeliverDkim, OperatorDkim
from app.keys.factors import AppFactors, CodeFactors
from app.keys.hold_verbs import OPENS_PER_MINUTE, AuditorHolds, OperatorHolds
from app.keys.imap import DeliverImap, OperatorImap
from app.keys.operator_verbs import OperatorVerbs
from app.keys.outside import OutsideVerbs
from app.keys.protocol import Purpose, octets, text
from app.keys.role_verbs import DeliverVerbs, IndexVerbs, SweepVerbs
from app.keys.web_verbs import WebVerbs
from app.keys.webhooks import DeliverWebhooks, MadeWebhooks
from app.secret import Secret
from archive_store.segments.frame import KeyFrame, MessageFrame, Slot

Verb = Callable[[Mapping[str, Any]], Any]


def verb_tables(agent: KeyAgent, held_opens: int = OPENS_PER_MINUTE) -> dict[str, dict[str, Verb]]:
    """Which verbs each role's socket has. `held_opens`: of an auditor's account, a minute."""
    common: dict[str, Verb] = {
        "ensure_keys": lambda _: agent.ensure_keys(),
        "status": lambda _: agent.status(),
    }
    codes, outside = CodeFactors(agent), OutsideVerbs(agent)
    return {
        "web": _web(WebVerbs(agent))
        | _auditor(AuditorHolds(agent, held_opens))
        | {"code_digests": lambda q: _digests(codes, q)}
        | _apps(AppFactors(agent))
        | _hooks(MadeWebhooks(agent))
        | _own_outside(outside)
        | common,
        "index": _index(IndexVerbs(agent)) | common,
        "deliver": _deliver(DeliverVerbs(agent))
        | _signing(DeliverDkim(agent))
        | _telling(DeliverWebhooks(agent))
        | _filing(DeliverImap(agent))
        | _outside(outside)
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
        | _webhooks(MadeWebhooks(agent))
        | _imap(OperatorImap(agent))
        | _given_outside(outside)
        | {"operator_code_digests": lambda q: _digests(codes, q)}
        | common,
    }


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


def _hooks(verbs: MadeWebhooks) -> dict[str, Verb]:
    return {
        "set_domain_webhook": lambda q: verbs.set_domain_webhook(
            Secret(q["token"]), q["client_ip"], octets(q["domain"]), q["url"]
        ).reveal()
    }


def _webhooks(verbs: MadeWebhooks) -> dict[str, Verb]:
    return {
        "set_webhook": lambda q: verbs.set_webhook(
            q["operator"], octets(q["domain"]), q["url"]
        ).reveal()
    }


def _own_outside(verbs: OutsideVerbs) -> dict[str, Verb]:
    return {
        "set_outside": lambda q: verbs.set_outside(
            Secret(q["token"]), q["client_ip"], q["address"]
        ),
        "own_outside": lambda q: _shown(verbs.own_outside(Secret(q["token"]))),
    }


def _given_outside(verbs: OutsideVerbs) -> dict[str, Verb]:
    return {
        "operator_outside": lambda q: verbs.operator_outside(
            q["operator"], octets(q["user"]), q["address"]
        )
    }


def _outside(verbs: OutsideVerbs) -> dict[str, Verb]:
    return {
        "open_outside": lambda q: {
            text(user): address.reveal()
            for user, address in verbs.open_outside(_many(q["users"])).items()
        }
    }


def _shown(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None


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
