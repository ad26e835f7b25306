"""A run folder from start to end: recipe, slices, one fold or all of them, curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from BrainTumorSegLib.data.sources import FOLDS, load_slices, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.curves import draw_curves
from BrainTumorSegLib.training.loop import Hardware, Report, Trainer
from BrainTumorSegLib.training.recipe import Recipe
from BrainTumorSegLib.training.run_folder import check_run, make_folder, settings_of, share_of

CACHE = "slices.npz"


def train_fold(recipe: Recipe, data: Path, run: Path, fold: int, hardware: Hardware, resume: bool, report: Report, cache: Path | None = None) -> dict[str, Any]:
    """Train one fold into `run`; returns the last validation's scores.

    Args:
        data: folder that holds the recipe's sets. run: folder to write to. fold: validated on, trained on the others.
        resume: go on with what `run` holds; without it a folder that holds a run is refused.
        cache: where the prepared slices are kept (default: in `run`).

    Raises:
        InputError: the folder holds another run, the fold does not exist or the data are missing.
    """
    if fold not in FOLDS:
        raise InputError(f"fold is {fold}, but the folds are {', '.join(map(str, FOLDS))}; choose one of them or all")
    settings = settings_of(recipe, fold)
    check_run(run, settings, resume)
    make_folder(run)
    training, validation = split(load_slices(recipe.sets, data, cache or run / CACHE, report), fold)
    trainer = Trainer(recipe, training, validation, run, hardware)
    (run / "run.json").write_text(settings)  # only now: what could not begin is no run, and may be begun again
    if resume and (run / "last.safetensors").is_file():
        trainer.resume()
    scores = trainer.fit(report) or json.loads((run / "scores.json").read_text())
    draw_curves(run)
    return scores


def train_all_folds(recipe: Recipe, data: Path, run: Path, hardware: Hardware, resume: bool, report: Report) -> dict[str, Any]:
    """Cross-validation: every fold in its own folder below `run`, and cross_validation.json with their mean."""
    scores = {}
    run.mkdir(parents=True, exist_ok=True)
    for i, fold in enumerate(FOLDS):
        tell = share_of(report, i, len(FOLDS), fold)
        scores[str(fold)] = train_fold(recipe, data, run / f"fold{fold}", fold, hardware, resume, tell, cache=run / CACHE)
    result = {"folds": scores, "mean_dice": sum(s["dice"] for s in scores.values()) / len(scores)}
    (run / "cross_validation.json").write_text(json.dumps(result, indent=1) + "\n")
    return result
