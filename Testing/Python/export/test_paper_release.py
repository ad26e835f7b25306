"""Export of a published system's run: the files say what the network says, are scored and open in the registry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export import paper_release
from BrainTumorSegLib.export.paper_release import PaperLogits, is_paper_run, release_paper
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.networks.table import NETWORKS, configure
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.preprocess.views import View
from BrainTumorSegLib.training import paper_runs
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.paper_runs import train_paper
from BrainTumorSegLib.training.recipes import PAPERS
from BrainTumorSegLib.volume import Volume
from Testing.Python.examples import phantom, tiny_paper_recipe, write_case

CPU = Hardware(torch.device("cpu"), bf16=False)


def silent(fraction: float, message: str) -> None:
    pass


def train(folder: Path, name: str, variant: str, roles: tuple[str, ...]) -> tuple[Path, Path]:
    """(run, data) of one short run on three cases of one's own."""
    image, mask = phantom()
    for i in range(3):
        write_case(folder / "data" / f"p{i}", dict.fromkeys(roles, image), mask)
    network = configure(PAPERS[name].networks[variant], width=0.05)
    recipe = tiny_paper_recipe(name, variant=variant, network=network, epochs=1, batch=2, slices_per_epoch=4)
    train_paper(PAPERS[name], recipe, folder / "data", folder / "run", 2, CPU, False, silent)
    return folder / "run", folder / "data"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[dict[str, Any]]]:
    """(run, folder, rows) of Res-UNet with gates in all precisions."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("paper")
    run, data = train(folder, "paper-a", "ag", ("t1ce",))
    rows = release_paper(run, folder / "out", ("fp32", "dynamic", "int8"), data, silent, passes=2)
    torch.set_num_threads(before)
    return run, folder / "out", rows


def test_all_precisions_are_written_scored_sized_and_timed(released: tuple[Path, Path, list[dict[str, Any]]]) -> None:
    run, folder, rows = released
    assert [(row["name"], row["precision"]) for row in rows] == [("resunet-ag", p) for p in ("int8", "dynamic", "fp32")]
    assert sorted(path.name for path in folder.iterdir()) == ["models.json"] + [f"resunet-ag-{p}.onnx" for p in ("dynamic", "fp32", "int8")]
    stored = json.loads((run / "scores.json").read_text())
    assert rows[2]["scores"]["mean_iou"] == pytest.approx(stored["scores"]["mean_iou"], abs=2e-3)  # fp32 says what torch said
    for row in rows:
        assert row["scores"]["split"] == "fold 2 of own"
        assert row["scores"]["run"]["variant"] == "ag"
        assert row["scores"]["seconds_per_image"] > 0
        assert row["training_data"][0]["name"] == "own"


def test_the_limit_of_sensitivity_reaches_the_quantizer(
    released: tuple[Path, Path, list[dict[str, Any]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(source: Path, target: Path, slices: np.ndarray, metadata: dict[str, Any], limit: float, report: object) -> None:
        raise InterruptedError(f"{target.name} {limit}")

    monkeypatch.setattr(paper_release, "quantize_measured", stop)
    run = released[0]
    with pytest.raises(InterruptedError, match=r"resunet-ag-int8\.onnx 0\.003"):
        release_paper(run, tmp_path, ("int8",), run.parent / "data", silent, passes=2, sensitivity=0.003)


def test_one_gray_channel_goes_in_and_is_repeated_in_the_graph(released: tuple[Path, Path, list[dict[str, Any]]]) -> None:
    run, folder, _ = released
    network = NETWORKS["res-unet-ag"].builder(configure("res-unet-ag", width=0.05)).eval()
    network.load_state_dict(load_tensors(run / "weights.safetensors")[0])
    slices = np.random.default_rng(0).uniform(0, 1, (2, 1, 64, 32)).astype(np.float32)
    with torch.no_grad():
        expected = torch.sigmoid(network(torch.from_numpy(slices).repeat(1, 3, 1, 1))).numpy()
    session = onnxruntime.InferenceSession(str(folder / "resunet-ag-fp32.onnx"), providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"slices": slices})[0] - expected).max() < 1e-4


def test_the_registry_knows_the_view_and_segment_sees_what_training_saw(released: tuple[Path, Path, list[dict[str, Any]]]) -> None:
    run, folder, _ = released
    model = next(model for model in list_models(folder) if model.precision == "fp32")
    assert model.view == View("gray", 32)
    image, _ = phantom()
    session = Session(model, threads=1)
    result = segment({"t1ce": Volume(image, name="t1ce")}, session, SegmentOptions(planes="axial", probabilities=True))
    examples = ExampleSet.load(run / paper_runs.EXAMPLES, made_for(run))
    assert examples is not None
    maps = session.run(examples.intensities(np.arange(6)))  # the first case's slices, as they were trained on
    frame_back = np.stack([square_to_slice(m[0]) for m in maps])
    assert result.probabilities is not None
    assert np.abs(result.probabilities[0] - frame_back).max() < 0.02  # 8-bit steps of the stored slices
    assert result.labels.array.shape == image.shape
    assert result.model == "resunet-ag"


def made_for(run: Path) -> str:
    with np.load(run / paper_runs.EXAMPLES) as arrays:
        return str(arrays["made_for"])


def square_to_slice(canvas: np.ndarray) -> np.ndarray:
    from BrainTumorSegLib.preprocess.views import square_frame

    return square_frame((20, 24), (1, 1), 32).from_canvas(canvas[None])[0]


def test_two_classes_become_one_logit() -> None:
    logits = torch.randn(2, 2, 4, 4)

    class Fixed(torch.nn.Module):
        def forward(self, slices: torch.Tensor) -> torch.Tensor:
            assert slices.shape[1] == 3
            return logits

    tumor = torch.sigmoid(PaperLogits(Fixed(), 1, 2)(torch.zeros(2, 3, 4, 4)))
    assert torch.allclose(tumor[:, 0], torch.softmax(logits, 1)[:, 1], atol=1e-6)


@pytest.mark.usefixtures("one_thread")
def test_system_d_is_exported_with_three_channels_and_segments(tmp_path: Path) -> None:
    run, data = train(tmp_path, "paper-d", "cbam", ("t1", "flair", "t1ce"))
    rows = release_paper(run, tmp_path / "out", ("fp32",), data, silent, passes=1)
    assert (rows[0]["name"], rows[0]["inputs"], rows[0]["planes"]) == ("unet-cbam", ["t1", "flair", "t1ce"], ["axial"])
    assert rows[0]["scores"]["average"] == "pooled over all pixels of all slices"
    image, _ = phantom()
    model = list_models(tmp_path / "out")[0]
    result = segment({role: Volume(image, name=role) for role in model.inputs}, Session(model, threads=1), SegmentOptions())
    assert result.labels.array.shape == image.shape
    assert result.planes == ("axial",)


@pytest.mark.usefixtures("one_thread")
def test_what_cannot_be_exported_says_so(released: tuple[Path, Path, list[dict[str, Any]]], tmp_path: Path) -> None:
    run = released[0]
    assert is_paper_run(run)
    assert not is_paper_run(tmp_path)
    with pytest.raises(InputError, match="int8 is calibrated on real slices, but no data are given"):
        release_paper(run, tmp_path / "out", ("int8",), None, silent)
    (tmp_path / "run.json").write_text((run / "run.json").read_text())
    with pytest.raises(InputError, match=r"is not finished \(scores.json is missing\)"):
        release_paper(tmp_path, tmp_path / "out", ("fp32",), None, silent)
    assert not (tmp_path / "out").exists()
    rows = release_paper(run, tmp_path / "out", ("fp32",), None, silent)
    assert [(row["file"], row["scores"]) for row in rows] == [("resunet-ag-fp32.onnx", {})]
