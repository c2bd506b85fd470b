"""The events about the certificate of the listeners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.audit.kinds import Event, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateIssued(Event):
    """An authority issued a certificate (ACME), which the listeners take."""

    name = Kind.CERTIFICATE_ISSUED
    names: str
    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFailed(Event):
    """An alarm, once a day and kind of trouble: no certificate came; the one in use stays."""

    name = Kind.CERTIFICATE_FAILED
    names: str
    trouble: str
