"""Dice measured again, with a network that marks what is bright on slices whose tumors are bright."""

from __future__ import annotations

from pathlib import Path

import pytest

from BrainTumorSegLib.bench import scores
from BrainTumorSegLib.bench.scores import SETS, measured_dice
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.models import list_models
from Testing.Python.tiny import THRESHOLD_TAPS, slice_set, write_network


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction < 1


def test_every_shipped_score_can_be_measured_again() -> None:
    recorded = {model.name: model.scores["split"] for model in list_models() if model.name in SETS}
    assert recorded["t1ce-tumor"] == f"cheng fold {SETS['t1ce-tumor'][1]}, tumor-free: no_tumor fold 1"


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


def test_a_missing_set_and_a_model_without_slices_are_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cheng is missing, but the model is scored on it"):
        measured_dice("t1ce-tumor", {}, tmp_path, 1, "cpu", silent)
    assert "no slices are defined to score other on" in measured_dice("other", {}, tmp_path, 1, "cpu", silent)["dice_note"]
