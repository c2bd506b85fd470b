"""Codes of authenticator apps (RFC 6238): SHA-1, 30 seconds, six digits, as every app has them.

A code is taken for its own step and the one before and after, since clocks differ. Which step it
was is returned, so that the caller can refuse it a second time (RFC 6238 section 5.2).
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp

from app.secret import Secret

STEP_SECONDS = 30
_CODE = re.compile(r"[0-9]{6}")
ISSUER = "LiveArchive"


def generate() -> Secret:
    """A new secret of 160 random bits, in base 32."""
    return Secret(pyotp.random_base32())


def looks_like_one(typed: Secret) -> bool:
    """Whether somebody typed six digits, spaces apart."""
    return _CODE.fullmatch(_digits(typed)) is not None


def matching_step(secret: Secret, typed: Secret, now: datetime) -> int | None:
    """The step whose code this is; None: it is not one of now."""
    totp, present = pyotp.TOTP(secret.reveal()), int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in (present - 1, present, present + 1):
        if hmac.compare_digest(
            totp.generate_otp(step).encode(), _digits(typed).encode("utf-8", "replace")
        ):
            found = step
    return found


def enrolment_uri(secret: Secret, address: str) -> str:
    """What the picture for the app says."""
    return pyotp.TOTP(secret.reveal()).provisioning_uri(name=address, issuer_name=ISSUER)


def _digits(typed: Secret) -> str:
    return "".join(typed.reveal()[:40].split())
