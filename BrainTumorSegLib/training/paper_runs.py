"""A run folder of a published system from start to end: recipe, examples, one fold or all of them, scores, curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from BrainTumorSegLib.data.example_set import ExampleSet, class_keys
from BrainTumorSegLib.data.paper_sources import folds_of, load_examples, split
from BrainTumorSegLib.networks.encoders.imagenet import start_from_imagenet
from BrainTumorSegLib.networks.table import NETWORKS
from BrainTumorSegLib.training import checkpoint
from BrainTumorSegLib.training.epoch_log import draw_epoch_curves
from BrainTumorSegLib.training.epochs import LAST, WEIGHTS, EpochTrainer, predict
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.loop import Report
from BrainTumorSegLib.training.paper_recipe import IMAGENET, RANDOM, Paper, PaperRecipe
from BrainTumorSegLib.training.paper_scores import SCORERS
from BrainTumorSegLib.training.run_folder import check_run, make_folder, settings_of, share_of
from BrainTumorSegLib.training.shown_examples import SHOWN, save_shown

EXAMPLES = "examples.npz"


def train_paper(
    paper: Paper, recipe: PaperRecipe, data: Path, run: Path, fold: int | None, hardware: Hardware, resume: bool, report: Report, cache: Path | None = None
) -> dict[str, Any]:
    """Train one fold into `run`, or with None all of them, each into its own folder below it.

    Args:
        data: folder that holds the recipe's sets, or cases of one's own.
        resume: go on with what `run` holds; without it a folder that holds a run is refused.
        cache: where the prepared examples are kept (default: in `run`), so that several runs may share them.

    Returns:
        scores.json of the fold, or {"folds": {fold: scores.json}} of all, which is also written to cross_validation.json.

    Raises:
        InputError: the folder holds another run, the fold does not exist, or the data cannot be used.
    """
    make_folder(run)
    if fold is not None:
        check_run(run, settings_of(recipe, fold), resume)
    examples = load_examples(recipe.sets, recipe.inputs, recipe.required, recipe.scheme, recipe.view, data, cache or run / EXAMPLES, report)
    if fold is not None:
        return train_fold(paper, recipe, examples, run, fold, hardware, resume, report)
    folds = folds_of(examples)
    results: dict[str, Any] = {}
    for i, number in enumerate(folds):
        tell = share_of(report, i, len(folds), number)
        results[str(number)] = train_fold(paper, recipe, examples, run / f"fold{number}", number, hardware, resume, tell)
    result = {"folds": results}
    (run / "cross_validation.json").write_text(json.dumps(result, indent=1) + "\n")
    return result


def train_fold(
    paper: Paper, recipe: PaperRecipe, examples: ExampleSet, run: Path, fold: int, hardware: Hardware, resume: bool, report: Report
) -> dict[str, Any]:
    """Train one fold of examples that are in memory; see `train_paper`."""
    make_folder(run)
    settings = settings_of(recipe, fold)
    check_run(run, settings, resume)
    training, choosing, scored = split(examples, fold, recipe.choose_on)
    network, started_from = build_network(paper, recipe)
    trainer = EpochTrainer(recipe, network, examples, training, choosing, len(class_keys(recipe.scheme)) + 1, run, hardware)
    (run / "run.json").write_text(settings)  # only now: what could not begin is no run, and may be begun again
    if resume and (run / LAST).is_file():
        trainer.resume()
    if trainer.is_done and (run / "scores.json").is_file():
        return json.loads((run / "scores.json").read_text())
    trainer.fit(report)
    report(1.0, "scoring the fold")
    about = {"started_from": started_from, "n_training": len(training), **_about(trainer, fold)}
    result = {**about, "scores": score_run(trainer, examples.select(scored))}
    (run / "scores.json").write_text(json.dumps(result, indent=1) + "\n")
    draw_epoch_curves(run)
    return result


def score_run(trainer: EpochTrainer, scored: ExampleSet) -> dict[str, Any]:
    """The kept weights' scores as the paper counts them; a few slices are stored for figures."""
    trainer.network.load_state_dict(checkpoint.load_tensors(trainer.run / WEIGHTS)[0])
    predicted, _ = predict(trainer.network, scored, np.arange(len(scored)), trainer.recipe, trainer.hardware)
    save_shown(trainer.run / SHOWN, scored, predicted)
    return SCORERS[trainer.recipe.name](predicted, scored)


def build_network(paper: Paper, recipe: PaperRecipe) -> tuple[torch.nn.Module, str]:
    """The recipe's network with its first weights, and what they are."""
    torch.manual_seed(recipe.seed)
    network = NETWORKS[paper.networks[recipe.variant]].builder(recipe.network)
    if recipe.start == RANDOM:
        return network, "random weights (asked for)"
    return network, start_from_imagenet(network, None if recipe.start == IMAGENET else Path(recipe.start))


def _about(trainer: EpochTrainer, fold: int) -> dict[str, Any]:
    recipe = trainer.recipe
    return {
        "recipe": recipe.name,
        "variant": recipe.variant,
        "fold": fold,
        "sources": sorted(set(trainer.examples.source.tolist())),
        "width": recipe.network.width,
        "size": recipe.view.size,
        "clahe": recipe.view.clahe,
        "parameters": sum(p.numel() for p in trainer.network.parameters()),
        "epochs": recipe.epochs,
        "epochs_run": trainer.epoch,
        "kept_epoch": trainer.kept_epoch,
        "chosen_on": recipe.choose_on if recipe.restore_best else "nothing: the last epoch",
        "minutes": round(trainer.seconds / 60, 1),
        "trained_on": describe(trainer.hardware, recipe),
    }


def describe(hardware: Hardware, recipe: PaperRecipe) -> str:
    """Where a run computed, for tables."""
    where = torch.cuda.get_device_name(hardware.device) if hardware.device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    return f"{where}, {'bfloat16' if hardware.bf16 and recipe.mixed_precision else 'float32'}"
