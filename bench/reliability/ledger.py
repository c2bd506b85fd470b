"""What was sent and what was acknowledged, and the check that all of it is there.

Every mail is made from its name alone, so what a mailbox holds can be compared octet for
octet. A mail whose 250 never came is in doubt: it may be there once, or not at all. No
mail is sent a second time, so nothing may ever be there twice.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

LARGEST = 400_000
_LINE = 72


def octets_of(name: str) -> bytes:
    """The mail of that name. Most are small, one in sixty-four has some hundred kilobytes."""
    digest = hashlib.sha256(name.encode()).digest()
    size = int.from_bytes(digest[:3]) % (LARGEST if digest[3] % 64 == 0 else 6_000)
    text = hashlib.shake_256(digest).hexdigest(max(_LINE, size) // 2)
    lines = "".join(f"{text[at : at + _LINE]}\r\n" for at in range(0, len(text), _LINE))
    header = (
        "From: Hanna Berg <hanna@brightwater.example>\r\n"
        f"To: people@acme.example\r\nSubject: {name}\r\n"
        "Date: Tue, 24 Nov 2026 08:00:00 +0000\r\n"
    )
    return f"{header}Message-ID: <{digest.hex()}@brightwater.example>\r\n\r\n{lines}".encode()


def name_of(octets: bytes) -> str:
    """The name in a mail's subject."""
    return octets.partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0].decode(errors="replace")


def body_of(octets: bytes) -> bytes:
    """A mail without its header, to which each server on the way adds."""
    return octets.partition(b"\r\n\r\n")[2]


@dataclass(slots=True)
class Ledger:
    """For threads. `sent` has every mail whose octets began to go out, `acknowledged` every 250."""

    sent: dict[str, str] = field(default_factory=dict)  # name -> address
    acknowledged: dict[str, str] = field(default_factory=dict)
    replies: Counter[int] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, address: str) -> None:
        """A mail begins to go out."""
        with self._lock:
            self.sent[name] = address

    def end(self, name: str, code: int) -> None:
        """The reply to a mail's octets; 0: the connection was lost instead."""
        with self._lock:
            self.replies[code] += 1
            if code == 250:
                self.acknowledged[name] = self.sent[name]


@dataclass(slots=True)
class Verdict:
    """What is wrong, by name. All empty: the promise was kept."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)  # there, and not octet for octet what was sent
    foreign: list[str] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        return not (self.lost or self.doubled or self.half or self.foreign)

    def __str__(self) -> str:
        parts = [f"{name} {len(getattr(self, name))}" for name in self.__slots__]
        examples = [*self.lost, *self.doubled, *self.half, *self.foreign][:3]
        return ", ".join(parts) + (f" (such as {examples})" if examples else "")


def judge(mails: Iterable[bytes], acknowledged: Iterable[str], sent: Iterable[str]) -> Verdict:
    """Hold what one mailbox has against what was sent to it."""
    verdict = Verdict()
    known = set(sent)
    found: Counter[str] = Counter()
    for octets in mails:
        name = name_of(octets)
        found[name] += 1
        if name not in known:
            verdict.foreign.append(name)
        elif octets != octets_of(name):
            verdict.half.append(name)
    verdict.lost = [name for name in acknowledged if not found[name]]
    verdict.doubled = [name for name, times in found.items() if times > 1]
    return verdict
