"""What the DNS says of a domain whose mail we send, held against what it should say.

MX, SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489). First the facts are asked for, all at
once and for TIMEOUT seconds at most, then judged without I/O. Trouble is a result, never an
exception. SPF is told as far as the record itself tells: what it includes is not followed, since
only whoever runs the smarthost knows which addresses that sends from.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import TypeAlias

import dns.exception
import dns.resolver

from app.accounts import dkim
from app.accounts.dkim import TxtRecord
from app.config_kinds import HostPort
from app.delivery.routes import primary
from app.models import Domain
from app.phrase import phrase

TIMEOUT = 5.0
_AT_ONCE = 8
_LINKS = ("include:", "redirect=", "exists:", "ptr", "a:%", "mx:")

Answer: TypeAlias = tuple[str, ...] | None
"""The records that stand there; None: the DNS could not be asked."""
Ask: TypeAlias = Callable[[str, str], Answer]


class Result(StrEnum):
    """How a record is."""

    RIGHT = "right"
    MISSING = "missing"
    DIFFERENT = "different"
    UNCLEAR = "cannot be told"
    SILENT = "could not ask"


@dataclass(frozen=True, slots=True)
class Finding:
    """One record: what stands there, and what should."""

    kind: str
    host: str
    result: Result
    found: tuple[str, ...]
    wanted: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What the DNS of a domain should lead to. `sender`: the host that mail goes out from."""

    domain: str
    takes_mail: str  # the host that the MX should name; empty: the domain's own server
    sender: str
    keys: tuple[TxtRecord, ...]


def expected(domain: Domain, hostname: str, smarthost: HostPort | None) -> Expected:
    """What a domain's records should say; to be called in a transaction."""
    host = domain.smarthost.rpartition(":")[0] or (smarthost.host if smarthost else hostname)
    return Expected(
        domain.name,
        hostname.lower() if primary(domain) else "",
        host.strip("[]").lower(),
        tuple(dkim.record_of(key, domain) for key in domain.dkim_keys),
    )


class Resolver:
    """Asks the system's resolver, or another one."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        self._resolver = resolver

    def ask(self, name: str, kind: str) -> Answer:
        """The records of a name, as text, in lower case but for TXT."""
        try:
            resolver = self._resolver or dns.resolver.Resolver()
            answer = resolver.resolve(name, kind, search=False, lifetime=TIMEOUT)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError):
            return None
        if kind == "TXT":
            return tuple(b"".join(one.strings).decode("utf-8", "replace") for one in answer)
        if kind == "MX":
            return tuple(str(one.exchange).rstrip(".").lower() for one in answer)
        return tuple(str(one).lower() for one in answer)


def look(wanted: Expected, ask: Ask) -> list[Finding]:
    """Ask for everything at once, and judge it."""
    name = wanted.domain
    parents = [name.split(".", at)[at] for at in range(name.count("."))]
    questions = [
        *((name, "MX"), (name, "TXT")),
        *((key.host, "TXT") for key in wanted.keys),
        *((f"_dmarc.{parent}", "TXT") for parent in parents),
        *((wanted.sender, kind) for kind in ("A", "AAAA") if not _is_address(wanted.sender)),
    ]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        answers = threads.map(lambda question: ask(*question), questions)
        facts = dict(zip(questions, answers, strict=True))
    addresses = [one for kind in ("A", "AAAA") for one in facts.get((wanted.sender, kind)) or ()]
    return [
        judge_mx(wanted, facts[name, "MX"]),
        judge_spf(wanted, facts[name, "TXT"], facts[name, "MX"], addresses),
        *(judge_key(key, facts[key.host, "TXT"]) for key in wanted.keys),
        judge_dmarc(wanted, [facts[f"_dmarc.{parent}", "TXT"] for parent in parents]),
    ]


def unasked(wanted: Expected) -> list[Finding]:
    """What should stand there, while nobody knows what does."""
    return [
        judge_mx(wanted, None),
        judge_spf(wanted, None, None, ()),
        *(judge_key(key, None) for key in wanted.keys),
        judge_dmarc(wanted, [None]),
    ]


def judge_mx(wanted: Expected, found: Answer) -> Finding:
    """Whether mail for the domain comes here; in copy mode, whether it goes anywhere."""
    should = wanted.takes_mail or phrase("the domain's own mail server")
    result = Result.RIGHT
    if found is None:
        result = Result.SILENT
    elif not found:
        result = Result.MISSING
    elif wanted.takes_mail and wanted.takes_mail not in found:
        result = Result.DIFFERENT
    return Finding("MX", wanted.domain, result, found or (), should)


def judge_spf(wanted: Expected, texts: Answer, mx: Answer, addresses: Sequence[str]) -> Finding:
    """Whether the record names the host that mail goes out from (RFC 7208 section 5)."""
    should = f"v=spf1 {_mechanism(wanted.sender)} ~all"
    found = _starting("v=spf1", texts)
    if texts is None:
        result = Result.SILENT
    elif not found:
        result = Result.MISSING
    elif len(found) > 1:  # a permanent error for every receiver, RFC 7208 section 4.5
        result = Result.DIFFERENT
    else:
        terms = [term.lstrip("+") for term in found[0].lower().split()[1:]]
        ours = addresses or ([wanted.sender] if _is_address(wanted.sender) else [])
        named = {f"a:{wanted.sender}", *(["mx"] if wanted.sender in (mx or ()) else [])}
        if named & set(terms) or any(_covers(term, one) for term in terms for one in ours):
            result = Result.RIGHT
        else:
            linked = any(term.startswith(_LINKS) for term in terms)
            result = Result.UNCLEAR if linked else Result.DIFFERENT
    return Finding("SPF", wanted.domain, result, found, should)


def judge_key(key: TxtRecord, texts: Answer) -> Finding:
    """Whether the published key is ours. An empty `p=` is a key that was withdrawn."""
    found = tuple(text for text in texts or () if "p" in _tags(text))
    result = Result.RIGHT
    if texts is None:
        result = Result.SILENT
    elif not found:
        result = Result.MISSING
    elif len(found) > 1 or _key(found[0]) != _key(key.value):
        result = Result.DIFFERENT
    return Finding("DKIM", key.host, result, found, key.value)


def judge_dmarc(wanted: Expected, by_parent: Sequence[Answer]) -> Finding:
    """Whether there is a policy, of the domain itself or of one above.

    Our `d=` and the envelope sender are the domain itself, so both align with it, also strictly.
    """
    host = f"_dmarc.{wanted.domain}"
    should = "v=DMARC1; p=none"  # the least that is a policy; it can be published as it stands
    for texts in by_parent:
        found = _starting("v=dmarc1", texts)
        if texts is None:
            return Finding("DMARC", host, Result.SILENT, (), should)
        if found:
            result = Result.RIGHT if len(found) == 1 else Result.DIFFERENT
            return Finding("DMARC", host, result, found, should)
    return Finding("DMARC", host, Result.MISSING, (), should)


def _starting(version: str, texts: Answer) -> tuple[str, ...]:
    spaced = [(text, text.lower().replace(";", " ").split()) for text in texts or ()]
    return tuple(text for text, words in spaced if words[:1] == [version])


def _tags(text: str) -> dict[str, str]:
    pairs = (tag.partition("=") for tag in text.split(";") if "=" in tag)
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _key(text: str) -> tuple[str, str]:
    tags = _tags(text)
    return tags.get("k", "rsa"), tags.get("p", "")


def _covers(term: str, address: str) -> bool:
    kind, _, network = term.partition(":")
    if kind not in ("ip4", "ip6"):
        return False
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _mechanism(host: str) -> str:
    """What names a host in an SPF record: `a:` takes no address (RFC 7208 section 5)."""
    return f"ip{ip_address(host).version}:{host}" if _is_address(host) else f"a:{host}"


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
