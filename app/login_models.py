"""The tables of the ways to log in: one-time codes, authenticator apps, passkeys, known devices.

Nothing here lets anybody in who reads it: codes are digests under a key of the keyring, the
secret of an app is sealed under another, a passkey has its public half only.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from archive_store.db import Base, Id, Utc

NETWORK_LENGTH = 50
PASSKEY_NAME_LENGTH = 60
DIGEST_OCTETS = 32


class OneTimeCode(Base):
    """A code that logs in once: from a list that its person made, or given by an administrator."""

    __tablename__ = "one_time_code"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_OCTETS), primary_key=True)
    given: Mapped[bool]  # by an administrator
    made_at: Mapped[datetime] = mapped_column(Utc)
    ends_at: Mapped[datetime | None] = mapped_column(Utc)  # None: valid until it is used
    used_at: Mapped[datetime | None] = mapped_column(Utc)


class Authenticator(Base):
    """A person's authenticator app (RFC 6238). Its secret is sealed by the keys role."""

    __tablename__ = "authenticator"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(Utc)
    confirmed_at: Mapped[datetime | None] = mapped_column(Utc)  # None: asked for by nobody yet
    last_step: Mapped[int] = mapped_column(BigInteger)  # of 30 seconds: no code serves twice


class Passkey(Base):
    """A passkey (WebAuthn Level 3) of a person."""

    __tablename__ = "passkey"

    id: Mapped[bytes] = mapped_column(Id, primary_key=True)
    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), index=True
    )
    credential_id: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(PASSKEY_NAME_LENGTH))
    made_at: Mapped[datetime] = mapped_column(Utc)
    used_at: Mapped[datetime | None] = mapped_column(Utc)


class LoginStep(Base):
    """A log-in, or the making of a passkey, that waits for its second half. It opens no page."""

    __tablename__ = "login_step"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_OCTETS), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))  # code | passkey | new-key
    user_id: Mapped[bytes | None] = mapped_column(Id, ForeignKey("person.id", ondelete="CASCADE"))
    challenge: Mapped[bytes] = mapped_column(LargeBinary)  # of a passkey
    network: Mapped[str] = mapped_column(String(NETWORK_LENGTH), index=True)
    public_computer: Mapped[bool]
    begun_at: Mapped[datetime] = mapped_column(Utc, index=True)
    failures: Mapped[int]


class KnownDevice(Base):
    """A browser in which this person has logged in before; it holds the token, here is its hash."""

    __tablename__ = "known_device"

    user_id: Mapped[bytes] = mapped_column(
        Id, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(LargeBinary(DIGEST_OCTETS), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Utc, index=True)
