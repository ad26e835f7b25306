"""Means over cases count each region where it is, and every case meets the model that kept its fold out."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from BrainTumorSegLib.data.glioma_cases import FOLDS
from BrainTumorSegLib.volume import Volume
from Testing.Benchmarks import score_regions
from Testing.Benchmarks.score_regions import Scored, dice_by_region, means, stated, table

SECONDS = {"total": 2.0}
CASES = [
    Scored("a", {"WT": 0.9, "TC": 0.8, "ET": 0.6}, {"WT": 2.0, "TC": 3.0, "ET": None}, None, SECONDS, {}),
    Scored("b", {"WT": 0.7, "TC": 0.4, "ET": None}, {"WT": 4.0, "TC": 9.0, "ET": None}, 0.25, SECONDS, {}),
    Scored("c", {"WT": 0.8, "TC": 0.6, "ET": 0.2}, {"WT": 9.0, "TC": 6.0, "ET": 5.0}, None, SECONDS, {}),
]


def test_means_leave_out_what_a_case_does_not_have() -> None:
    summary = means(CASES)
    assert (summary["n"], summary["n_without_et"], summary["false_et_ml"]) == (3, 1, [0.25])
    assert summary["WT"] == {"n": 3, "dice": 0.8, "dice_sd": 0.0816, "hd95_mm": 5.0, "hd95_mm_median": 4.0, "hd95_undefined": 0}
    assert summary["ET"] == {"n": 2, "dice": 0.4, "dice_sd": 0.2, "hd95_mm": 5.0, "hd95_mm_median": 5.0, "hd95_undefined": 1}


def test_the_table_leaves_cells_empty_that_have_no_value() -> None:
    lines = table(CASES, means(CASES)).splitlines()
    assert lines[3] == "| b | 0.700 | 4.0 | 0.400 | 9.0 |  |  | 0.25 | 2.0 |"
    assert lines[-1] == "| **mean** | 0.800 | 5.0 | 0.600 | 6.0 | 0.400 | 5.0 | | |"


def test_a_cross_validation_segments_each_fold_with_the_model_that_kept_it_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(score_regions, "brats_volumes", lambda data, fold: iter([(f"case of {fold}", {}, np.zeros(1))]))
    monkeypatch.setattr(score_regions, "list_models", lambda folder: [folder])
    monkeypatch.setattr(score_regions, "find_model", lambda name, models: models[0])
    monkeypatch.setattr(score_regions.api, "Session", lambda model: model.name)
    unseen = score_regions._unseen(tmp_path, None, tmp_path / "models")
    assert [(case, session) for case, _, _, session in unseen] == [(f"case of {fold}", f"fold{fold}") for fold in FOLDS]
    some = score_regions._unseen(tmp_path, None, tmp_path / "models", (2, 4))
    assert [session for _, _, _, session in some] == ["fold2", "fold4"]


@pytest.mark.parametrize("option", [["--folds", "2"], ["--subsets"]])
def test_what_only_a_cross_validation_does_is_refused_without_its_models(
    option: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["score_regions", "--data", str(tmp_path), "--fold", "5", "-o", str(tmp_path / "out"), *option])
    monkeypatch.setattr(score_regions, "_unseen", lambda *given: iter(()))
    with pytest.raises(SystemExit):
        score_regions.main()
    assert "give its models with --models" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_cross_validation_is_stated_as_export_reads_it() -> None:
    found = {"t1+flair": [{"WT": 0.5, "TC": 0.3, "ET": None}, {"WT": 0.7, "TC": None, "ET": None}]}
    result = stated(CASES, found)
    assert (result["n"], result["n_et"], result["false_et_ml"], len(result["folds"])) == (3, 2, 0.25, 5)
    assert result["dice_by_kind"] == {"WT": 0.8, "TC": 0.6, "ET": 0.4}
    assert result["dice"] == 0.6
    assert list(stated(CASES, found, (2, 4))["folds"]) == ["2", "4"]
    assert result["subsets"] == {"t1+flair": {"dice_by_kind": {"WT": 0.6, "TC": 0.3}}}


def test_a_region_counts_where_the_case_has_it_and_the_sequences_show_it() -> None:
    def labels(*values: int) -> Volume:
        return Volume(np.array(values, np.uint8)[None, None])

    def result(*unsupported: str) -> Any:
        return SimpleNamespace(labels=labels(1, 2, 3, 0), unsupported=unsupported)

    assert dice_by_region(result(), labels(1, 2, 4, 2)) == pytest.approx({"WT": 6 / 7, "TC": 1.0, "ET": 1.0})
    assert dice_by_region(result("ET"), labels(1, 2, 4, 2))["ET"] is None
    assert dice_by_region(result(), labels(2, 2, 0, 0)) == pytest.approx({"WT": 0.8, "TC": None, "ET": None})
