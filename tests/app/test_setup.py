"""Preparing an installation: keys are made once, by one process, and never replaced."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.config import Config
from app.setup import prepare
from app.wiring import Parts
from archive_store.clock import day_of, utc_now
from archive_store.directory import Owner, PublicKeys, ensure_day_keys
from archive_store.errors import KeyringError
from archive_store.ids import new_id
from archive_store.keyring import KeyringFile
from archive_store.receipts import WRITERS, ReceiptKey

ROOT = Path(__file__).parents[2]


def config_of(folder: Path) -> Config:
    return Config.load({"LIVEARCHIVE_DATA_DIR": str(folder)})


def use(config: Config) -> None:
    """Make day keys, as for an installation that has had mail."""
    parts = Parts(config, "admin")
    keyring, now = KeyringFile(config.store.keyring).load(), utc_now()
    keyring.extend(now)
    with parts.db.write() as tx:
        ensure_day_keys(tx, keyring, [Owner.log(new_id())], day_of(now))
    parts.close()


def test_a_lost_public_json_is_made_anew_from_the_same_keys(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    prepare(config)
    use(config)
    path = config.store.keys_dir / "public.json"
    before = path.read_bytes()
    path.unlink()
    prepare(config)
    assert path.read_bytes() == before


@pytest.mark.parametrize("writer", WRITERS)
def test_a_lost_receipt_key_is_never_replaced_beside_mail(tmp_path: Path, writer: str) -> None:
    config = config_of(tmp_path)
    prepare(config)
    use(config)
    keys_dir = config.store.keys_dir
    (keys_dir / "public.json").unlink()
    lost = keys_dir / f"receipt-{writer}.key"
    lost.unlink()
    with pytest.raises(KeyringError, match="put it back from a backup"):
        prepare(config)
    assert not lost.exists()


def test_two_that_prepare_at_once_make_one_set_of_keys(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "app.setup_main"]
    environment = {"LIVEARCHIVE_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    both = [subprocess.Popen(command, env=environment, cwd=ROOT) for _ in range(3)]
    assert [one.wait(60) for one in both] == [0, 0, 0]
    store = config_of(tmp_path).store
    public = PublicKeys.load(store.keys_dir)
    assert KeyringFile(store.keyring).load().installation == public.installation
    for name in WRITERS:
        key = ReceiptKey.load(store.keys_dir, name).key.public_key()
        assert key.public_bytes_raw() == public.receipts[name]
