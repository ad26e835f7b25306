"""Models are found by name, proven by sha256, and what is wrong with them is said in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from BrainTumorSegLib.errors import InputError, ModelError
from BrainTumorSegLib.inference.models import ModelInfo, choose_model, find_model, list_models, read_model_file
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE
from Testing.Python.tiny import model_row, write_models


def models(folder: Path, *inputs: tuple[str, list[str]]) -> list[ModelInfo]:
    """Models of these names and inputs, all with the same file."""
    file = folder / "a.onnx"
    file.write_bytes(b"network")
    write_models(folder, *(model_row(file, name=name, inputs=roles) for name, roles in inputs))
    return list_models(folder)


def test_models_are_listed_in_the_order_of_the_file_with_tuples_and_size(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(bytes(1_234_567))
    write_models(tmp_path, model_row(tmp_path / "a.onnx", name="b"), model_row(tmp_path / "missing.onnx", name="a", scheme="glioma"))
    first, second = list_models(tmp_path)
    assert (first.name, second.name) == ("b", "a")
    assert first.inputs == ("t1ce",)
    assert first.planes == ("axial", "coronal", "sagittal")
    assert first.size_mb == 1.23
    assert first.path == tmp_path / "a.onnx"
    assert second.size_mb == 0
    assert first.labels == {1: "tumor"}
    assert second.labels == {1: "NCR", 2: "ED", 3: "ET"}


def test_the_environment_says_where_models_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Models").mkdir()
    write_models(tmp_path / "Models", model_row(tmp_path / "a.onnx", name="mine"))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    assert [model.name for model in list_models()] == ["mine"]


def test_the_shipped_models_are_what_models_json_says() -> None:
    for model in list_models():
        read_model_file(model)  # the sha256 holds
        assert model.scheme in SCHEMES
        assert 0 < model.threshold < 1
        assert model.license
        assert model.license_note
        assert all(entry["license"] for entry in model.training_data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "models.json cannot be read .No such file or directory.; install the extension again"),
        ("{", "models.json is damaged"),
        ("[]", "models.json is damaged"),
        ('{"format": 1}', "models.json is damaged"),
        ('{"format": 1, "models": [{"name": "a"}]}', "models.json is damaged"),
        ('{"format": 2, "models": []}', "models.json has format 2, but this version reads 1; install the matching version"),
    ],
)
def test_a_table_that_cannot_be_used_is_a_model_error(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "models.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        list_models(tmp_path)


def test_a_row_with_an_unknown_key_is_damage_and_not_ignored(tmp_path: Path) -> None:
    write_models(tmp_path, model_row(tmp_path / "a.onnx", thresold=0.3))
    with pytest.raises(ModelError, match="damaged.*thresold"):
        list_models(tmp_path)


def test_find_model_lists_what_there_is(tmp_path: Path) -> None:
    listed = models(tmp_path, ("one", ["t1ce"]), ("two", ["flair"]))
    assert find_model("two", listed) is listed[1]
    with pytest.raises(InputError, match="there is no model 'three'; choose one of one, two"):
        find_model("three", listed)


def test_choose_model_takes_the_first_whose_inputs_are_all_given(tmp_path: Path) -> None:
    listed = models(tmp_path, ("four", ["t1", "t1ce", "t2", "flair"]), ("pair", ["t1ce", "flair"]), ("single", ["t1ce"]))
    assert choose_model(["flair", "t2", "t1ce", "t1"], listed).name == "four"
    assert choose_model(["flair", "t1ce"], listed).name == "pair"
    assert choose_model(["t1ce", "t2"], listed).name == "single"


def test_choose_model_says_what_is_given_and_what_each_model_needs(tmp_path: Path) -> None:
    listed = models(tmp_path, ("pair", ["t1ce", "flair"]), ("single", ["t1ce"]))
    with pytest.raises(InputError, match="no model reads t1, flair alone .pair needs t1ce, flair; single needs t1ce.; give what one of them needs"):
        choose_model(["flair", "t1"], listed)
    with pytest.raises(InputError, match="no model reads nothing alone"):
        choose_model([], listed)


def test_an_altered_file_is_named_with_both_sums(tmp_path: Path) -> None:
    (model,) = models(tmp_path, ("one", ["t1ce"]))
    assert read_model_file(model) == b"network"
    model.path.write_bytes(b"networks")
    altered, proper = hashlib.sha256(b"networks").hexdigest()[:12], hashlib.sha256(b"network").hexdigest()[:12]
    with pytest.raises(ModelError, match=f"a.onnx has sha256 {altered}..., but one is {proper}..., so it was altered or cut; install it again"):
        read_model_file(model)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (model,) = models(tmp_path, ("one", ["t1ce"]))
    model.path.unlink()
    with pytest.raises(ModelError, match="the model file .*a.onnx cannot be read .No such file or directory.; install"):
        read_model_file(model)


def test_models_json_is_read_as_utf_8(tmp_path: Path) -> None:
    row = model_row(tmp_path / "a.onnx", title="Tumör")
    (tmp_path / "models.json").write_bytes(json.dumps({"format": 1, "models": [row]}, ensure_ascii=False).encode())
    assert list_models(tmp_path)[0].title == "Tumör"
