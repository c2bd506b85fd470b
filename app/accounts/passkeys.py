"""Passkeys (W3C WebAuthn Level 3): made for this site's name, and proved by a signature.

A passkey is a whole log-in: it is something that one has, and user verification (a finger, a PIN)
is demanded each time. Nothing that is asked for names anybody: the passkey says itself whose it
is, so the page cannot be asked whether an address exists. Name and origin come from the
configured address of the site, never from a request. Needs https, or `localhost`, and a name:
browsers make none for an IP address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    generate_challenge,
    parse_authentication_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.models import Passkey, User

MOST_OF_A_PERSON = 20
LONGEST_ANSWER = 64 * 1024  # characters; what a browser sends has a few thousand
MALFORMED = (WebAuthnException, ValueError, RecursionError)  # the last: deeply nested JSON
REQUIRED = UserVerificationRequirement.REQUIRED


@dataclass(frozen=True, slots=True)
class Site:
    """Whom browsers make passkeys for."""

    name: str  # the relying party's id
    origin: str

    @classmethod
    def at(cls, public_url: str) -> Site | None:
        """The site at this address; None: browsers make no passkeys for it."""
        parts = urlsplit(public_url)
        name = parts.hostname or ""
        if _is_number(name) or not (parts.scheme == "https" or name == "localhost"):
            return None
        return cls(name, f"{parts.scheme}://{parts.netloc}".lower())


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser is asked for: `options` as JSON, and the challenge in it."""

    challenge: bytes
    options: str


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey, as it is kept."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Which passkey answers, as the browser sent it. Nothing is proved by it yet."""

    credential_id: bytes
    text: str


def ask_for_new(site: Site, user: User, present: Sequence[Passkey]) -> Asked:
    """For a new passkey, which the device keeps and finds by itself."""
    challenge = generate_challenge()
    options = generate_registration_options(
        rp_id=site.name,
        rp_name="LiveArchive",
        user_id=user.id,
        user_name=user.address,
        user_display_name=user.name or user.address,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=REQUIRED
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=key.credential_id) for key in present
        ],
    )
    return Asked(challenge, options_to_json(options))


def ask(site: Site) -> Asked:
    """For a signature of any passkey of this site."""
    challenge = generate_challenge()
    options = generate_authentication_options(
        rp_id=site.name, challenge=challenge, user_verification=REQUIRED
    )
    return Asked(challenge, options_to_json(options))


def made(site: Site, challenge: bytes, text: str) -> Made | None:
    """The passkey that a browser made for this challenge; None: it is none of ours."""
    if len(text) > LONGEST_ANSWER:
        return None
    try:
        found = verify_registration_response(
            credential=text,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def read(text: str) -> Answer | None:
    """The answer of a browser; None for what is none."""
    if len(text) > LONGEST_ANSWER:
        return None
    try:
        credential = parse_authentication_credential_json(text)
        return Answer(base64url_to_bytes(credential.id), text)
    except MALFORMED:
        return None


def signed(site: Site, challenge: bytes, answer: Answer, key: Passkey) -> int | None:
    """The passkey's count of uses, when the answer is its signature for this challenge."""
    try:
        found = verify_authentication_response(
            credential=answer.text,
            expected_challenge=challenge,
            expected_rp_id=site.name,
            expected_origin=site.origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=0,  # `is_copied` tells that apart from a wrong signature
            require_user_verification=True,
        )
    except MALFORMED:
        return None
    return found.new_sign_count


def is_copied(kept: int, count: int) -> bool:
    """Whether the count went back or stood still: then there is a second one (section 6.1.1).
    Passkeys that live on several devices do not count, and always say zero.
    """
    return (kept > 0 or count > 0) and count <= kept


def _is_number(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
