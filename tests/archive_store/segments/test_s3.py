"""A bucket as the settings name it: what is refused before any mail is in it, and what is told."""

import logging
import zlib
from dataclasses import replace
from datetime import date

import obstore
import pytest

from archive_store.config import ObjectStoreConfig
from archive_store.errors import ConfigError, NotFound, StoreBusy
from archive_store.segments import FrameRef
from archive_store.segments.frame import HEADER, MAGIC
from archive_store.segments.object_errors import NoAnswer, Outage
from archive_store.segments.objects import ObjectSegments
from archive_store.segments.s3 import BucketUnfit, examine_bucket, open_bucket
from tests.parts.network import free_port
from tests.parts.seaweedfs import ACCESS_KEY, SECRET_KEY, SeaweedFS

DAY = date(2026, 11, 24)
BODY = bytes(range(64))
FRAME = HEADER.pack(MAGIC, 2, 0, len(BODY), zlib.crc32(BODY)) + BODY


def test_a_fit_bucket_passes_and_nothing_of_the_trial_stays(seaweedfs: SeaweedFS) -> None:
    config = seaweedfs.config()
    examine_bucket(config)
    assert [entry for page in obstore.list(open_bucket(config)) for entry in page] == []


def test_a_bucket_that_is_not_there_is_named(seaweedfs: SeaweedFS) -> None:
    with pytest.raises(ConfigError, match=r"OBJECTS_URL: .*no such bucket: nowhere"):
        examine_bucket(replace(seaweedfs.config(), bucket="nowhere"))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ((ACCESS_KEY, "not-the-secret"), "SignatureDoesNotMatch"),
        (("nobody", SECRET_KEY), "InvalidAccessKeyId"),
    ],
)
def test_a_wrong_access_key_is_told_and_not_quoted(
    seaweedfs: SeaweedFS, wrong: tuple[str, str], code: str
) -> None:
    with pytest.raises(ConfigError, match=rf"OBJECTS_SECRET_KEY: .*refuses access \({code}\)") as e:
        examine_bucket(replace(seaweedfs.config(), access_key=wrong[0], secret_key=wrong[1]))
    assert all(word not in str(e.value) for word in wrong)


def test_a_bucket_that_keeps_old_versions_is_refused(seaweedfs: SeaweedFS) -> None:
    seaweedfs.keep_versions("versions")
    with pytest.raises(BucketUnfit, match="keeps old versions"):
        examine_bucket(replace(seaweedfs.config(), bucket="versions"))


def test_a_server_that_is_not_there_is_no_fault_of_the_settings() -> None:
    config = ObjectStoreConfig(
        bucket="mail", endpoint=f"http://127.0.0.1:{free_port()}", access_key="a", secret_key="b"
    )
    with pytest.raises(NoAnswer):
        examine_bucket(config)


def test_in_an_outage_nobody_waits_in_turn_and_it_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    config = ObjectStoreConfig(
        bucket="mail", endpoint=f"http://127.0.0.1:{free_port()}", access_key="a", secret_key="b"
    )
    store = ObjectSegments(open_bucket(config))
    for _ in range(20):
        with pytest.raises(StoreBusy):
            store.append(DAY, [FRAME])
    assert caplog.messages == ["the object store does not answer"]
    store.close()


def test_a_404_of_somebody_else_is_no_mail_that_left() -> None:
    outage = Outage()
    text = "Server returned non-2xx status code: 404 Not Found: {}"
    with pytest.raises(StoreBusy), outage.watched():
        raise FileNotFoundError(text.format("<html>default backend</html>"))
    with pytest.raises(NotFound), outage.watched():
        raise FileNotFoundError(text.format("<Error><Code>NoSuchKey</Code></Error>"))


def test_mail_in_a_bucket_that_was_removed_is_not_taken_for_old(seaweedfs: SeaweedFS) -> None:
    store = ObjectSegments(open_bucket(replace(seaweedfs.config(), bucket="removed")))
    with pytest.raises(StoreBusy):
        store.read(FrameRef(DAY, "0" * 24 + ".seg", 0, 5))
    store.close()
