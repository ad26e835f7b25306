"""A run folder of a published system belongs to one run, which stops and goes on."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training import paper_runs
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.paper_recipe import PaperRecipe, paper_recipe_from_dict
from BrainTumorSegLib.training.paper_runs import build_network, train_fold, train_paper
from BrainTumorSegLib.training.recipes import PAPERS
from Testing.Python.examples import phantom, tiny_paper_examples, tiny_paper_recipe, write_case

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Hardware(torch.device("cpu"), bf16=False)
SMALLEST = {"epochs": 1, "batch": 2, "slices_per_epoch": 2, "choose_on": "scored fold"}


def silent(fraction: float, message: str) -> None:
    pass


def fold(recipe: PaperRecipe, run: Path, number: int = 1, resume: bool = False, report: Any = silent) -> dict[str, Any]:
    return train_fold(PAPERS[recipe.name], recipe, tiny_paper_examples(recipe.name), run, number, CPU, resume, report)


RECIPE = tiny_paper_recipe(**SMALLEST)


def test_a_run_is_refused_twice_resumed_and_not_done_again(tmp_path: Path) -> None:
    result = fold(RECIPE, tmp_path)
    settings = json.loads((tmp_path / "run.json").read_text())
    assert settings["fold"] == 1
    assert paper_recipe_from_dict(settings["recipe"], PAPERS) == RECIPE
    with pytest.raises(InputError, match="already holds a run; add --resume to go on with it, or give another folder with -o"):
        fold(RECIPE, tmp_path)
    other = re.escape("was started with another recipe, fold or --set; resume with the same ones, or give another folder with -o")
    with pytest.raises(InputError, match=other):
        fold(replace(RECIPE, seed=2), tmp_path, resume=True)
    with pytest.raises(InputError, match=other):
        fold(RECIPE, tmp_path, number=2, resume=True)
    before = (tmp_path / "last.safetensors").stat().st_mtime_ns

    def never(fraction: float, message: str) -> None:
        raise AssertionError(message)

    assert fold(RECIPE, tmp_path, resume=True, report=never) == result
    assert (tmp_path / "last.safetensors").stat().st_mtime_ns == before


def test_a_run_goes_on_with_more_epochs_as_if_it_had_begun_with_them(tmp_path: Path) -> None:
    longer = replace(RECIPE, epochs=2, validate_every=1)
    fold(RECIPE, tmp_path / "grown")
    result = fold(longer, tmp_path / "grown", resume=True)
    whole = fold(longer, tmp_path / "whole")
    assert {**result, "minutes": 0} == {**whole, "minutes": 0}
    assert result["epochs_run"] == 2
    assert (tmp_path / "grown" / "run.json").read_text() == (tmp_path / "whole" / "run.json").read_text()
    grown, at_once = (load_tensors(tmp_path / run / "last.safetensors")[0] for run in ("grown", "whole"))
    assert all(torch.equal(grown[name], at_once[name]) for name in at_once)
    for other in (RECIPE, replace(longer, epochs=3, seed=2)):  # fewer epochs, and more of another run
        with pytest.raises(InputError, match="was started with another recipe, fold or --set"):
            fold(other, tmp_path / "grown", resume=True)


def test_a_run_cut_between_training_and_scoring_is_scored_at_resume(tmp_path: Path) -> None:
    result = fold(RECIPE, tmp_path)
    (tmp_path / "scores.json").unlink()
    assert fold(RECIPE, tmp_path, resume=True)["scores"] == result["scores"]


def test_the_kept_weights_are_scored_and_not_the_last_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, torch.Tensor]] = []
    original = paper_runs.predict

    def remember(network: torch.nn.Module, *rest: Any) -> tuple[np.ndarray, float]:
        seen.append({name: value.clone() for name, value in network.state_dict().items()})
        return original(network, *rest)

    monkeypatch.setattr(paper_runs, "predict", remember)
    monkeypatch.setattr("BrainTumorSegLib.training.epochs.best_epoch", lambda monitored: 0)
    fold(replace(RECIPE, epochs=2), tmp_path)
    weights, about = load_tensors(tmp_path / "weights.safetensors")
    assert about == {"epoch": 1}
    assert all(torch.equal(seen[0][name], value) for name, value in weights.items())


def own_cases(folder: Path) -> Path:
    image, mask = phantom()
    for i in range(3):
        write_case(folder / f"case{i}", {"t1ce": image + i}, mask)
    return folder


def test_cross_validation_of_ones_own_cases_stops_and_goes_on(tmp_path: Path) -> None:
    data, run = own_cases(tmp_path / "data"), tmp_path / "run"
    paper = PAPERS["paper-a"]

    def stop(fraction: float, message: str) -> None:
        if message.startswith("fold 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_paper(paper, RECIPE, data, run, None, CPU, False, stop)
    assert (run / "fold1" / "scores.json").is_file()
    assert not (run / "fold2" / "scores.json").exists()
    told: list[tuple[float, str]] = []
    result = train_paper(paper, RECIPE, data, run, None, CPU, True, lambda fraction, message: told.append((fraction, message)))
    assert sorted(result["folds"]) == ["1", "2", "3"]
    assert json.loads((run / "cross_validation.json").read_text()) == result
    assert [scores["fold"] for scores in result["folds"].values()] == [1, 2, 3]
    assert [fraction for fraction, _ in told] == sorted(fraction for fraction, _ in told)
    assert sorted(path.name for path in run.iterdir()) == ["cross_validation.json", "examples.npz", "fold1", "fold2", "fold3"]


def test_bad_data_leave_the_folder_free_and_are_found_before_training(tmp_path: Path) -> None:
    data, run = own_cases(tmp_path / "data"), tmp_path / "run"
    (data / "case1" / "seg.nii.gz").unlink()
    for _ in range(2):
        with pytest.raises(InputError, match="the case case1 has no mask"):
            train_paper(PAPERS["paper-a"], RECIPE, data, run, 1, CPU, False, silent)
    assert list(run.iterdir()) == []


def test_a_run_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="the run folder .* cannot be written"):
        train_paper(PAPERS["paper-a"], RECIPE, tmp_path, tmp_path / "run", 1, CPU, False, silent)


def test_a_network_starts_from_what_the_recipe_says(tmp_path: Path) -> None:
    first, why = build_network(PAPERS["paper-a"], replace(RECIPE, start="random"))
    assert why == "random weights (asked for)"
    second = build_network(PAPERS["paper-a"], replace(RECIPE, start="random"))[0]
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values()))
    with pytest.raises(InputError, match="fits width 1.0, but this network has width 0.125"):
        build_network(PAPERS["paper-a"], replace(RECIPE, start=str(tmp_path / "w.h5")))
