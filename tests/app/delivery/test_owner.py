import os
from pathlib import Path

from app.delivery.owner import LeaseOwner


def test_a_living_worker_is_not_dead(tmp_path: Path) -> None:
    one, two = LeaseOwner.begin(tmp_path / "run"), LeaseOwner.begin(tmp_path / "run")
    assert two.dead({one.name, two.name}) == set()
    one.close()
    two.close()


def test_a_worker_that_ended_is_known_to_be_dead_until_the_next_has_tidied_up(
    tmp_path: Path,
) -> None:
    one, two = LeaseOwner.begin(tmp_path), LeaseOwner.begin(tmp_path)
    one.close()
    assert two.dead({one.name}) == {one.name}
    two.tidy()
    assert [path.name for path in tmp_path.iterdir()] == [f"deliver-{two.name}.lock"]
    two.close()


def test_a_worker_that_was_killed_is_dead(tmp_path: Path) -> None:
    one, two = LeaseOwner.begin(tmp_path), LeaseOwner.begin(tmp_path)
    os.close(one._handle)  # what the kernel does to a killed process
    assert two.dead({one.name}) == {one.name}
    two.tidy()
    assert two.dead({one.name}) == set()  # its file is gone: nothing is known any more
    two.close()


def test_of_workers_elsewhere_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "deliver-x.lock").touch()
    owner = LeaseOwner.begin(tmp_path / "run")
    assert owner.dead({"elsewhere", "../deliver-x", ""}) == set()
    owner.close()
