"""What a legal hold is of, and why: kept beside its key, so that a lost database does not take it.

It is of no use to whoever has no keyring, opens nothing, and goes with the hold's key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """`mailbox_id` and `address` are empty when a search was held."""

    domain_id: bytes
    domain: str
    mailbox_id: bytes
    address: str
    reason: str
    placed_by: str
    placed_at: datetime

    def to_json(self) -> dict[str, str]:
        """As the keyring's file has it."""
        return {
            "domain_id": self.domain_id.hex(),
            "domain": self.domain,
            "mailbox_id": self.mailbox_id.hex(),
            "address": self.address,
            "reason": self.reason,
            "placed_by": self.placed_by,
            "placed_at": self.placed_at.isoformat(),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """ValueError, KeyError or TypeError when it is something else."""
        return cls(
            domain_id=bytes.fromhex(found["domain_id"]),
            domain=str(found["domain"]),
            mailbox_id=bytes.fromhex(found["mailbox_id"]),
            address=str(found["address"]),
            reason=str(found["reason"]),
            placed_by=str(found["placed_by"]),
            placed_at=datetime.fromisoformat(found["placed_at"]),
        )
