"""A run that learns nested regions: started, resumed with the same end, cross-validated, and trained on all cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.recipe import Phase, from_dict
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.runs import CACHE, pooled, train_fold
from Testing.Python.gliomas import case_set, region_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Hardware(torch.device("cpu"), bf16=False)


def start(run: Path, recipe: RegionRecipe, fold: int = 5, resume: bool = False) -> dict:
    return train_fold(recipe, Path("nowhere"), run, fold, CPU, resume, lambda fraction, message: None, cache=run.parent / CACHE)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder beside prepared cases, in which a run can start without the public sets."""
    case_set().save(tmp_path / CACHE)
    return tmp_path / "run"


def test_a_run_scores_the_cases_of_its_fold_and_all_subsets(run: Path) -> None:
    scores = start(run, region_recipe())
    assert sorted(path.name for path in run.iterdir()) == ["curves.png", "last.safetensors", "log.csv", "run.json", "scores.json", "weights.safetensors"]
    assert (scores["n"], scores["n_et"], set(scores["cases"])) == (2, 1, {"with5", "without5"})
    assert len(scores["subsets"]) == 15
    assert set(scores["subsets"]["t1+flair"]["with5"]) == {"WT", "TC"}
    assert set(scores["subsets"]["t1ce"]["with5"]) == {"WT", "TC", "ET", "false_et_ml"}
    assert from_dict(json.loads((run / "run.json").read_text())["recipe"], RegionRecipe) == region_recipe()
    assert [row.split(",")[0] for row in (run / "log.csv").read_text().splitlines()] == ["step", "1", "2"]


def test_a_resumed_run_ends_with_the_same_weights(run: Path) -> None:
    recipe = region_recipe(patch_steps=0.5)
    start(run, recipe)
    whole, _ = load_tensors(run / "weights.safetensors")
    part = run.parent / "part"

    class Stopped(Exception):
        pass

    def stop(fraction: float, message: str) -> None:
        if message.startswith("step 2"):
            raise Stopped

    with pytest.raises(Stopped):
        train_fold(recipe, Path("nowhere"), part, 5, CPU, False, stop, cache=run.parent / CACHE)
    start(part, recipe, resume=True)
    again, progress = load_tensors(part / "weights.safetensors")
    assert progress["step"] == 2
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_fold_0_trains_on_all_cases_and_scores_none(run: Path) -> None:
    scores = start(run, region_recipe(phases=(Phase(1, 64, peak=1.0),)), fold=0)
    assert (scores["n"], scores["dice"], scores["cases"]) == (0, None, {})
    with pytest.raises(InputError, match="fold is 6, but the folds are 1, 2, 3, 4, 5"):
        start(run.parent / "other", region_recipe(), fold=6)


def test_folds_are_pooled_by_case() -> None:
    def scores(name: str, wt: float, et: float | None, false_ml: float | None) -> dict:
        case = {name: {"WT": wt, "TC": 0.5, "ET": et, "false_et_ml": false_ml}}
        return {"cases": case, "subsets": {"flair": {name: {"WT": wt / 2, "TC": 0.25}}}}

    result = pooled([scores("a", 0.8, 0.6, None), scores("b", 0.9, None, 0.4), scores("c", 1.0, 0.9, None)])
    assert result["dice_by_kind"] == {"WT": 0.9, "TC": 0.5, "ET": 0.75}
    assert (result["n"], result["n_et"], result["false_et_ml"], result["mean_dice"]) == (3, 2, 0.4, round((0.9 + 0.5 + 0.75) / 3, 4))
    assert result["subsets"]["flair"]["dice_by_kind"] == {"WT": 0.45, "TC": 0.25}
