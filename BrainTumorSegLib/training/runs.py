"""A run folder from start to end: recipe, slices, one fold or all of them, curves."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

from BrainTumorSegLib.data.sources import FOLDS, load_slices, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.curves import draw_curves
from BrainTumorSegLib.training.loop import Hardware, Report, Trainer
from BrainTumorSegLib.training.recipe import Recipe

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
    settings = _prepare(run, recipe, fold, resume)
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
        tell = _share(report, i, len(FOLDS), fold)
        scores[str(fold)] = train_fold(recipe, data, run / f"fold{fold}", fold, hardware, resume, tell, cache=run / CACHE)
    result = {"folds": scores, "mean_dice": sum(s["dice"] for s in scores.values()) / len(scores)}
    (run / "cross_validation.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def _share(report: Report, i: int, n: int, fold: int) -> Report:
    return lambda fraction, message: report((i + fraction) / n, f"fold {fold}: {message}")


def _prepare(run: Path, recipe: Recipe, fold: int, resume: bool) -> str:
    """Refuse a folder that holds another run or cannot be written; returns the settings to be stored in it."""
    settings = json.dumps({"fold": fold, "recipe": json.loads(recipe.to_json())}, indent=1) + "\n"
    stored = run / "run.json"
    if stored.is_file():
        if not resume:
            raise InputError(f"{run} already holds a run; add --resume to go on with it, or give another folder with -o")
        if stored.read_text() != settings:
            raise InputError(f"{run} was started with another recipe, fold or --set; resume with the same ones, or give another folder with -o")
    try:
        run.mkdir(parents=True, exist_ok=True)
        if not os.access(run, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"the run folder {run} cannot be written ({error.strerror}); give another one with -o") from None
    return settings
