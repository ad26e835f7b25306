"""What every run folder has: run.json, by which it is known again, and a place that can be written."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from BrainTumorSegLib.data.folds import ALL_CASES
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.checkpoint import load_tensors

if TYPE_CHECKING:
    from BrainTumorSegLib.training.loop import Report
    from BrainTumorSegLib.training.paper_recipe import PaperRecipe
    from BrainTumorSegLib.training.recipe import Recipe


def settings_of(recipe: Recipe | PaperRecipe, fold: int, start: Sequence[Path] = ()) -> str:
    """run.json: what a run is, and what it must be to be resumed; `start` are the runs whose weights it starts from."""
    begins = {"start": [str(run) for run in start]} if start else {}
    return json.dumps({"fold": fold, **begins, "recipe": json.loads(recipe.to_json())}, indent=1) + "\n"


def is_file(start: Path) -> bool:
    """Whether what a run starts from is an exported file, not the folder of another run."""
    return start.suffix == ".onnx"


def described(starts: Sequence[Path]) -> str:
    """What a run of these `starts` begins with, and what they began with; one that is named several times is counted."""
    runs = [start for start in starts if not is_file(start)]
    counted = {start: f"{count} x " if (count := starts.count(start)) > 1 else "" for start in starts}
    steps = dict.fromkeys(f"{counted[run]}{load_tensors(run / 'weights.safetensors')[1]['step']}" for run in runs)
    begun = dict.fromkeys(json.loads((run / "scores.json").read_text())["started_from"] for run in runs if (run / "scores.json").is_file())
    if runs == list(starts) and list(steps) == ["0"] and begun:  # a mean without steps of its own
        return ", ".join(begun)
    parts = [f"{' and '.join(steps)} steps of {'another run' if len(starts) == 1 else 'other runs'}"] if runs else []
    parts += [f"{counted[file]}the file {file.name}" for file in dict.fromkeys(starts) if is_file(file)]
    return " and ".join(parts) + (", averaged" if len(starts) > 1 else "") + (f" ({', '.join(begun)})" if begun else "")


def check_start(start: Path, recipe: Recipe, fold: int) -> None:
    """Refuse to go on from a run whose weights would not fit, or that has learned from the patients of `fold`.

    Args:
        start: folder of that run, or an exported file, of which the models.json beside it says what it was scored on. recipe, fold: of the run that begins.

    Raises:
        InputError: no run, another network, or another fold was kept out.
    """
    if is_file(start):
        _check_file(start, recipe, fold)
        return
    try:
        settings = json.loads((start / "run.json").read_text())
    except OSError:
        raise InputError(f"{start} holds no run (run.json is missing), so nothing can start from it; give a folder that train made") from None
    if settings["recipe"]["network"] != json.loads(recipe.to_json())["network"]:
        raise InputError(f"the run in {start} has another network than recipe {recipe.name}; start from a run of the same network")
    if settings["fold"] != fold and fold != ALL_CASES:
        raise InputError(f"the run in {start} has learned from the patients of fold {fold}; start from a run that was validated on fold {fold}")


def _check_file(start: Path, recipe: Recipe, fold: int) -> None:
    """A file may be gone on from where it has learned from no patient of the scored set, the recipe's first, or was scored on this fold of it."""
    if not start.is_file():
        raise InputError(f"{start} does not exist, so nothing can start from it; give a file that export made, or a folder that train made")
    if fold == ALL_CASES:
        return
    try:
        row = next(row for row in json.loads((start.parent / "models.json").read_text())["models"] if row["file"] == start.name)
        learned, split = {entry["name"] for entry in row["training_data"]}, row["scores"].get("split", "")
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        raise InputError(f"no models.json beside {start} says what the file has learned from; train on all patients with --fold 0") from None
    scored = recipe.sets[0]
    if scored in learned and split != f"{scored} fold {fold}" and not split.startswith(f"{scored} fold {fold}, tumor-free"):
        raise InputError(f"{start} has learned from the patients of fold {fold}; train on all patients with --fold 0, or start from another file")


def check_run(run: Path, settings: str, resume: bool) -> None:
    """Refuse a folder that holds another run.

    A run that counts epochs may go on with more of them than it began with: no schedule looks at their number, so what
    was done so far is the same.

    Raises:
        InputError: it holds a run and `resume` was not asked for, or the run is another one.
    """
    stored = run / "run.json"
    if not stored.is_file():
        return
    if not resume:
        raise InputError(f"{run} already holds a run; add --resume to go on with it, or give another folder with -o")
    if not _goes_on(json.loads(stored.read_text()), json.loads(settings)):
        raise InputError(f"{run} was started with another recipe, fold or --set; resume with the same ones, or give another folder with -o")


def _goes_on(begun: dict[str, Any], asked: dict[str, Any]) -> bool:
    epochs = begun["recipe"].get("epochs", 0)
    if asked["recipe"].get("epochs", 0) <= epochs:
        return begun == asked
    return begun == {**asked, "recipe": {**asked["recipe"], "epochs": epochs}}


def make_folder(run: Path) -> None:
    """Make the run folder.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        run.mkdir(parents=True, exist_ok=True)
        if not os.access(run, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise InputError(f"the run folder {run} cannot be written ({error.strerror}); give another one with -o") from None


def share_of(report: Report, i: int, n: int, fold: int) -> Report:
    """`report` for fold number `i` of `n`: its fractions become parts of the whole cross-validation's."""
    return lambda fraction, message: report((i + fraction) / n, f"fold {fold}: {message}")
