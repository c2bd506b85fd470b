"""The sentences of events that say one thing or another, by what their details are."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.audit.canonical import Details
from app.audit.kinds import LoginFailure
from app.phrase import Phrase, phrase, phrases
from app.viewer import Method

_FAILURES: Mapping[str, str] = {
    LoginFailure.UNKNOWN_ACCOUNT: phrase("no such account"),
    LoginFailure.WRONG_PASSWORD: phrase("wrong password"),
    LoginFailure.WRONG_CODE: phrase("wrong code"),
    LoginFailure.WRONG_PASSKEY: phrase("not a passkey of ours"),
    LoginFailure.PASSKEY_COPIED: phrase("the passkey may have been copied"),
    LoginFailure.NOT_BY_CODE: phrase("a one-time code alone is not enough for this role"),
    LoginFailure.DISABLED: phrase("the account is disabled"),
    LoginFailure.THROTTLED: phrase("too many attempts"),
}


class Lenient(dict[str, object]):
    def __init__(self, details: Details) -> None:
        super().__init__(details)

    def __missing__(self, key: str) -> str:
        return ""


def number(count: object) -> int:
    return count if isinstance(count, int) else 0


def because(what: Phrase, details: Lenient) -> Phrase:
    if not details["reason"]:
        return what
    return phrase("%(what)s, because: %(reason)s", what=what, reason=details["reason"])


_METHODS: Mapping[str, Phrase] = {
    Method.PASSWORD_APP: phrase("Logged in with password and authenticator app"),
    Method.PASSWORD_CODE: phrase("Logged in with password and one-time code"),
    Method.PASSKEY: phrase("Logged in with a passkey"),
    Method.CODE: phrase("Logged in with a one-time code"),
    Method.GIVEN_CODE: phrase("Logged in with a one-time code from an administrator"),
}


def logged_in(details: Lenient) -> Phrase:
    what = _METHODS.get(str(details["method"]), phrase("Logged in"))
    if details["new_device"]:
        what = phrase("%(what)s with a browser not seen before", what=what)
    if details["new_network"]:
        what = phrase("%(what)s from a network not seen before", what=what)
    if details["public_computer"]:
        what = phrase("%(what)s on a public computer", what=what)
    return what


def code_given(details: Lenient) -> Phrase:
    return phrases(
        "Made a one-time code for %(address)s, valid for %(num)s minute",
        "Made a one-time code for %(address)s, valid for %(num)s minutes",
        number(details["minutes"]),
        address=details["address"],
    )


def login_failed(details: Lenient) -> Phrase:
    why = _FAILURES.get(str(details["reason"]), str(details["reason"]))
    if details["address"]:
        address = details["address"]
        return phrase("Failed to log in as %(address)s: %(why)s", address=address, why=why)
    return phrase("Failed to log in: %(why)s", why=why)


def changed(what: str) -> Callable[[Lenient], Phrase]:
    def write(details: Lenient) -> Phrase:
        return phrase(
            "Changed %(setting)s of %(what)s from %(old)s to %(new)s",
            setting=details["setting"],
            what=details[what],
            old=details["old"] or phrase("nothing"),
            new=details["new"] or phrase("nothing"),
        )

    return write


def lasted(details: Lenient, what: Phrase) -> Phrase:
    seconds = details["lasted_seconds"]
    lasted = seconds // 60 if isinstance(seconds, int) else 0
    if not lasted:
        return phrase("%(what)s, after less than a minute", what=what)
    return phrases(
        "%(what)s, after %(num)s minute", "%(what)s, after %(num)s minutes", lasted, what=what
    )


def outage(details: Lenient) -> Phrase:
    domain = details["domain"]
    if details["state"] == "refusing":
        return phrase("The mail server of %(domain)s turns all mail away", domain=domain)
    return phrase("The mail server of %(domain)s stopped answering", domain=domain)


def exported(details: Lenient) -> Phrase:
    since, until = details["since"], details["until"]
    if not since and not until:
        return phrase("Exported the audit trail")
    return phrase(
        "Exported the audit trail from %(since)s to %(until)s",
        since=since or phrase("the beginning"),
        until=until or phrase("now"),
    )


def domain_added(details: Lenient) -> Phrase:
    values = {name: details[name] for name in ("domain", "mode", "relay")}
    if details["relay"]:
        return phrase("Added the domain %(domain)s, %(mode)s mode, mail server %(relay)s", **values)
    return phrase("Added the domain %(domain)s, %(mode)s mode", **values)


def domain_enabled(details: Lenient) -> Phrase:
    domain = details["domain"]
    if details["all_users"]:
        return phrase("Switched LiveArchive on for %(domain)s, for all its people", domain=domain)
    return phrase(
        "Switched LiveArchive on for %(domain)s, for people added from now on", domain=domain
    )


def flushed(details: Lenient) -> Phrase:
    count = number(details["count"])
    if details["domain"]:
        return phrases(
            "Told %(num)s waiting mail to go now, for %(domain)s",
            "Told %(num)s waiting mails to go now, for %(domain)s",
            count,
            domain=details["domain"],
        )
    return phrases(
        "Told %(num)s waiting mail to go now", "Told %(num)s waiting mails to go now", count
    )


def declared(details: Lenient) -> Phrase:
    domain = details["domain"]
    what = (
        phrase("Opened an outage of %(domain)s, whose mail is kept back", domain=domain)
        if details["keeps_mail"]
        else phrase("Opened an outage of %(domain)s", domain=domain)
    )
    return because(what, details)


def removed(details: Lenient) -> Phrase:
    entries = phrases("%(num)s entry", "%(num)s entries", number(details["entries"]))
    return phrases(
        "Removed what was past its days: %(num)s message, %(entries)s",
        "Removed what was past its days: %(num)s messages, %(entries)s",
        number(details["messages"]),
        entries=entries,
    )


def hold_placed(details: Lenient) -> Phrase:
    address, count = details["address"], number(details["count"])
    if not count:
        what = phrase("Placed %(address)s under legal hold", address=address)
    elif address:
        what = phrases(
            "Placed %(num)s message of a search in %(address)s under legal hold",
            "Placed %(num)s messages of a search in %(address)s under legal hold",
            count,
            address=address,
        )
    else:
        what = phrases(
            "Placed %(num)s message of a search under legal hold",
            "Placed %(num)s messages of a search under legal hold",
            count,
        )
    return because(what, details)


def journal_started(details: Lenient) -> Phrase:
    what = phrase("Gave %(domain)s a new address for journal reports", domain=details["domain"])
    if details["networks"]:
        what = phrase("%(what)s, for %(networks)s", what=what, networks=details["networks"])
    if details["login"]:
        what = phrase("%(what)s, for the login %(login)s", what=what, login=details["login"])
    return what


def smtp_login_failed(details: Lenient) -> Phrase:
    what = (
        phrase("A log-in by SMTP failed as %(login)s", login=details["login"])
        if details["login"]
        else phrase("A log-in by SMTP failed")
    )
    if details["must_wait"]:
        return phrase("%(what)s; this network address has to wait", what=what)
    return what


def checked(details: Lenient) -> Phrase:
    if details["taken_out"]:
        return phrases(
            "Took out %(num)s message that cannot be read",
            "Took out %(num)s messages that cannot be read",
            number(details["taken_out"]),
        )
    return phrases(
        "Checked whether %(num)s message can be read",
        "Checked whether %(num)s messages can be read",
        number(details["entries"]),
    )


def told_outside(d: Lenient) -> Phrase:
    if d["what"] == "opened":
        return phrases(
            "Told %(num)s person outside that the mail server of %(domain)s is down",
            "Told %(num)s people outside that the mail server of %(domain)s is down",
            number(d["people"]),
            domain=d["domain"],
        )
    return phrases(
        "Told %(num)s person outside that the mail server of %(domain)s is back",
        "Told %(num)s people outside that the mail server of %(domain)s is back",
        number(d["people"]),
        domain=d["domain"],
    )
