"""The failures of the archive store, drawn once.

`transient` says whether the same call can succeed later; the SMTP edge turns it
into 4xx, the web into 503. No message of these errors quotes mail or a secret.
"""


class StoreError(Exception):
    """A failure of the archive store."""

    transient = False


class StoreBusy(StoreError):
    """The database is locked, unreachable or restarting; a retry can succeed."""

    transient = True


class StoreFull(StoreError):
    """No room to append; the sending server should keep the mail."""

    transient = True


class WriteFailed(StoreError):
    """A write or fsync failed; that file is not trusted again."""

    transient = True


class KeysMissing(StoreError):
    """No usable public key for a mailbox and day: the keys role must make one."""

    transient = True


class KeyForged(StoreError):
    """A public key in the database does not carry the directory's signature.

    Says whose it is, for the alarm; without any of it when it comes from another process.
    """

    transient = True

    def __init__(self, series: str = "", tenant_id: bytes = b"", owner_id: bytes = b"") -> None:
        super().__init__("a public key in the database is not signed by this installation")
        self.series = series
        self.tenant_id = tenant_id
        self.owner_id = owner_id


class KeysUnavailable(StoreError):
    """The keys role does not answer."""

    transient = True


class TooMany(StoreError):
    """Somebody asks for more than may be had in a minute; later it can be had."""

    transient = True


class KeyringError(StoreError):
    """The keyring is missing, damaged, or belongs to another installation."""


class MasterKeyAway(KeyringError):
    """What opens the keyring does not answer now; the keyring itself may be sound."""

    transient = True


class SealBroken(StoreError):
    """Stored octets failed authentication: wrong key, or somebody changed them."""


class FrameBroken(StoreError):
    """A frame in a segment is torn or damaged."""


class FrameUnreadable(FrameBroken):
    """The disk failed to give a frame's octets; it may give them another time."""

    transient = True


class NotFound(StoreError):
    """No such object, or it has left with its seven days."""


class ConfigError(StoreError):
    """A setting is unknown or invalid; the text names it and what is expected."""
