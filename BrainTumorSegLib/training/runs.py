"""A run folder from start to end: recipe, slices, one fold or all of them, curves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.data import glioma_cases, sources
from BrainTumorSegLib.data.folds import ALL_CASES
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.curves import draw_curves
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.loop import Report, Trainer
from BrainTumorSegLib.training.recipe import Recipe
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.region_scores import summary
from BrainTumorSegLib.training.region_trainer import RegionTrainer
from BrainTumorSegLib.training.run_folder import check_run, check_start, make_folder, settings_of, share_of
from BrainTumorSegLib.training.stack_trainer import StackTrainer

CACHE = "slices.npz"
"""The prepared slices, or the prepared volumes of a `RegionRecipe`."""


def folds_of(recipe: Recipe) -> tuple[int, ...]:
    """The folds that a cross-validation goes through."""
    return glioma_cases.FOLDS if isinstance(recipe, RegionRecipe) else sources.FOLDS[sources.scored_set(recipe.sets)]


def _trainer(recipe: Recipe, data: Path, cache: Path, run: Path, fold: int, hardware: Hardware, report: Report) -> Trainer:
    if isinstance(recipe, RegionRecipe):
        cases = glioma_cases.load_cases(recipe.sets, data, cache, report)
        return RegionTrainer(recipe, *glioma_cases.split(cases, fold), run, hardware)
    kind = StackTrainer if sources.is_scored_by_patient(recipe.sets) else Trainer
    return kind(recipe, *sources.split(sources.load_slices(recipe.sets, data, cache, report), fold), run, hardware)


def train_fold(
    recipe: Recipe, data: Path, run: Path, fold: int, hardware: Hardware, resume: bool, report: Report, cache: Path | None = None, start: Sequence[Path] = ()
) -> dict[str, Any]:
    """Train one fold into `run`; returns the last validation's scores.

    Args:
        data: folder that holds the recipe's sets. run: folder to write to. fold: validated on, trained on the others;
            `ALL_CASES` trains on all and validates on no tumor.
        resume: go on with what `run` holds; without it a folder that holds a run is refused.
        cache: where the prepared slices are kept (default: in `run`).
        start: folders of runs of the same network and fold, or exported files, of whose averaged weights the mean is what this one starts from (fine-tuning).

    Raises:
        InputError: the folder holds another run, the fold does not exist, the data are missing or `start` does not fit.
    """
    folds = folds_of(recipe)
    if fold not in (*folds, ALL_CASES):
        raise InputError(f"fold is {fold}, but the folds are {', '.join(map(str, folds))}; choose one of them, all, or {ALL_CASES} to keep no patient out")
    if recipe.steps == 0 and not start:
        raise InputError("the recipe has no steps, which leaves a network untrained; give phases with steps, or --start RUN whose weights are taken")
    for other in start:
        check_start(other, recipe, fold)
    settings = settings_of(recipe, fold, start)
    check_run(run, settings, resume)
    make_folder(run)
    trainer = _trainer(recipe, data, cache or run / CACHE, run, fold, hardware, report)
    if start:
        trainer.start_from(start)
    (run / "run.json").write_text(settings)  # only now: what could not begin is no run, and may be begun again
    if resume and (run / "last.safetensors").is_file():
        trainer.resume()
    scores = trainer.fit(report)
    draw_curves(run)
    return scores


def train_all_folds(recipe: Recipe, data: Path, run: Path, hardware: Hardware, resume: bool, report: Report, cache: Path | None = None) -> dict[str, Any]:
    """Cross-validation: every fold in its own folder below `run`, and cross_validation.json with their mean."""
    scores = {}
    run.mkdir(parents=True, exist_ok=True)
    folds = folds_of(recipe)
    for i, fold in enumerate(folds):
        tell = share_of(report, i, len(folds), fold)
        scores[str(fold)] = train_fold(recipe, data, run / f"fold{fold}", fold, hardware, resume, tell, cache=cache or run / CACHE)
    result = {"folds": scores, "mean_dice": sum(s["dice"] for s in scores.values()) / len(scores)}
    if isinstance(recipe, RegionRecipe):  # a fold has few cases: means are taken over those of all folds
        result |= pooled(list(scores.values()))
    elif sources.is_scored_by_patient(recipe.sets):
        result |= over_patients(list(scores.values()))
    (run / "cross_validation.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def pooled(folds: list[dict[str, Any]]) -> dict[str, Any]:
    """Scores over the cases of all folds.

    Args:
        folds: scores.json of each.

    Returns:
        `region_scores.summary` of all cases, "mean_dice" as its "dice", and "subsets": the same for each subset of sequences.
    """
    everything = summary(_joined([scores["cases"] for scores in folds]))
    names = list(folds[0]["subsets"])
    by_subset = {name: summary(_joined([scores["subsets"][name] for scores in folds])) for name in names}
    return {**everything, "mean_dice": everything["dice"], "subsets": by_subset}


def over_patients(folds: list[dict[str, Any]]) -> dict[str, Any]:
    """Scores over the patients of all folds, of which each is in one: "n", "mean_dice", "median" and "spread" (standard deviation).

    Args:
        folds: scores.json of each, with "cases".
    """
    values = np.array(list(_joined([scores["cases"] for scores in folds]).values()))
    middle = {"mean_dice": values.mean(), "median": np.median(values), "spread": values.std(ddof=1)}
    return {"n": len(values), **{name: round(float(value), 4) for name, value in middle.items()}}


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: scores for part in parts for name, scores in part.items()}
