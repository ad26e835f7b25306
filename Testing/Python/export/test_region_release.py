"""A run of nested regions becomes files, a row of models.json that the pipeline runs, and a card with all subsets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("onnx")

from BrainTumorSegLib.data.case_set import CaseSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.export.int8 import KEPT_FLOAT
from BrainTumorSegLib.export.region_release import calibration_slices, is_region_run, release_regions
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.runs import CACHE, train_fold
from BrainTumorSegLib.volume import Volume
from Testing.Python.gliomas import case, cube, labels, region_recipe, tissue

CPU = Hardware(torch.device("cpu"), bf16=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One step on axial slices, validated on one case."""
    folder = tmp_path_factory.mktemp("runs")
    CaseSet([case("a", 1), case("b", 2, enhancing=False), cube("c", 2)]).save(folder / CACHE)
    recipe = region_recipe(phases=(Phase(1, 64, peak=1.0),), planes={"axial": 1})
    train_fold(recipe, Path("nowhere"), folder / "run", 1, CPU, False, lambda fraction, message: None, cache=folder / CACHE)
    return folder / "run"


def silent(fraction: float, message: str) -> None:
    pass


def test_a_run_becomes_a_model_that_runs(run: Path, tmp_path: Path) -> None:
    cross_validation = tmp_path / "cross_validation.json"
    means = {"n": 39, "dice": 0.8, "dice_by_kind": {"WT": 0.91, "TC": 0.8, "ET": 0.7}, "n_et": 33, "false_et_ml": 0.5}
    cross_validation.write_text(json.dumps({**means, "folds": {"1": {}, "2": {}}, "subsets": {"flair": {"dice_by_kind": {"WT": 0.86, "TC": 0.5}}}}))
    rows = release_regions(run, tmp_path / "out", ("int8", "fp32"), run.parent, silent, cross_validation)
    assert [(row["precision"], row["any_inputs"], row["outputs"], row["inputs"]) for row in rows] == [
        ("int8", True, "regions", list(ROLES)),
        ("fp32", True, "regions", list(ROLES)),
    ]
    told = [entry["what"].rpartition("; ")[2] for entry in rows[0]["training_data"]]
    assert told == ["1 patients, without fold 1", "1 patients, without fold 1"]
    scores = rows[0]["scores"]
    assert (scores["n"], len(scores["subsets"]), "ET" in scores["subsets"]["flair"]) == (1, 15, False)
    assert scores["cross_validation"]["subsets"] == {"flair": {"WT": 0.86, "TC": 0.5}}
    card = (tmp_path / "out" / "glioma-regions-card.md").read_text()
    assert "### 5-fold cross-validation by patient (without folds 3, 4 and 5, not run), fp32, no post-processing" in card
    assert "| flair | 0.860 | 0.500 | not visible |" in card
    assert "Falsely enhancing in the 6 that have none: 0.50 mL on average." in card
    model = list_models(tmp_path / "out")[0]
    assert (tmp_path / "out" / model.file).stat().st_size < 8e6
    result = segment({"flair": Volume((tissue(labels())[3] * 100).astype(np.int16), name="flair")}, Session(model, threads=1), SegmentOptions())
    assert (result.unsupported, set(result.voxels)) == (("ET",), {"NCR", "ED", "ET"})


def test_a_file_that_has_learned_from_all_cases_states_the_cross_validation(run: Path, tmp_path: Path) -> None:
    everything = tmp_path / "all"
    shutil.copytree(run, everything)
    (everything / "run.json").write_text(json.dumps(json.loads((run / "run.json").read_text()) | {"fold": 0}))
    result = {
        "through": "int8 files, whole pipeline",
        "n": 39,
        "dice": 0.7,
        "dice_by_kind": {"WT": 0.91, "TC": 0.8, "ET": 0.39},
        "n_et": 33,
        "false_et_ml": 0.5,
    }
    (tmp_path / "cv.json").write_text(json.dumps({**result, "folds": {fold: {} for fold in "1235"}, "subsets": {"flair": {"dice_by_kind": {"WT": 0.86}}}}))
    row = release_regions(everything, tmp_path / "out", ("int8",), run.parent, silent, tmp_path / "cv.json", run.parent / CACHE)[0]
    scores = row["scores"]
    assert scores["split"] == "brats, 5-fold cross-validation by patient (without fold 4, not run); this file has learned from all cases"
    assert (scores["n"], scores["dice"], scores["average"]) == (39, 0.7, "mean over cases in 3-D, int8 files, whole pipeline")
    assert (scores["subsets"], scores["lost_on"]) == ({"flair": {"WT": 0.86}}, "brats fold 1, which was trained on")
    assert row["training_data"][0]["what"].endswith("; 2 patients")
    card = (tmp_path / "out" / "glioma-regions-card.md").read_text()
    assert "### On brats, 5-fold cross-validation by patient (without fold 4, not run); this file has learned from all cases" in card
    assert "- Against its fp32 original (brats fold 1, which was trained on) it loses" in card
    assert "| flair | 0.860 | not visible | not visible |" in card


def test_training_with_patches_goes_on_from_an_exported_file(run: Path, tmp_path: Path) -> None:
    release_regions(run, tmp_path, ("int8",), run.parent, silent, scored=False, cache=run.parent / CACHE)
    recipe = region_recipe(phases=(Phase(1, 64, peak=1.0),), patch_steps=0.5)  # patches are smaller than slices, and the file sees whole slices
    file = tmp_path / "glioma-regions-int8.onnx"
    train_fold(recipe, Path("nowhere"), tmp_path / "on", 0, CPU, False, silent, run.parent / CACHE, [file])
    assert json.loads((tmp_path / "on" / "scores.json").read_text())["started_from"] == "the file glioma-regions-int8.onnx"


def test_scores_and_card_are_left_out_when_nobody_asks_for_them(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("BrainTumorSegLib.export.region_release.score_cases", lambda *rest: pytest.fail("nothing is to be scored"))
    rows = release_regions(run, tmp_path, ("fp32",), run.parent, silent, scored=False)
    assert rows[0]["scores"] == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["glioma-regions-fp32.onnx", "models.json"]
    assert rows[0]["training_data"][0]["what"].endswith("; 1 patients, without fold 1")


def test_the_limit_of_sensitivity_reaches_the_quantizer(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(source: Path, target: Path, slices: np.ndarray, metadata: dict, limit: float, *rest: object) -> None:
        raise InterruptedError(f"{target.name} {limit}")

    monkeypatch.setattr("BrainTumorSegLib.export.int8.quantize_measured", stop)
    with pytest.raises(InterruptedError, match=r"glioma-regions-int8\.onnx 0\.003"):
        release_regions(run, tmp_path, ("int8",), run.parent, silent, sensitivity=0.003)


def test_the_first_stages_stay_in_float_as_in_the_other_model_unless_it_is_fine_tuned(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def write(fp32: Path, path: Path, slices: np.ndarray, metadata: dict, *rest: object) -> None:
        asked.append(rest[-1])
        raise InterruptedError

    monkeypatch.setattr("BrainTumorSegLib.export.int8.quantize_measured", write)
    with pytest.raises(InterruptedError):
        release_regions(run, tmp_path, ("int8",), run.parent, silent)
    assert asked == [KEPT_FLOAT]

    def tune(network: GraphNetwork, report: object) -> None:
        asked.append(len(network.ranges()))
        raise InterruptedError

    monkeypatch.setattr("BrainTumorSegLib.export.region_release.tune_of", lambda recipe, training, steps: asked.append(steps) or tune)
    with pytest.raises(InterruptedError):
        release_regions(run, tmp_path, ("int8",), run.parent, silent, qat_steps=7)
    assert asked[1:] == [7, 111]  # every activation of the network is rounded, those of the first stages too


def test_int8_needs_data_and_only_region_runs_are_taken(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="int8 is calibrated on real slices"):
        release_regions(run, tmp_path, ("int8",), None, silent)
    assert is_region_run(run)
    assert not is_region_run(tmp_path)


def test_calibration_misses_sequences_as_training_does() -> None:
    slices = calibration_slices(CaseSet([case("a", 1), cube("c", 2)]), region_recipe())
    assert slices.shape == (300, 4, 64, 64)
    missing = ~slices.any((2, 3))
    assert 0.05 < missing.mean() < 0.25  # 0.6 x 0.25 = 0.15
    assert not missing.all(1).any()
