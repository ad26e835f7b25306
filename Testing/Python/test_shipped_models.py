"""The shipped files themselves: what models.json says of them is true, and they find the tumor of the embedded phantom."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.labels import ROLES, SCHEMES
from BrainTumorSegLib.resources import find_resources

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
MODELS = api.list_models()


@pytest.fixture(scope="module")
def session():
    return api.open_model("t1ce-tumor")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_models_json_tells_the_truth(model):
    content = model.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == model.sha256
    assert len(content) <= 8e6
    assert model.precision == "int8"
    assert set(model.inputs) <= set(ROLES)
    assert model.scheme in SCHEMES
    assert model.license
    assert all(entry["license"] for entry in model.training_data)
    assert model.scores["dice_lost_to_fp32"] <= 0.003


def test_every_model_file_is_named_in_models_json_and_no_other_lies_beside_it():
    folder = find_resources() / "Models"
    assert {path.name for path in folder.glob("*.onnx")} == {model.file for model in MODELS}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_file_is_old_enough_for_onnxruntime_1_20(model):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(str(model.path))
    assert graph.ir_version <= 10
    assert {entry.domain: entry.version for entry in graph.opset_import}[""] <= 21


def test_the_tumor_of_the_phantom_is_found(session):
    phantom = find_resources() / "Phantom"
    result = api.segment({"t1ce": api.read_volume(phantom / "t1ce.nii.gz")}, session)
    row = api.evaluate(result.labels, api.read_label_volume(phantom / "reference.nii.gz")).rows[0]
    assert result.planes == ("axial", "coronal", "sagittal")
    assert row.dice >= 0.85
    assert row.hd95_mm is not None
    assert row.hd95_mm <= 10


@pytest.mark.skipif(not (DATA / "single").is_dir(), reason="the real scans of ../shared/data are not here")
@pytest.mark.parametrize(
    ("image", "mask", "planes", "least"),
    [
        ("single/meningioma_M013/t1ce.nii.gz", "single/meningioma_M013/seg.nii.gz", ("axial", "coronal", "sagittal"), 0.8),
        ("single/pyradiomics_brain1/image.nii.gz", "single/pyradiomics_brain1/seg.nii.gz", ("axial",), 0.25),
    ],
)
def test_a_real_tumor_is_found_in_its_place(session, image, mask, planes, least):
    result = api.segment({"t1ce": api.read_volume(DATA / image)}, session)
    assert result.planes == planes
    assert api.evaluate(result.labels, api.read_label_volume(DATA / mask)).rows[0].dice >= least


@pytest.mark.skipif(not (DATA / "healthy").is_dir(), reason="the real scans of ../shared/data are not here")
def test_a_healthy_head_stays_nearly_clean(session):
    result = api.segment({"t1ce": api.read_volume(DATA / "healthy" / "niivue_chris_t1.nii.gz")}, session)
    assert sum((result.volumes_ml or {}).values()) <= 1.0


def test_the_scores_name_their_split_and_number():
    scores = json.loads((find_resources() / "Models" / "models.json").read_text())["models"][0]["scores"]
    assert scores["n"] == 613
    assert "fold 4" in scores["split"]
    assert np.isfinite(scores["dice"])
    assert set(scores["dice_by_kind"]) == {"glioma", "meningioma", "pituitary"}
