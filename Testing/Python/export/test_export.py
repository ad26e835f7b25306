"""The shipped files say what the trained network says, and carry our mark."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from BrainTumorSegLib.bench.machine import describe_machine
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.card import card_text, draw_cases
from BrainTumorSegLib.export.descriptions import DESCRIPTIONS
from BrainTumorSegLib.export.int8 import KEPT_FLOAT
from BrainTumorSegLib.export.quantize import SliceReader, quantize_dynamic_range, quantize_int8
from BrainTumorSegLib.export.release import calibration_slices, release
from BrainTumorSegLib.export.release import model_row as row_of_run
from BrainTumorSegLib.export.to_onnx import export_onnx, mark
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.inference.session import MARK, Session
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.networks.attention_unet import AttentionUNet, AttentionUNetConfig
from BrainTumorSegLib.training.checkpoint import save_tensors
from BrainTumorSegLib.training.recipes import RECIPES
from BrainTumorSegLib.training.runs import CACHE
from Testing.Python.tiny import TRAINING_POOLS, model_row, slice_set, tiny_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

METADATA = {"name": "tiny", "steps": 3}


def smooth(n: int, height: int = 64, width: int = 64, seed: int = 0) -> np.ndarray:
    """Smooth pictures in tissue units: hills on a plain of 1, float32 [n, 1, height, width]."""
    numbers = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    pictures = []
    for _ in range(n):
        hills = [numbers.uniform(0.3, 1.5) * np.exp(-((y - numbers.uniform(0, height)) ** 2 + (x - numbers.uniform(0, width)) ** 2) / 200) for _ in range(3)]
        pictures.append(1 + sum(hills))
    return np.stack(pictures)[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def trained() -> AttentionUNet:
    """Twenty steps of learning to mark tissue above 1.6 (first output) and above 1.3 (second): answers that say something."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig(out_channels=2, decoder_channels=(32, 24, 16, 16), dropout=0.0, drop_path=0.0))
    with torch.no_grad():
        for up in network.up:
            up[0].weight.mul_(0.1)  # what lies deep says little yet, and untrained it would be noise
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.3
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    for step in range(20):
        slices = torch.from_numpy(smooth(8, seed=100 + step))
        target = torch.cat([slices > 1.6, slices > 1.3], 1).float()
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(network(slices), target).backward()
        optimizer.step()
    torch.set_num_threads(before)
    return network.eval()


@pytest.fixture(scope="module")
def network(trained: AttentionUNet) -> AttentionUNet:
    """The same with its first output only, as it is exported."""
    shipped = copy.deepcopy(trained)
    shipped.keep_outputs(1)
    return shipped


def probabilities(path: Path, slices: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"slices": slices})[0]


def logits(path: Path, slices: np.ndarray) -> np.ndarray:
    given = probabilities(path, slices).astype(float).clip(1e-7, 1 - 1e-7)
    return np.log(given / (1 - given))


@pytest.fixture(scope="module")
def folder(network: AttentionUNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One network as fp32.onnx, int8.onnx and dynamic.onnx, and nothing else."""
    folder = tmp_path_factory.mktemp("export")
    export_onnx(network, folder / "fp32.onnx", METADATA)
    quantize_int8(folder / "fp32.onnx", folder / "int8.onnx", smooth(16, seed=1), METADATA)
    quantize_dynamic_range(folder / "fp32.onnx", folder / "dynamic.onnx", METADATA)
    return folder


@pytest.mark.parametrize(("n", "height", "width"), [(2, 64, 64), (1, 32, 96), (3, 128, 64)])
def test_the_fp32_file_says_what_torch_says_for_any_batch_and_size(folder: Path, network: AttentionUNet, n: int, height: int, width: int) -> None:
    slices = smooth(n, height, width, seed=2)
    with torch.no_grad():
        expected = torch.sigmoid(network(torch.from_numpy(slices))).numpy()
    assert expected.std() > 0.15
    given = probabilities(folder / "fp32.onnx", slices)
    assert given.shape == (n, 1, height, width)
    assert np.abs(given - expected).max() < 1e-4


def test_exporting_leaves_the_files_asked_for_and_no_others(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["dynamic.onnx", "fp32.onnx", "int8.onnx"]


@pytest.mark.parametrize("name", ["fp32", "int8", "dynamic"])
def test_every_file_is_old_enough_for_old_runtimes_and_carries_our_mark(folder: Path, name: str) -> None:
    model = onnx.load(str(folder / f"{name}.onnx"))
    onnx.checker.check_model(model)
    assert model.ir_version == 8
    assert {entry.domain: entry.version for entry in model.opset_import}[""] == 17
    assert [entry.key for entry in model.metadata_props].count(MARK) == 1
    assert {entry.key: entry.value for entry in model.metadata_props}[MARK] == json.dumps(METADATA, sort_keys=True)
    assert [value.name for value in model.graph.input] == ["slices"]
    assert [value.name for value in model.graph.output] == ["probability"]


@pytest.mark.parametrize("name", ["int8", "dynamic"])
def test_a_quantized_file_is_small_and_close_to_its_original(folder: Path, name: str) -> None:
    assert (folder / f"{name}.onnx").stat().st_size < 0.3 * (folder / "fp32.onnx").stat().st_size
    slices = smooth(4, seed=3)
    original, quantized = (logits(folder / file, slices) for file in ("fp32.onnx", f"{name}.onnx"))
    noise = quantized - original
    assert np.abs(noise).max() > 0
    # Every tensor is rounded to 255 steps over its range, about ten standard deviations: noise of 10 / 255 / sqrt(12), or 1 %, from
    # each of some fifty layers, which add up as their squares to 8 %. It grows with the logits, so that a limit on probabilities would
    # judge the network's confidence: these logits have a standard deviation of 4 to 6, and the noise is 5 to 7 % of it, with or
    # without the rewrites (this network holds nothing to rewrite: its folded graph gives the very same numbers).
    # Chips with AVX2 alone add two products in 16 bits, which saturate: 13 % there.
    assert noise.std() < (0.2 if describe_machine(1)["vnni"] is False else 0.1) * original.std()
    assert ((quantized > 0) != (original > 0)).mean() < 0.02


def test_int8_keeps_its_activations_in_float(folder: Path) -> None:
    # the border of the mask is decided by the last sigmoid, whose int8 form would have 256 steps
    nodes = onnx.load(str(folder / "int8.onnx")).graph.node
    assert next(node.op_type for node in nodes if "probability" in node.output) == "Sigmoid"
    sigmoids = {node.output[0] for node in nodes if node.op_type == "Sigmoid"}
    assert len(sigmoids) == 5  # four gates and the output
    integers = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    assert all(set(node.input[:2]) <= integers for node in convolutions)


def test_a_module_named_with_a_slash_stays_in_float_as_a_whole(folder: Path, tmp_path: Path) -> None:
    quantize_int8(folder / "fp32.onnx", tmp_path / "int8.onnx", smooth(8), METADATA, ("/network/encoder/stem/", "/network/encoder/stages.0/"))
    nodes = onnx.load(str(tmp_path / "int8.onnx")).graph.node
    integers = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    in_float = [node.name for node in nodes if node.op_type == "Conv" and node.input[1] not in integers]
    assert len(in_float) == 3  # the stem, and depth-wise and 1x1 of the first stage, which does not expand
    assert all(name.startswith(("/network/encoder/stem/", "/network/encoder/stages.0/")) for name in in_float)


def test_weights_are_int8_per_channel_and_activations_uint8(folder: Path) -> None:
    graph = onnx.load(str(folder / "int8.onnx")).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    scales = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    activations = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert activations
    assert {kinds[node.input[2]] for node in activations} == {onnx.TensorProto.UINT8}
    weights = [node for node in graph.node if node.op_type == "DequantizeLinear" and kinds.get(node.input[0]) == onnx.TensorProto.INT8]
    assert weights
    assert any(scales[node.input[1]] == [16] for node in weights)  # one scale for each output channel


def test_the_training_head_is_cut_off_exactly(trained: AttentionUNet, network: AttentionUNet, folder: Path) -> None:
    slices = torch.from_numpy(smooth(2))
    with torch.no_grad():
        both, one = trained(slices), network(slices)
    assert one.shape == (2, 1, 64, 64)
    assert torch.allclose(one, both[:, :1], atol=1e-5)
    assert not torch.allclose(one, both[:, 1:], atol=0.5)
    assert sum(p.numel() for p in network.head.parameters()) == 9 * 16 * 4 + 4
    initializers = onnx.load(str(folder / "fp32.onnx")).graph.initializer
    assert [4, 16, 3, 3] in [list(tensor.dims) for tensor in initializers]  # and not 8
    assert [8, 16, 3, 3] not in [list(tensor.dims) for tensor in initializers]


def test_a_new_mark_replaces_the_old_one() -> None:
    model = onnx.ModelProto()
    model.metadata_props.add(key="other", value="kept")
    mark(model, {"a": 1})
    mark(model, {"a": 2})
    assert [(entry.key, entry.value) for entry in model.metadata_props] == [("other", "kept"), (MARK, '{"a": 2}')]


def test_calibration_slices_come_in_batches_once() -> None:
    reader = SliceReader(smooth(5, 8, 8), batch=2)
    sizes = [batch["slices"].shape[0] for batch in iter(reader.get_next, None)]
    assert sizes == [2, 2, 1]
    assert reader.get_next() is None


def test_calibration_draws_300_tissue_slices_at_most_the_same_for_a_seed() -> None:
    few = slice_set({"cheng/glioma": 5}, size=8)
    assert np.array_equal(calibration_slices(few, 1), few.tissue(np.arange(5))[:, None])
    many = slice_set({"cheng/glioma": 320}, size=8)
    assert calibration_slices(many, 1).shape == (300, 1, 8, 8)
    assert np.array_equal(calibration_slices(many, 1), calibration_slices(many, 1))
    assert not np.array_equal(calibration_slices(many, 1), calibration_slices(many, 2))


# --- the whole release


@pytest.fixture(scope="module")
def released(trained: AttentionUNet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[dict]]:
    """(run, release folder, rows) of a run, released as int8 with its scores."""
    run, folder = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("released")
    recipe = tiny_recipe(network=trained.config)
    (run / "run.json").write_text(json.dumps({"fold": 4, "recipe": json.loads(recipe.to_json())}))
    (run / "scores.json").write_text(json.dumps({"started_from": "random weights"}))
    save_tensors(run / "weights.safetensors", trained.state_dict(), {"step": 3})
    slice_set(TRAINING_POOLS, size=64).save(run / CACHE)
    (run / "cv.json").write_text(json.dumps({"mean_dice": 0.5, "folds": {"1": {"dice": 0.5, "n": 3}}}))
    told: list[float] = []
    rows = release(run, folder, ("int8", "dynamic"), Path("nowhere"), lambda fraction, message: told.append(fraction), run / "cv.json")
    assert told == sorted(told)
    return run, folder, rows


def test_a_release_holds_what_was_asked_for_and_nothing_else(released: tuple[Path, Path, list[dict]]) -> None:
    _, folder, rows = released
    assert sorted(path.name for path in folder.iterdir()) == [
        "models.json",
        "t1ce-tumor-card.md",
        "t1ce-tumor-cases.png",
        "t1ce-tumor-dynamic.onnx",
        "t1ce-tumor-int8.onnx",
    ]
    assert [row["precision"] for row in rows] == ["int8", "dynamic"]  # the shipped one first
    assert json.loads((folder / "models.json").read_text()) == {"format": 1, "models": rows}


def test_the_registry_reads_and_opens_a_release(released: tuple[Path, Path, list[dict]]) -> None:
    for model in list_models(released[1]):
        assert model.sha256 == hashlib.sha256(model.path.read_bytes()).hexdigest()
        answer = Session(model, threads=1).run(smooth(1))
        assert answer.shape == (1, 1, 64, 64)  # the whole-tumor head stayed behind
    assert list_models(released[1])[0].network == "attention U-Net, EfficientNet-Lite0 encoder, started from random weights"


def test_every_file_states_its_own_scores_and_what_it_lost(released: tuple[Path, Path, list[dict]]) -> None:
    for row in released[2]:
        scores = row["scores"]
        assert (scores["split"], scores["n"], scores["n_tumor_free"]) == ("cheng fold 4, tumor-free: no_tumor fold 1", 3, 2)
        assert scores["dice_lost_to_fp32"] == pytest.approx(scores["dice_fp32"] - scores["dice"], abs=1e-4)
        assert scores["cross_validation"]["mean_dice"] == 0.5


def test_the_card_states_license_count_scores_and_picture(released: tuple[Path, Path, list[dict]]) -> None:
    _, folder, (row, _) = released
    card = (folder / "t1ce-tumor-card.md").read_text()
    for text in (
        row["license"],
        row["license_note"],
        "all 3 tumor slices",
        "of 2 tumor-free slices",
        row["sha256"],
        "Research only, not a medical device",
        "mean Dice 0.500 (fold 1 0.500 (n = 3))",
        "](t1ce-tumor-cases.png)",
        "not verified",
    ):
        assert text in card, text
    # glioma and pituitary tumor, five cases each, tiles of 288 pixels with bars of 26
    assert Image.open(folder / "t1ce-tumor-cases.png").size == (5 * 288, 2 * (288 + 26) + 26)


def run_on_stacks(trained: AttentionUNet, run: Path, fold: int) -> Path:
    """A run folder of `flair-tumor` with its slices."""
    run.mkdir()
    recipe = tiny_recipe(name="flair-tumor", sets=("lgg", "no_tumor"), network=trained.config)
    (run / "run.json").write_text(json.dumps({"fold": fold, "recipe": json.loads(recipe.to_json())}))
    save_tensors(run / "weights.safetensors", trained.state_dict(), {"step": 3})
    slice_set({"lgg/glioma": 8, "no_tumor/none": 8}, size=64).save(run / CACHE)
    return run


def test_a_file_that_has_learned_from_every_patient_states_the_cross_validation(trained: AttentionUNet, tmp_path: Path) -> None:
    run = run_on_stacks(trained, tmp_path / "run", fold=0)
    folds = {"1": {"dice": 0.5, "n": 2, "dice_by_kind": {"glioma": 0.5}}, "2": {"dice": 0.8, "n": 1, "dice_by_kind": {"glioma": 0.8}}}
    (run / "cv.json").write_text(json.dumps({"mean_dice": 0.6, "n": 3, "median": 0.61, "spread": 0.2, "folds": folds}))
    (row,) = release(run, tmp_path / "out", ("int8",), Path("nowhere"), lambda fraction, message: None, run / "cv.json")
    scores = row["scores"]
    assert scores["split"] == "lgg, 5-fold cross-validation by patient (without folds 3, 4 and 5, not run); this file has learned from all patients"
    assert (scores["n"], scores["dice"], scores["median"], scores["spread"], scores["dice_by_kind"]) == (3, 0.6, 0.61, 0.2, {"glioma": 0.6})
    assert (scores["n_tumor_free"], scores["lost_on"]) == (2, "lgg fold 1, which was trained on, tumor-free: no_tumor fold 1")
    assert row["training_data"][0]["what"].endswith("; 8 patients")
    card = (tmp_path / "out" / "flair-tumor-card.md").read_text()
    assert "On lgg, 5-fold cross-validation by patient (without folds 3, 4 and 5, not run); this file has learned from all patients (mean over patients" in card
    assert "- Five-fold cross-validation by patient (without folds 3, 4 and 5, not run), fp32: mean Dice 0.600" in card
    assert "| all 3 patients | **0.600** |" in card
    assert "- Against its fp32 original (lgg fold 1, which was trained on, tumor-free: no_tumor fold 1) it loses" in card
    assert "![" not in card  # no picture of patients that it was not trained on
    assert not (tmp_path / "out" / "flair-tumor-cases.png").exists()


def test_prepared_slices_are_read_from_where_they_are_said_to_be(trained: AttentionUNet, tmp_path: Path) -> None:
    run = run_on_stacks(trained, tmp_path / "run", fold=1)
    (run / CACHE).rename(tmp_path / "prepared")
    (row,) = release(run, tmp_path / "out", ("int8",), Path("nowhere"), lambda fraction, message: None, cache=tmp_path / "prepared")
    assert row["scores"]["n"] == 2
    assert not (run / CACHE).exists()


def test_a_release_of_stacks_is_scored_by_patient(trained: AttentionUNet, tmp_path: Path) -> None:
    run = run_on_stacks(trained, tmp_path / "run", fold=4)
    folds = {"4": {"dice": 0.5, "n": 2, "cases": {"A": 0.4, "B": 0.6}}, "5": {"dice": 0.8, "n": 1, "cases": {"C": 0.8}}}
    (run / "cv.json").write_text(json.dumps({"mean_dice": 0.6, "n": 3, "median": 0.61, "spread": 0.2, "folds": folds, "note": "After half of the steps."}))
    (row,) = release(run, tmp_path / "out", ("int8",), Path("nowhere"), lambda fraction, message: None, run / "cv.json")
    assert (row["inputs"], row["planes"]) == (["flair"], ["axial"])
    assert (row["scores"]["split"], row["scores"]["n"], row["scores"]["n_tumor_free"]) == ("lgg fold 4, tumor-free: no_tumor fold 1", 2, 2)
    assert "cases" not in row["scores"]
    assert row["scores"]["cross_validation"]["folds"] == {"4": {"dice": 0.5, "n": 2}, "5": {"dice": 0.8, "n": 1}}  # no patient by name
    card = (tmp_path / "out" / "flair-tumor-card.md").read_text()
    for text in (
        "all 2 patients",
        "mean Dice 0.600",
        "fold 5 0.800 (n = 1)",
        "all 3 patients: median 0.610, standard deviation 0.200. After half of the steps.",
        "CC BY-NC-SA 4.0",
        "FLAIR",
    ):
        assert text in card, text
    assert "Mean IoU" not in card


def test_what_marks_no_tumor_has_scores_but_no_card(trained: AttentionUNet, tmp_path: Path) -> None:
    run = run_on_stacks(trained, tmp_path / "run", fold=4)
    settings = json.loads((run / "run.json").read_text())
    settings["recipe"] |= {"name": "brain-mask", "sets": ["lgg_brain"]}
    (run / "run.json").write_text(json.dumps(settings))
    slice_set({"lgg_brain/brain": 8}, size=64).save(run / CACHE)
    (row,) = release(run, tmp_path / "out", ("int8",), Path("nowhere"), lambda fraction, message: None)
    assert (row["name"], row["scores"]["split"], row["scores"]["n"]) == ("brain-mask", "lgg_brain fold 4", 2)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["brain-mask-int8.onnx", "models.json"]


def test_without_data_fp32_is_released_without_scores(released: tuple[Path, Path, list[dict]], tmp_path: Path) -> None:
    rows = release(released[0], tmp_path / "new" / "folder", ("fp32",), None, lambda fraction, message: None)
    assert [(row["file"], row["scores"]) for row in rows] == [("t1ce-tumor-fp32.onnx", {})]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == ["models.json", "t1ce-tumor-fp32.onnx"]


def test_the_limit_of_sensitivity_reaches_the_quantizer(released: tuple[Path, Path, list[dict]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(source: Path, target: Path, slices: np.ndarray, metadata: dict, limit: float, *rest: object) -> None:
        raise InterruptedError(f"{target.name} {limit}")

    monkeypatch.setattr("BrainTumorSegLib.export.int8.quantize_measured", stop)
    with pytest.raises(InterruptedError, match=r"t1ce-tumor-int8\.onnx 0\.003"):
        release(released[0], tmp_path, ("int8",), Path("nowhere"), lambda fraction, message: None, sensitivity=0.003)


def test_fine_tuned_int8_is_int8_throughout_and_says_so(released: tuple[Path, Path, list[dict]], tmp_path: Path) -> None:
    run, folder, _ = released
    (row,) = release(run, tmp_path, ("int8",), Path("nowhere"), lambda fraction, message: None, qat_steps=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models.json", "t1ce-tumor-card.md", "t1ce-tumor-cases.png", "t1ce-tumor-int8.onnx"]
    assert (row["scores"]["qat_steps"], row["scores"]["n"], "dice_lost_to_fp32" in row["scores"]) == (2, 3, True)
    marks = {entry.key: entry.value for entry in onnx.load(str(tmp_path / "t1ce-tumor-int8.onnx")).metadata_props}
    assert json.loads(marks[MARK])["qat_steps"] == 2
    assert convolutions_in_float(tmp_path / "t1ce-tumor-int8.onnx") == set()
    first_stages = convolutions_in_float(folder / "t1ce-tumor-int8.onnx")
    assert len(first_stages) == 9  # stem 1, first stage 2, second stage twice 3
    assert all(name.startswith(KEPT_FLOAT) for name in first_stages)
    # two steps move no probability far, but they do move it
    change = np.abs(probabilities(tmp_path / row["file"], smooth(2)) - probabilities(folder / row["file"], smooth(2)))
    assert 1e-4 < change.mean() < 0.1
    assert Session(list_models(tmp_path)[0], threads=1).run(smooth(1)).shape == (1, 1, 64, 64)


def convolutions_in_float(path: Path) -> set[str]:
    nodes = onnx.load(str(path)).graph.node
    integers = {node.output[0] for node in nodes if node.op_type == "DequantizeLinear"}
    return {node.name for node in nodes if node.op_type == "Conv" and node.input[1] not in integers}


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no run \(run\.json is missing\); give the folder that `braintumorseg train` made"):
        release(tmp_path, tmp_path / "out", ("fp32",), None, lambda fraction, message: None)
    assert not (tmp_path / "out").exists()


# --- card and descriptions


def test_every_recipe_is_described_and_every_data_set_has_a_license() -> None:
    assert set(DESCRIPTIONS) == set(RECIPES)
    for name, description in DESCRIPTIONS.items():
        assert description.get("scheme") in (SCHEMES if name != "brain-mask" else [None])  # which has no labels
        assert {entry["name"] for entry in description["training_data"]} >= {name.rpartition("/")[2] for name in RECIPES[name].sets}
        assert all(entry["license"] and entry["what"] for entry in description["training_data"])
        assert len(description["inputs"]) == RECIPES[name].network.in_channels


@pytest.mark.parametrize("more", [(), ("lgg_tumor_free",)])
def test_a_model_names_the_sets_that_its_run_has_learned_from(tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")
    recipe = replace(RECIPES["t1ce-tumor"], sets=("cheng", "no_tumor", "brats", *more))
    row = row_of_run(recipe, tmp_path / "m.onnx", "int8", {}, tmp_path)
    assert [entry["name"] for entry in row["training_data"]] == ["cheng", "no_tumor", "brats", *more]


@pytest.mark.parametrize(
    ("sets", "terms"), [(("brats", "brats/cubes"), "research only (BraTS"), (("brats", "brats/cubes", "lgg"), "non-commercial research, share alike")]
)
def test_weights_that_have_learned_from_shared_alike_data_are_shared_alike(tmp_path: Path, sets: tuple[str, ...], terms: str) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")
    row = row_of_run(replace(RECIPES["glioma-regions"], sets=sets), tmp_path / "m.onnx", "int8", {}, tmp_path)
    assert row["license"].startswith(terms)
    assert ("CC BY-NC-SA" in row["license_note"]) is ("lgg" in sets)


def test_a_card_without_comparison_or_cross_validation_leaves_them_out(tmp_path: Path) -> None:
    scores = {"split": "s", "average": "a", "n": 7, "dice": 0.5, "dice_by_kind": {"glioma": 0.25}, "mean_iou": 0.6, "tumor_iou": 0.3}
    scores |= {"mean_iou_with_tumor_free": 0.7, "n_tumor_free": 4, "false_positive_rate": 0.25}
    text = card_text(model_row(tmp_path / "a.onnx", scores=scores, training_data=[{"name": "d", "what": "w", "license": "l"}]), "p.png")
    assert "| glioma | 0.250 |" in text
    assert "**0.500**" in text
    assert "25.0 % of 4 tumor-free slices" in text
    assert "| d | w | l |" in text
    assert "fp32 original" not in text
    assert "ross-validation" not in text


def test_a_card_says_of_what_a_cross_validation_is(tmp_path: Path) -> None:
    scores = {"split": "s", "average": "a", "n": 7, "dice": 0.5, "dice_by_kind": {"glioma": 0.25}, "mean_iou": 0.6, "tumor_iou": 0.3}
    scores |= {"mean_iou_with_tumor_free": 0.7, "n_tumor_free": 4, "false_positive_rate": 0.25}
    scores["cross_validation"] = {"mean_dice": 0.4567, "folds": {str(fold): {"dice": 0.4, "n": 3} for fold in (1, 2)}, "of": "the first 9 steps"}
    text = card_text(model_row(tmp_path / "a.onnx", scores=scores, training_data=[]), "p.png")
    assert "- 2-fold cross-validation by patient, fp32, of the first 9 steps: mean Dice 0.457 (fold 1 0.400 (n = 3), fold 2 0.400 (n = 3)).\n" in text


def test_cases_are_ranked_from_best_to_worst_and_outlined_in_both_colors() -> None:
    slices = slice_set({"cheng/glioma": 5, "no_tumor/none": 1})
    truth = (slices.targets & 1) > 0
    masks = np.stack([np.roll(mask, 3 * i, 1) for i, mask in enumerate(truth)])  # the first is perfect, the fifth is worst
    page = np.asarray(draw_cases(masks, slices, (230, 159, 0)))
    assert page.shape == (26 + 288 + 26, 5 * 288, 3)

    def blue(column: int) -> int:
        tile = page[26 : 26 + 288, column * 288 : (column + 1) * 288].astype(int)
        return int((np.abs(tile - (86, 180, 233)).sum(2) < 60).sum())

    assert blue(0) < 0.2 * blue(4)  # where both agree, the prediction's outline lies on the reference's
