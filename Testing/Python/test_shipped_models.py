"""The shipped files themselves: what models.json says of them is true, and they find the tumor of the embedded phantom."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.bench.graph import Graph, Node, read_graph
from BrainTumorSegLib.bench.protobuf import read_fields
from BrainTumorSegLib.inference.brain import brain_model, find_brain
from BrainTumorSegLib.labels import ROLES, SCHEMES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.resources import find_resources

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
MODELS = api.list_models()
BRAIN = brain_model()
FILES = [*MODELS, BRAIN]
KERNELS = {
    "Add": 14, "AveragePool": 11, "Clip": 13, "Concat": 13, "Conv": 11, "DepthToSpace": 13, "DequantizeLinear": 13,
    "GlobalAveragePool": 1, "MaxPool": 12, "Mul": 14, "QuantizeLinear": 13, "Relu": 14, "Resize": 13, "Sigmoid": 13,
}  # fmt: skip
"""Operations of networks like ours -> the opset that defines them as opset 17 has them. A release of onnxruntime runs every opset from
7 to its own, which is 21 for 1.20 (docs/Versioning.md of its repository): what is written in these, it has kernels for. That holds on every
platform; `inference/test_onnxruntime_releases.py` runs the files in 1.20 where it can be installed."""


@pytest.fixture(scope="module")
def session():
    return api.open_model("t1ce-tumor")


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.name)
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
    assert {path.name for path in folder.glob("*.onnx")} == {model.file for model in FILES}
    assert BRAIN.name not in {model.name for model in MODELS}  # it marks no tumor, so nobody is asked to choose it


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.name)
def test_the_file_is_old_enough_for_onnxruntime_1_20(model):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(str(model.path))
    assert graph.ir_version <= 10
    assert {entry.domain: entry.version for entry in graph.opset_import}[""] <= 21


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.name)
def test_every_operation_is_one_that_onnxruntime_1_20_runs(model):
    graph = read_graph(model.path.read_bytes())
    assert {node.domain for node in graph.nodes} == {""}, "an operation of onnxruntime's own set may be younger than 1.20"
    assert {node.op for node in graph.nodes} <= set(KERNELS)
    opset = opsets(graph)[""]
    assert max(KERNELS.values()) <= opset <= 17
    # int8 and uint8 from opset 10 on; int16 and int4 came with opset 21, float8 with 19, per-block scales with 21
    for node in graph.nodes:
        if node.op in ("QuantizeLinear", "DequantizeLinear"):
            assert graph.tensors[node.inputs[2]].dtype in (np.uint8, np.int8, np.int32)
            assert set(attribute_names(node)) <= {"axis"}
    quantized = {node.inputs[0] for node in graph.nodes if node.op == "DequantizeLinear"} & set(graph.tensors)
    assert {graph.tensors[name].dtype.name for name in quantized} <= {"int8", "int32"}  # weights and biases


@pytest.mark.parametrize("model", FILES, ids=lambda model: model.name)
def test_every_operation_is_as_old_as_it_is_said_to_be(model):
    onnx = pytest.importorskip("onnx")
    graph = read_graph(model.path.read_bytes())
    for name in {node.op for node in graph.nodes}:
        schema = onnx.defs.get_schema(name, opsets(graph)[""], "")
        assert (schema.since_version, schema.deprecated) == (KERNELS[name], False), name


def opsets(graph: Graph) -> dict[str, int]:
    """Domain -> version of the operations that a file is written in."""
    found = {}
    for number, _, message in graph.model:
        if number == 8 and isinstance(message, bytes):  # OperatorSetIdProto
            values = {key: value for key, _, value in read_fields(message)}
            found[bytes(values.get(1, b"")).decode()] = int(values[2])
    return found


def attribute_names(node: Node) -> list[str]:
    return [bytes(next(value for number, _, value in read_fields(message) if number == 1)).decode() for message in node.attributes]


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
@pytest.mark.parametrize("head", ["healthy/niivue_chris_t1", "ms_heads/patient01/t1", "ms_heads/patient12/t1"])
def test_a_head_without_tumor_stays_nearly_clean(session, head):
    result = api.segment({"t1ce": api.read_volume(DATA / f"{head}.nii.gz")}, session)
    assert sum((result.volumes_ml or {}).values()) <= 1.0


def test_the_scores_name_their_split_and_number():
    scores = json.loads((find_resources() / "Models" / "models.json").read_text())["models"][0]["scores"]
    assert scores["n"] == 613
    assert "fold 4" in scores["split"]
    assert np.isfinite(scores["dice"])
    assert set(scores["dice_by_kind"]) == {"glioma", "meningioma", "pituitary"}


@pytest.mark.skipif(not (DATA / "ms_heads").is_dir(), reason="the real scans of ../shared/data are not here")
@pytest.mark.parametrize(("head", "role", "least"), [("patient04", "t1", 0.92), ("patient12", "t2", 0.92), ("patient20", "flair", 0.92)])
def test_the_brain_of_a_real_head_is_found_on_any_sequence(head, role, least):
    volume = api.read_volume(DATA / "ms_heads" / head / f"{role}.nii.gz")
    mask = api.resample_labels_to(api.read_label_volume(DATA / "ms_heads" / head / f"{role}_brainmask.nii.gz"), volume)
    orientation = orientation_of(volume)
    found = find_brain(orientation.canonical(volume.array), orientation.canonical_spacing(volume), api.Session(BRAIN), lambda fraction, message: None)
    assert found is not None
    assert dice(found, orientation.canonical(mask.array) > 0) >= least


@pytest.mark.skipif(not (DATA / "ms_heads").is_dir(), reason="the real scans of ../shared/data are not here")
def test_regions_are_not_falsely_found_in_a_whole_head():
    """With skull it marked up to 763 mL before the brain was cut out."""
    folder = DATA / "ms_heads" / "patient20"
    result = api.segment({role: api.read_volume(folder / f"{role}.nii.gz") for role in ("t1", "flair")}, "glioma-regions")
    assert sum(result.volumes_ml.values()) <= 1.0
    assert any("the brain is cut out first" in text for text in result.warnings)
