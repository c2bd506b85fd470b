"""Where the product finds its own files."""

from pathlib import Path

import pytest

from app import resources


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    monkeypatch.setattr(resources, "_PACKAGE", folder)
    return folder


def test_a_checkout_uses_its_top_level_folders(package: Path) -> None:
    wanted = package.parent / "static"
    wanted.mkdir()
    assert resources.resource_dir("static") == wanted


def test_a_wheel_uses_what_it_carries_even_beside_a_stray_folder(package: Path) -> None:
    (package.parent / "static").mkdir()
    carried = package / "_bundle" / "static"
    carried.mkdir(parents=True)
    assert resources.resource_dir("static") == carried


def test_a_missing_folder_is_named(package: Path) -> None:
    with pytest.raises(RuntimeError, match="'templates' is missing"):
        resources.resource_dir("templates")
