"""Dice measured again, with a network that marks what is bright on slices whose tumors are bright."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.bench import scores
from BrainTumorSegLib.bench.scores import SETS, measured_dice
from BrainTumorSegLib.data.case_set import Case
from BrainTumorSegLib.data.slice_set import TUMOR_BIT
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.models import list_models
from Testing.Python.gliomas import case, write_regions
from Testing.Python.tiny import THRESHOLD_TAPS, slice_set, write_network


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction < 1


def test_every_shipped_score_can_be_measured_again() -> None:
    recorded = {model.name: model.scores["split"] for model in list_models()}
    begin = {
        "t1ce-tumor": "cheng fold 4, tumor-free: no_tumor fold 1",
        "glioma-regions": "brats, 5-fold cross-validation",
        "flair-tumor": "lgg, 5-fold cross-validation",
    }
    assert set(recorded) == set(begin)
    assert all(recorded[name].startswith(words) for name, words in begin.items())
    assert SETS == {"t1ce-tumor": (("cheng", "no_tumor"), 4), "glioma-regions": (("brats",), 5), "flair-tumor": (("lgg",), 5)}


def test_a_file_that_has_learned_from_the_patients_says_so() -> None:
    learned = {model.name for model in list_models() if "learned from all " in model.scores["split"]}
    assert set(scores._LEARNED) == learned


def test_files_are_scored_on_their_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETS["t1ce-tumor"][0]:
        (tmp_path / name).mkdir()
    cheng, free = slice_set({"cheng/glioma": 8}, size=64), slice_set({"no_tumor/none": 4}, size=64, seed=1)
    monkeypatch.setattr(scores, "READERS", {"cheng": lambda folder: cheng, "no_tumor": lambda folder: free})
    files = {"int8": write_network(tmp_path / "half.onnx", THRESHOLD_TAPS, edge=1.4), "fp32": write_network(tmp_path / "none.onnx", THRESHOLD_TAPS, edge=99.0)}
    found = measured_dice("t1ce-tumor", files, tmp_path, 1, "cpu", silent)
    assert found["dice_int8"] > 0.9  # tumors are twice as bright as the tissue
    assert found["dice_fp32"] == 0.0  # nothing is that bright
    assert found["mean_iou_fp32"] == pytest.approx(0.5 * (1 - tumor_share(cheng)), abs=1e-4)
    assert found["dice_source"] == {"int8": "measured", "fp32": "measured"}


def tumor_share(slices: object) -> float:
    """Of the pixels of fold 4: what a network that marks nothing gets wrong of the background."""
    chosen = slices.targets[slices.fold == 4]  # type: ignore[attr-defined]
    return float(((chosen & 1) > 0).mean())


def test_stacks_are_scored_by_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lgg").mkdir()
    slices = slice_set({"lgg/glioma": 3}, size=64)
    slices.targets[0] = 0  # a slice of "a" without tumor: marked wholly, it counts against "a"
    one_patient = dataclasses.replace(slices, fold=np.full(3, 5), case=np.array(["a", "a", "b"]))
    monkeypatch.setattr(scores, "READERS", {"lgg": lambda folder: one_patient})
    tumor = [int((target & TUMOR_BIT).astype(bool).sum()) for target in one_patient.targets]
    everything = {"fp32": write_network(tmp_path / "all.onnx", THRESHOLD_TAPS, edge=-1.0)}
    pixels = one_patient.targets[0].size
    of_a, of_b = (2 * found / (found + n * pixels) for found, n in ((tumor[0] + tumor[1], 2), (tumor[2], 1)))
    assert measured_dice("flair-tumor", everything, tmp_path, 1, "cpu", silent)["dice_fp32"] == pytest.approx((of_a + of_b) / 2, abs=2e-4)


def test_regions_are_scored_by_case_on_axial_slices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brats").mkdir()
    asked = []

    def read(folder: Path, fold: int) -> list[Case]:
        asked.append((folder, fold))
        return [case("a", fold), case("b", fold, enhancing=False)]

    monkeypatch.setattr(scores, "read_brats_cases", read)
    files = {"fp32": write_regions(tmp_path / "exact.onnx"), "int8": write_regions(tmp_path / "no-core.onnx", core_edge=99.0)}
    found = measured_dice("glioma-regions", files, tmp_path, 1, "cpu", silent)
    assert asked == [(tmp_path / "brats", 5)]
    assert (found["dice_fp32"], found["mean_iou_fp32"]) == (1.0, 1.0)
    # without a core there is no enhancement in it: WT 1, TC 0, ET 0 in the one case that has it
    assert found["dice_int8"] == pytest.approx(1 / 3, abs=1e-4)
    voxels = 40 * 48 * 44
    backgrounds = [1.0, 1 - 12**3 / voxels, 1 - 8**3 / (2 * voxels)]  # of two cases, of which one has 8^3 that enhance
    assert found["mean_iou_int8"] == pytest.approx((1 + backgrounds[1] / 2 + backgrounds[2] / 2) / 3, abs=1e-4)


def test_a_missing_set_and_a_model_without_slices_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cheng is missing, but the model is scored on it"):
        measured_dice("t1ce-tumor", {}, tmp_path, 1, "cpu", silent)
    assert "no patients are defined to score other on" in measured_dice("other", {}, tmp_path, 1, "cpu", silent)["dice_note"]
