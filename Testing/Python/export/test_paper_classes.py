"""Export of system C: background and three classes by softmax, from a short run to a segmentation through every door."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from BrainTumorSegLib import api, resources
from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.export.paper_release import PaperLogits, release_paper
from BrainTumorSegLib.export.paper_row import dice_of
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.inference.models import ModelInfo, list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.networks.table import NETWORKS, build, configure
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.preprocess.views import View, see
from BrainTumorSegLib.training import paper_runs
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.paper_runs import train_paper
from BrainTumorSegLib.training.recipes import PAPERS
from BrainTumorSegLib.volume import Volume
from Testing.Python.examples import tiny_paper_recipe, write_case

CPU = Hardware(torch.device("cpu"), bf16=False)
VIEW = View("crop-zscore", 32, clahe=True)
ROLES = PAPERS["paper-c"].recipe.inputs
NAME = "resse-lka-unet"
Released = tuple[Path, Path, list[dict[str, Any]]]


def silent(fraction: float, message: str) -> None:
    pass


def glioma(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(sequences, mask): noisy tissue in air with edema of 8 x 10 pixels, in it a core of 4 x 6 whose right half enhances."""
    numbers = np.random.default_rng(seed)
    mask = np.zeros((6, 28, 24), np.uint8)
    mask[1:5, 8:16, 6:16] = 2
    mask[1:5, 10:14, 8:11], mask[1:5, 10:14, 11:14] = 1, 3
    brain = np.zeros(mask.shape)
    brain[:, 3:-3, 2:-2] = 100
    bright = {"flair": mask > 0, "t1": mask == 0, "t1ce": mask == 3, "t2": np.isin(mask, (1, 3))}
    noise = {role: numbers.uniform(0.9, 1.1, mask.shape) for role in bright}
    return {role: (brain * noise[role] * (1 + bright[role])).astype(np.int16) for role in bright}, mask


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    """(run, folder, rows) of ResSE-LKA-UNet in all precisions, seen with CLAHE."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("classes")
    for i in range(3):
        write_case(folder / "data" / f"p{i}", *glioma(i))
    recipe = tiny_paper_recipe("paper-c", network=configure(NAME, width=0.125), view=VIEW, epochs=4, batch=2, slices_per_epoch=12, learning_rate=3e-2)
    train_paper(PAPERS["paper-c"], recipe, folder / "data", folder / "run", 2, CPU, False, silent)
    rows = release_paper(folder / "run", folder / "out", ("fp32", "dynamic", "int8"), folder / "data", silent, passes=2)
    torch.set_num_threads(before)
    return folder / "run", folder / "out", rows


def trained(run: Path) -> torch.nn.Module:
    network = NETWORKS[NAME].builder(configure(NAME, width=0.125)).eval()
    network.load_state_dict(load_tensors(run / "weights.safetensors")[0])
    return network


def stored(run: Path) -> ExampleSet:
    with np.load(run / paper_runs.EXAMPLES) as arrays:
        examples = ExampleSet.load(run / paper_runs.EXAMPLES, str(arrays["made_for"]))
    assert examples is not None
    return examples


def fp32(folder: Path) -> ModelInfo:
    return next(model for model in list_models(folder) if model.precision == "fp32")


def volumes(seed: int) -> dict[str, Volume]:
    return {role: Volume(array, name=role) for role, array in glioma(seed)[0].items()}


def probabilities(path: Path, slices: np.ndarray) -> np.ndarray:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"slices": slices})[0]


def test_the_fp32_file_gives_the_class_probabilities_of_the_trained_network(released: Released) -> None:
    run, folder, _ = released
    slices = stored(run).intensities(np.arange(18))
    with torch.no_grad():
        expected = torch.softmax(trained(run)(torch.from_numpy(slices)), 1).numpy()
    found = probabilities(folder / f"{NAME}-fp32.onnx", slices)
    assert found.shape == (18, 4, 32, 32)
    assert np.abs(found - expected).max() < 1e-5
    assert np.ptp(found.argmax(1)) == 3  # it has learned something: the equality is not one of constants


class Spread(torch.nn.Module):
    """An untrained network whose logits are spread to a deviation of 1: from its first weights all classes are nearly as likely."""

    def __init__(self, network: torch.nn.Module, deviation: float) -> None:
        super().__init__()
        self.network, self.deviation = network, deviation

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        return self.network(slices) / self.deviation


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", ["resse-lka-unet", "unet-c", "attention-unet"])
def test_every_network_of_the_paper_is_exported_with_a_softmax_and_without_auxiliary_heads(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    network = build(name, width=0.125).eval()
    slices = np.random.default_rng(0).normal(0, 1, (3, 4, 32, 64)).astype(np.float32)
    with torch.no_grad():
        logits = network(torch.from_numpy(slices))
    path = tmp_path / "fp32.onnx"
    export_onnx(PaperLogits(Spread(network, float(logits.std())), 1, 4), path, {}, 4, classes=True)
    found = probabilities(path, slices)
    assert np.abs(found - torch.softmax(logits / logits.std(), 1).numpy()).max() < 1e-5
    assert found.sum(1) == pytest.approx(1, abs=1e-5) and found.std() > 0.1
    graph = onnx.load(str(path)).graph
    assert (graph.node[-1].op_type, len(graph.output)) == ("Softmax", 1)
    assert not any("auxiliary" in tensor.name for tensor in graph.initializer)


def test_deep_supervision_is_in_training_alone() -> None:
    network = build(NAME, width=0.125)
    slices = torch.zeros(2, 4, 32, 32)
    assert len(network.train()(slices)) == 4
    assert network.eval()(slices).shape == (2, 4, 32, 32)
    assert any("auxiliary" in name for name, _ in network.named_parameters())


def test_all_precisions_are_written_and_scored_by_class_and_region(released: Released) -> None:
    run, folder, rows = released
    assert [(row["name"], row["precision"]) for row in rows] == [(NAME, precision) for precision in ("int8", "dynamic", "fp32")]
    assert sorted(path.name for path in folder.iterdir()) == ["models.json"] + [f"{NAME}-{p}.onnx" for p in ("dynamic", "fp32", "int8")]
    scores = json.loads((run / "scores.json").read_text())["scores"]
    exact = rows[2]["scores"]
    assert {key: exact[key] for key in ("classes", "regions", "large", "small", "n")} == {
        key: scores[key] for key in ("classes", "regions", "large", "small", "n")
    }
    assert "cases" not in exact  # patients are not named in models.json
    for row in rows:
        assert (row["outputs"], row["scheme"], row["inputs"], row["planes"]) == ("classes", "glioma", ["flair", "t1", "t1ce", "t2"], ["axial"])
        assert row["view"] == {"kind": "crop-zscore", "size": 32, "clahe": True}
        assert row["scores"]["dice_by_kind"]["ED"] == row["scores"]["classes"]["ED"]["dice"]
        assert set(row["scores"]["dice_by_region"]) == {"WT", "TC", "ET"}
        assert row["scores"]["dice"] == pytest.approx(np.mean(list(row["scores"]["dice_by_kind"].values())), abs=1e-4)
        assert row["scores"]["seconds_per_image"] > 0
        assert row["crop"] is False  # cases of one's own may show the skull


def test_quantized_files_say_nearly_the_same_and_their_softmax_is_in_float(released: Released) -> None:
    run, folder, _ = released
    slices = stored(run).intensities(np.arange(18))
    exact = probabilities(folder / f"{NAME}-fp32.onnx", slices)
    for precision in ("dynamic", "int8"):
        path = folder / f"{NAME}-{precision}.onnx"
        found = probabilities(path, slices)
        assert 0 < np.abs(found - exact).mean() < 0.05
        assert (found.argmax(1) == exact.argmax(1)).mean() > 0.9
        last = onnx.load(str(path)).graph.node[-1]
        assert (last.op_type, list(last.output)) == ("Softmax", ["probability"])
    nodes = onnx.load(str(folder / f"{NAME}-int8.onnx")).graph.node
    integers = {name for node in nodes if node.op_type == "DequantizeLinear" for name in node.output}
    assert all(node.input[1] in integers for node in nodes if node.op_type == "Conv")


def test_segment_sees_what_training_saw_with_clahe(released: Released) -> None:
    run, folder, _ = released
    model = fp32(folder)
    assert (model.view, model.outputs, model.maps, model.crop) == (VIEW, "classes", 4, False)
    sequences, mask = glioma(0)
    result = segment(volumes(0), Session(model, threads=1), SegmentOptions(uncertainty=True, probabilities=True))
    seen = see([sequences[role] for role in ROLES], (1, 1, 1), VIEW)
    np.testing.assert_allclose(seen.slices, stored(run).intensities(np.arange(6)), atol=2e-3)  # kept in float16
    with torch.no_grad():
        expected = seen.restore(torch.softmax(trained(run)(torch.from_numpy(seen.slices)), 1).numpy())
    assert result.probabilities is not None and result.uncertainty is not None
    assert np.abs(result.probabilities - expected[1:]).max() < 1e-5
    expected[0] = 1 - expected[1:].sum(0)
    # a pixel whose two likeliest classes differ by less than rounding may be either
    top = np.sort(expected, axis=0)
    sure = top[-1] - top[-2] > 1e-4
    assert np.array_equal(result.labels.array[sure], expected.argmax(0)[sure]) and sure.mean() > 0.99
    both = np.count_nonzero((result.labels.array > 0) & (mask > 0))
    assert 2 * both / (np.count_nonzero(result.labels.array) + np.count_nonzero(mask)) > 0.5
    assert result.labels.array[:, :3].max() == result.uncertainty.array[:, :3].max().round(4) == 0  # air
    assert set(result.voxels) == {"NCR", "ED", "ET"}


def test_the_exported_folder_is_a_folder_of_models_for_the_command_line(released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = released[1]
    monkeypatch.setenv(resources.IMPORTED_VARIABLE, str(folder))
    write_case(tmp_path / "case", glioma(1)[0], None)
    files = [word for role in ROLES for word in (f"--{role}", str(tmp_path / "case" / f"{role}.nii.gz"))]
    extras = ["--uncertainty", str(tmp_path / "doubt.nii.gz"), "--probabilities", str(tmp_path / "each.nii.gz")]
    assert main(["segment", *files, "--model", NAME, "-o", str(tmp_path / "out.nii.gz"), "--label-scheme", "brats2021", *extras]) == 0
    found = api.read_label_volume(tmp_path / "out.nii.gz").array
    int8 = list_models(folder)[0]
    expected = segment(volumes(1), Session(int8, threads=1), SegmentOptions()).labels.array
    assert int8.precision == "int8" and expected.any()
    np.testing.assert_array_equal(found, np.where(expected == 3, 4, expected))
    assert api.read_volume(tmp_path / "doubt.nii.gz").array.max() > 0


def test_a_zip_of_the_exported_folder_comes_in_and_runs_by_name(released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = released[1]
    monkeypatch.setenv(resources.IMPORTED_VARIABLE, str(tmp_path / "own"))
    row = json.loads((folder / "models.json").read_text())["models"][2]
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(folder / row["file"], row["file"])
        archive.writestr("models.json", json.dumps({"format": 1, "models": [row]}))
    (model,) = api.import_models(tmp_path / "c.zip")
    assert (model.name, model.outputs, model.precision) == (NAME, "classes", "fp32")
    result = api.segment(volumes(2), NAME, options=SegmentOptions(threads=1))
    direct = segment(volumes(2), Session(fp32(folder), threads=1), SegmentOptions())
    np.testing.assert_array_equal(result.labels.array, direct.labels.array)
    assert result.model == NAME and result.found


def test_a_class_that_no_case_has_is_left_out_of_the_mean() -> None:
    def part(dice: float | None) -> dict[str, Any]:
        return {"n": 0 if dice is None else 2, "dice": dice}

    scores = {"averaged": "per case", "classes": {"NCR": part(0.5), "ED": part(0.25), "ET": part(None)}, "regions": {"WT": part(0.75), "ET": part(None)}}
    assert dice_of("paper-c", scores) == {"average": "per case", "dice": 0.375, "dice_by_kind": {"NCR": 0.5, "ED": 0.25}, "dice_by_region": {"WT": 0.75}}
