"""Where the models and the phantom are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from BrainTumorSegLib import resources
from BrainTumorSegLib.errors import InputError


def _package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the package seem to lie in `folder`."""
    monkeypatch.delenv(resources.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(resources, "__file__", str(folder / "BrainTumorSegLib" / "resources.py"))
    return folder / "BrainTumorSegLib"


@pytest.mark.parametrize("place", ["a/BrainTumorSegLib/_resources", "a/Resources", "Resources"])
def test_the_three_places_are_searched(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _package(tmp_path / "a", monkeypatch)
    (tmp_path / place / "Models").mkdir(parents=True)
    assert resources.find_resources() == tmp_path / place


def test_a_folder_of_that_name_without_ours_in_it_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _package(tmp_path / "a", monkeypatch)
    (tmp_path / "a" / "Resources" / "Icons").mkdir(parents=True)
    (tmp_path / "Resources" / "Phantom").mkdir(parents=True)
    assert resources.find_resources() == tmp_path / "Resources"


def test_the_environment_overrides_and_nothing_else_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _package(tmp_path / "a", monkeypatch)
    (package / "_resources" / "Models").mkdir(parents=True)
    (tmp_path / "mine" / "Models").mkdir(parents=True)
    monkeypatch.setenv(resources.ENVIRONMENT_VARIABLE, str(tmp_path / "mine"))
    assert resources.find_resources() == tmp_path / "mine"
    monkeypatch.setenv(resources.ENVIRONMENT_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(InputError, match="the models and the phantom are missing"):
        resources.find_resources()


@pytest.mark.parametrize(("platform", "place"), [("linux", ".local/share"), ("darwin", "Library/Application Support"), ("win32", "AppData/Local")])
def test_imported_models_live_in_the_users_data_folder(tmp_path: Path, platform: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (resources.ENVIRONMENT_VARIABLE, resources.IMPORTED_VARIABLE, "LOCALAPPDATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setattr(resources.sys, "platform", platform)
    assert resources.imported_models_folder() == tmp_path / place / "BrainTumorSeg" / "Models"
