"""Train a network by one of the recipes. Needs the extra: pip install 'braintumorseg[train]'.

RUN receives the settings, a log (log.csv), the scores (scores.json), the curves (curves.png) and the weights. Ctrl-C is
safe at any time: --resume goes on and ends with the same weights as an uninterrupted run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.errors import InputError

NAME = "train"
HELP = "train a network by one of the recipes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="t1ce-tumor, glioma-regions, flair-tumor, brain-mask, or a published system: paper-a, paper-b, paper-c, paper-d"
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR|CSV",
        help="folder that holds the recipe's public sets; for the published systems also one's own cases, a folder for each or a table of them",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="folder of the run")
    parser.add_argument(
        "--fold",
        default="4",
        metavar="N|all",
        help="fold to validate on, trained on the others; all: cross-validation; 0: trained on every patient (not for the published systems; default: 4)",
    )
    parser.add_argument("--cache", type=Path, metavar="FILE", help="where prepared slices are kept, for several runs to share (default: in RUN)")
    parser.add_argument(
        "--start",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN|FILE",
        help="begin with the weights of this run of the same network and fold, or of this exported file (.onnx), or with the mean of several, which is the "
        "result where there are no steps, as with --set phases=[[0,224]] (not for the published systems)",
    )
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="where to compute (default: cpu)")
    parser.add_argument("--resume", action="store_true", help="go on with the run in RUN; a published system may go on with more epochs")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="settings", help="change a setting of the recipe, for instance seed=2 or variant=ag"
    )
    parser.add_argument("--json", action="store_true", help="print the scores as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Progress to standard error, scores to standard output; returns the exit code.

    Raises:
        InputError: an unknown recipe, fold, device or setting, missing data, or a folder that holds another run.
    """
    from BrainTumorSegLib.training.hardware import choose_hardware
    from BrainTumorSegLib.training.recipe import override
    from BrainTumorSegLib.training.recipes import PAPERS, RECIPES
    from BrainTumorSegLib.training.runs import train_all_folds, train_fold

    if arguments.recipe in PAPERS:
        return _train_paper(arguments)
    if arguments.recipe not in RECIPES:
        raise InputError(f"there is no recipe {arguments.recipe!r}; choose one of {', '.join([*RECIPES, *PAPERS])}")
    if arguments.start and arguments.fold == "all":
        raise InputError("--start begins with the weights of a run of one fold, but --fold is all; give the fold of that run")
    recipe = override(RECIPES[arguments.recipe], arguments.settings)
    hardware = choose_hardware(arguments.device)
    with ProgressBar() as bar:
        if arguments.fold == "all":
            scores = train_all_folds(recipe, arguments.data, arguments.output, hardware, arguments.resume, bar, arguments.cache)
        else:
            scores = train_fold(
                recipe, arguments.data, arguments.output, _fold(arguments.fold), hardware, arguments.resume, bar, arguments.cache, arguments.start
            )
    if arguments.json:
        print(json.dumps(scores, indent=2))
    elif scores.get("dice", True) is None:
        print(f"trained on every patient, so none is left to score; see {arguments.output}")
    elif arguments.fold == "all":
        print(f"mean Dice over {len(scores['folds'])} folds: {scores['mean_dice']:.4f}; see {arguments.output / 'cross_validation.json'}")
    else:
        print(f"mean Dice on fold {arguments.fold}: {scores['dice']:.4f} (n = {scores['n']}); see {arguments.output}")
    return 0


def _train_paper(arguments: argparse.Namespace) -> int:
    from BrainTumorSegLib.training.hardware import choose_hardware
    from BrainTumorSegLib.training.paper_recipe import paper_recipe
    from BrainTumorSegLib.training.paper_runs import train_paper
    from BrainTumorSegLib.training.paper_scores import headline
    from BrainTumorSegLib.training.recipes import PAPERS

    paper = PAPERS[arguments.recipe]
    recipe = paper_recipe(paper, arguments.settings)
    if arguments.start:
        raise InputError(f"--start is for our own recipes, but {arguments.recipe} starts as its paper does; leave it out")
    fold = None if arguments.fold == "all" else _fold(arguments.fold)
    hardware = choose_hardware(arguments.device)
    with ProgressBar() as bar:
        result = train_paper(paper, recipe, arguments.data, arguments.output, fold, hardware, arguments.resume, bar, arguments.cache)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return 0
    for scored in result["folds"].values() if fold is None else [result]:
        numbers = ", ".join(f"{key} {'undefined' if value is None else f'{value:.4f}'}" for key, value in headline(recipe.name, scored["scores"]).items())
        print(f"fold {scored['fold']}: {numbers} ({scored['scores']['averaged']}; epoch {scored['kept_epoch']} of {scored['epochs_run']})")
    print(f"see {arguments.output}")
    return 0


def _fold(word: str) -> int:
    if not word.isdecimal():
        raise InputError(f"--fold is {word!r}, but it must be the number of a fold or all; correct it")
    return int(word)
