"""The sweep role looks at the bucket: one that would keep what is deleted never goes unnoticed."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from app.audit import alarms
from app.models import AuditEvent
from app.roles.ingest_writer import examine_at_start
from app.roles.sweep import look_at_bucket
from app.wiring import Parts
from archive_store.config import ObjectStoreConfig
from tests.app.conftest import World
from tests.parts.network import free_port
from tests.parts.seaweedfs import SeaweedFS


def parts_with(world: World, place: ObjectStoreConfig) -> Parts:
    config = replace(world.config, object_store=place)
    return cast(Parts, SimpleNamespace(db=world.db, store=config))


def alarms_in(world: World) -> list[str]:
    with world.db.read() as tx:
        kinds = list(tx.scalars(select(AuditEvent.kind)))
    return [kind for kind in kinds if kind == "store.bucket-unfit"]


def test_a_bucket_that_begins_to_keep_versions_is_an_alarm_once_a_day(
    world: World, seaweedfs: SeaweedFS
) -> None:
    place = replace(seaweedfs.config(), bucket="versions-later")
    parts = parts_with(world, place)
    look_at_bucket(parts_with(world, seaweedfs.config()), "sweep")
    assert alarms_in(world) == []
    seaweedfs.keep_versions(place.bucket)
    for _ in range(2):
        look_at_bucket(parts, "sweep")
    assert len(alarms_in(world)) == 1
    with world.db.read() as tx:
        [sentence] = alarms.standing(tx, datetime.now(UTC))
    assert "versions-later" in sentence


def test_an_object_store_that_is_away_holds_up_neither_start_nor_sweep(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    place = ObjectStoreConfig(bucket="mail", endpoint=endpoint, access_key="a", secret_key="b")
    examine_at_start(parts_with(world, place).store)
    look_at_bucket(parts_with(world, place), "sweep")
    assert alarms_in(world) == []
    assert "the object store does not answer" in caplog.text
