"""Models brought along as a zip: proven before anything is written, and no path of the zip is followed."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from BrainTumorSegLib import resources
from BrainTumorSegLib.errors import InputError, ModelError
from BrainTumorSegLib.inference import model_zip
from BrainTumorSegLib.inference.model_zip import import_models
from BrainTumorSegLib.inference.models import imported_models, list_models, read_model_file
from BrainTumorSegLib.preprocess.views import View
from Testing.Python.tiny import model_row, write_models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where imported models are kept; one model called "shipped" is there without import."""
    models = tmp_path / "resources" / "Models"
    models.mkdir(parents=True)
    (models / "a.onnx").write_bytes(b"shipped")
    write_models(models, model_row(models / "a.onnx", name="shipped"))
    monkeypatch.setenv(resources.ENVIRONMENT_VARIABLE, str(tmp_path / "resources"))
    monkeypatch.setenv(resources.IMPORTED_VARIABLE, str(tmp_path / "own"))
    return tmp_path / "own"


def make_zip(folder: Path, content: bytes = b"network", inner: str = "", table: Any = None, **changes: Any) -> Path:
    """A zip of one model; `changes` to its row, or another models.json altogether."""
    file = folder / "b.onnx"
    file.write_bytes(content)
    row = model_row(file, **{"name": "brought", **changes})
    path = folder / "models.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(file, f"{inner}b.onnx")
        archive.writestr(f"{inner}models.json", table if table is not None else json.dumps({"format": 1, "models": [row]}))
    return path


@pytest.mark.parametrize("inner", ["", "my models/"])
def test_a_model_comes_in_and_is_listed_after_the_shipped_ones(folder: Path, tmp_path: Path, inner: str) -> None:
    (model,) = import_models(make_zip(tmp_path, inner=inner))
    assert (model.name, read_model_file(model)) == ("brought", b"network")
    assert model.path.parent == folder
    assert [model.name for model in list_models()] == ["shipped", "brought"]


def test_a_second_import_of_the_same_changes_nothing(folder: Path, tmp_path: Path) -> None:
    import_models(make_zip(tmp_path))
    before = sorted(path.stat().st_mtime_ns for path in folder.iterdir())
    assert import_models(make_zip(tmp_path)) == []
    assert sorted(path.stat().st_mtime_ns for path in folder.iterdir()) == before


def test_a_newer_file_of_an_imported_model_replaces_it_and_others_stay(folder: Path, tmp_path: Path) -> None:
    import_models(make_zip(tmp_path))
    import_models(make_zip(tmp_path, b"other", name="second"))
    import_models(make_zip(tmp_path, b"newer"))
    assert {model.name: read_model_file(model) for model in imported_models()} == {"second": b"other", "brought": b"newer"}


def refused(path: Path, folder: Path, message: str) -> None:
    with pytest.raises(InputError, match=message):
        import_models(path)
    assert not folder.exists()


def test_an_altered_file_is_refused(folder: Path, tmp_path: Path) -> None:
    refused(make_zip(tmp_path, sha256="0" * 64), folder, "b.onnx in models.zip has sha256 .* but brought is 000000000000..., so it was altered")


def test_a_shipped_model_is_never_replaced(folder: Path, tmp_path: Path) -> None:
    refused(make_zip(tmp_path, name="shipped"), folder, "another model called shipped")


@pytest.mark.parametrize("name", ["../b.onnx", "/b.onnx", "..\\b.onnx", "C:/b.onnx", "a/../../b.onnx"])
def test_a_path_that_leaves_the_zip_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    path = make_zip(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"evil")
    refused(path, folder, "leaves its folder, so nothing of it was read")


def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    path = make_zip(tmp_path)
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(path, folder, "leaves its folder")


@pytest.mark.parametrize("file", ["../b.onnx", "/b.onnx", "c.onnx"])
def test_a_row_cannot_name_a_file_outside_the_zip(folder: Path, tmp_path: Path, file: str) -> None:
    refused(make_zip(tmp_path, file=file), folder, "is missing in models.zip")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("{", "models.json in models.zip is damaged"),
        ("[]", "models.json in models.zip is damaged"),
        (json.dumps({"format": 1, "models": [{"name": "b"}]}), "models.json in models.zip is damaged"),
        (json.dumps({"format": 2, "models": []}), "models.zip has format 2, but this version reads 1"),
    ],
)
def test_a_damaged_table_is_refused(folder: Path, tmp_path: Path, table: str, message: str) -> None:
    refused(make_zip(tmp_path, table=table), folder, message)


def test_a_model_of_a_later_version_is_refused(folder: Path, tmp_path: Path) -> None:
    refused(make_zip(tmp_path, inputs=["pet"]), folder, "needs what this version does not know .pet")
    refused(make_zip(tmp_path, scheme="organs"), folder, "needs what this version does not know .organs")
    refused(make_zip(tmp_path, scheme="glioma", outputs="points"), folder, "needs what this version does not know .points.; update")
    refused(make_zip(tmp_path, outputs="classes"), folder, "needs what this version does not know .classes.")  # of a scheme with one label
    refused(make_zip(tmp_path, scheme="glioma", outputs="classes", any_inputs=True), folder, "needs what this version does not know .classes.")


@pytest.mark.parametrize("outputs", ["tumor", "regions", "classes"])
def test_every_kind_of_outputs_comes_in(folder: Path, tmp_path: Path, outputs: str) -> None:
    view = {"kind": "crop-zscore", "size": 128, "clahe": True}
    (model,) = import_models(make_zip(tmp_path, scheme="glioma", outputs=outputs, inputs=["flair", "t1", "t1ce", "t2"], view=view))
    assert (model.outputs, model.inputs, model.view) == (outputs, ("flair", "t1", "t1ce", "t2"), View(**view))
    assert model.maps == {"tumor": 1, "regions": 3, "classes": 4}[outputs]


def test_a_zip_without_or_with_two_tables_is_refused(folder: Path, tmp_path: Path) -> None:
    path = make_zip(tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("again/models.json", "{}")
    refused(path, folder, "has 2 files models.json")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(path, folder, "has 0 files models.json")


def test_what_is_no_zip_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "models.zip"
    path.write_bytes(b"PK no zip")
    refused(path, folder, "is no zip file that can be read")
    refused(tmp_path / "absent.zip", folder, "cannot be read .No such file or directory")


def test_a_huge_file_is_refused_before_it_is_unpacked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_zip, "_MOST_BYTES", 2000)
    refused(make_zip(tmp_path, b"0" * 10_000_000), folder, "b.onnx in models.zip has 10 MB, which is too much")


def test_a_damaged_folder_of_imported_models_says_what_to_do(folder: Path) -> None:
    folder.mkdir()
    (folder / "models.json").write_text("{")
    with pytest.raises(ModelError, match="is damaged .*delete this folder and import the models again"):
        list_models()


def test_where_all_resources_are_named_outright_nothing_is_imported(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(resources.IMPORTED_VARIABLE)
    assert [model.name for model in list_models()] == ["shipped"]
    refused(make_zip(tmp_path), folder, "set BRAINTUMORSEG_IMPORTED_MODELS too")
