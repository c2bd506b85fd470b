"""Which messages belong together: the threads of RFC 5256 (REFERENCES), never by their subject.

Two messages are of one conversation when one names the other in References (or, for want of any,
in In-Reply-To), when both name the same one, or when there is a row of such messages between them.
Only the sets are wanted here, not the trees, so ids are joined and not hung under each other: the
order in which mail comes makes no difference, and neither a loop, a message that names itself, nor
a missing parent is a case of its own. Where RFC 5256 lets the order decide between two parents,
both are kept together. All costs are linear in what the parser lets through.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from archive_store.indexing import IndexedSummary

MOST_COPIES = 20
"""Messages of one Message-ID that are joined by it: a mail to several addresses of one person comes
as often. Some devices write the same id for ever; more than these have it by mistake.
"""

_ID = rb'\\"([^"\\]*+)\\"'
_LINKS = re.compile(
    rb',\\"message_id\\":' + _ID + rb'(?:,\\"in_reply_to\\":' + _ID + rb")?"
    rb'(?:,\\"references\\":\[((?:\\"[^"\\]*+\\",?)++)\])?'
    rb'(?:\}|,\\"(?:preview|attachments|has_attachments|unreadable)\\":)'
)
_BETWEEN = rb"\",\""


class Links(NamedTuple):
    """The ids that join a message to others; empty for want of one."""

    message_id: bytes
    parents: Sequence[bytes]


def links_of(octets: bytes) -> Links:
    """The ids in the octets of an `IndexedSummary`; SealBroken when they are none.

    As with `indexing.sent_to`: thousands are asked at once, and all of the JSON costs ten times as
    much. The summary is JSON within JSON: what a message itself holds of this pattern has
    three backslashes before each quotation mark, so it is found in its place only.
    """
    found = _LINKS.search(octets)
    if found is None:
        return _slowly(octets)
    message_id, replied, references = found.groups()
    if references:
        return Links(message_id, references[2:-2].split(_BETWEEN))
    return Links(message_id, [replied] if replied else [])


def _slowly(octets: bytes) -> Links:
    summary = IndexedSummary.from_octets(octets).summary
    parents = summary.references or (summary.in_reply_to,)
    return Links(_plain(summary.message_id), [_plain(one) for one in parents if one])


def _plain(message_id: str) -> bytes:
    """One spelling of an id with quotation marks and of the same without (RFC 5256, section 3)."""
    spelling = message_id.replace('"', "").replace("\\", "")
    return spelling.encode(errors="surrogateescape")


class Threads:
    """Messages, by numbers above 0, joined into conversations as they are added."""

    def __init__(self) -> None:
        self._above: list[int] = []  # a forest over nodes: an id, or a message without one
        self._nodes: dict[bytes, int] = {}
        self._copies: dict[int, int] = {}
        self._node_of: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}  # by the root of their tree

    def __len__(self) -> int:
        return len(self._node_of)

    def __contains__(self, number: int) -> bool:
        return number in self._node_of

    def add(self, number: int, links: Links) -> None:
        """Add a message that is not there yet."""
        node = self._place(links.message_id)
        self._node_of[number] = node
        self._members.setdefault(self._root(node), []).append(number)
        for parent in links.parents:
            self._join(node, self._named(parent))

    def of(self, number: int) -> int:
        """The conversation of a message, as a number that only this object understands; one that
        was never added is alone.
        """
        node = self._node_of.get(number)
        return -number if node is None else self._root(node)

    def members(self, number: int) -> Sequence[int]:
        """The messages of its conversation, itself among them, in no order."""
        node = self._node_of.get(number)
        return [number] if node is None else self._members[self._root(node)]

    def _place(self, message_id: bytes) -> int:
        if not message_id:
            return self._new()
        node = self._named(message_id)
        copies = self._copies.get(node, 0) + 1
        self._copies[node] = copies
        return node if copies <= MOST_COPIES else self._new()

    def _named(self, message_id: bytes) -> int:
        node = self._nodes.get(message_id)
        if node is None:
            node = self._nodes[message_id] = self._new()
        return node

    def _new(self) -> int:
        self._above.append(len(self._above))
        return len(self._above) - 1

    def _root(self, node: int) -> int:
        above = self._above
        while above[node] != node:
            above[node] = node = above[above[node]]  # halves the way of whoever comes next
        return node

    def _join(self, one: int, other: int) -> None:
        low, high = self._root(one), self._root(other)
        if low == high:
            return
        fewer, more = self._members.pop(low, []), self._members.pop(high, [])
        if len(fewer) > len(more):
            low, high, fewer, more = high, low, more, fewer
        self._above[low] = high
        more += fewer
        if more:
            self._members[high] = more
