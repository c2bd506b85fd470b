"""An S3-compatible bucket, as the settings name it; and whether it is fit for mail.

Each request may take `OBJECTS_TIMEOUT`; what failed is tried again within that time, so
a call ends after twice that at most. A bucket must not keep old versions of objects: there
a final delete would erase nothing. The answer to a put tells, as far as the store is asked.
"""

import secrets
from datetime import timedelta

import obstore
from obstore.store import S3Store

from archive_store.config import ObjectStoreConfig
from archive_store.errors import ConfigError
from archive_store.segments.object_errors import (
    AccessRefused,
    AlreadyThere,
    BucketMissing,
    ClocksDiffer,
    Outage,
)

CONNECT_SECONDS = 5
RETRIES = 2
_NO_VERSION = "null"  # of a bucket that kept versions once and does no more
KEEPS_VERSIONS = (
    "LIVEARCHIVE_OBJECTS_URL: this bucket keeps old versions of objects, so what is deleted "
    "would stay: use one without versioning and object lock"
)
OVERWRITES = (
    "LIVEARCHIVE_OBJECTS_URL: this object store overwrites in spite of If-None-Match, "
    "so a deleted mail's key could come back: it cannot be used"
)


class BucketUnfit(ConfigError):
    """With this bucket something that was deleted would stay, or come back."""


def open_bucket(config: ObjectStoreConfig) -> S3Store:
    """The bucket and prefix. Asks nobody anything yet."""
    seconds = config.timeout.total_seconds()
    return S3Store(
        config.bucket,
        prefix=config.prefix or None,
        region=config.region,
        endpoint=config.endpoint or None,
        # Empty: the key that the machine itself has from its provider.
        access_key_id=config.access_key or None,
        secret_access_key=config.secret_key or None,
        virtual_hosted_style_request=False,
        client_options={
            "allow_http": config.endpoint.startswith("http://"),
            "connect_timeout": timedelta(seconds=min(CONNECT_SECONDS, seconds)),
            "timeout": config.timeout,
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": config.timeout},
    )


def examine_bucket(config: ObjectStoreConfig) -> None:
    """Try what the store has to do, with an object of no content that is removed again.

    ConfigError (BucketUnfit when the bucket itself is wrong) says what to change; StoreBusy:
    it does not answer now.
    """
    try:
        _try_out(open_bucket(config), Outage())
    except BucketMissing as error:
        raise ConfigError(f"LIVEARCHIVE_OBJECTS_URL: {error}: {config.bucket}") from None
    except ClocksDiffer as error:
        raise ConfigError(f"{error}: set the clock of this machine, then try again") from None
    except AccessRefused as error:
        raise ConfigError(
            f"LIVEARCHIVE_OBJECTS_ACCESS_KEY, LIVEARCHIVE_OBJECTS_SECRET_KEY: {error}"
        ) from None


def _try_out(store: S3Store, outage: Outage) -> None:
    path = f"probe/{secrets.token_hex(12)}"
    with outage.watched():
        obstore.list_with_delimiter(store)
    with outage.watched():
        put = obstore.put(store, path, b"", mode="create", use_multipart=False)
    try:
        # What is overwritten or deleted would live on as an old version.
        if put["version"] not in (None, _NO_VERSION):
            raise BucketUnfit(KEEPS_VERSIONS)
        with outage.watched():
            obstore.put(store, path, b"", mode="create", use_multipart=False)
    except AlreadyThere:
        pass
    else:
        raise BucketUnfit(OVERWRITES)
    finally:
        with outage.watched():
            obstore.delete(store, path)
