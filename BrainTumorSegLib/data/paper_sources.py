"""The examples of a recipe from public sets or cases of one's own, read once and cached, and their division by fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet, check_patients, concatenate
from BrainTumorSegLib.data.own_case_list import is_own
from BrainTumorSegLib.data.own_cases import read_own_cases
from BrainTumorSegLib.data.paper_sets import READERS, Report
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.views import KINDS as VIEWS
from BrainTumorSegLib.preprocess.views import View

__all__ = ["NEXT_FOLD", "SCORED_FOLD", "VIEWS", "View", "folds_of", "load_examples", "split"]

NEXT_FOLD, SCORED_FOLD = "next fold", "scored fold"


def load_examples(
    sets: Sequence[str], inputs: Sequence[str], required: Sequence[str], scheme: str, view: View, data: Path, cache: Path, report: Report
) -> ExampleSet:
    """The public `sets` below the folder `data`, or the cases of one's own that `data` is; checked, read once and cached.

    Args:
        inputs, required, scheme: see `own_cases.read_own_cases`.
        cache: .npz, read where it was made for the same data and view, and written where not.

    Raises:
        InputError: data that are missing or cannot be used, named; see the readers.
    """
    made_for = json.dumps([str(data.resolve()), list(sets), list(inputs), scheme, asdict(view)])
    cached = ExampleSet.load(cache, made_for) if cache.is_file() else None
    if cached is not None:
        return cached
    if not data.exists():
        raise InputError(f"{data} does not exist, but the recipe trains on what it holds; correct --data")
    cache.parent.mkdir(parents=True, exist_ok=True)  # before what takes long
    own = is_own(data, sets)
    examples = read_own_cases(data, inputs, required, scheme, view, report) if own else _read_sets(sets, view, data, report)
    check_patients(examples)
    temporary = cache.with_name(f".{cache.name}.part")
    examples.save(temporary, made_for)
    temporary.replace(cache)
    return examples


def _read_sets(sets: Sequence[str], view: View, data: Path, report: Report) -> ExampleSet:
    for name in sets:
        if name not in READERS:
            raise InputError(f"the recipe asks for the set {name!r}, but readers exist for {', '.join(READERS)}; correct the recipe's sets")
        if not (data / name).is_dir():
            raise InputError(
                f"{data / name} is missing, but this recipe trains on it; give with --data the folder that holds {', '.join(sets)}, or cases of your own"
            )
    return concatenate([READERS[name](data / name, view, report) for name in sets])


def folds_of(examples: ExampleSet) -> tuple[int, ...]:
    """The folds that can be scored: those with a tumor in them."""
    return tuple(sorted(set(examples.fold[examples.labels.any((1, 2))].tolist())))


def split(examples: ExampleSet, fold: int, choose_on: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the examples to train on, to choose the epoch by, and to score.

    Args:
        fold: the one that is scored.
        choose_on: "next fold": epochs are chosen by the fold after it, which is not trained on either; "scored fold": by
            the scored one itself, as papers without a third part do it, which flatters the score.

    Raises:
        InputError: a fold without a tumor, or too few folds.
    """
    folds = folds_of(examples)
    if fold not in folds:
        raise InputError(f"fold is {fold}, but the folds are {', '.join(map(str, folds))}; choose one of them or all")
    chosen = folds[(folds.index(fold) + 1) % len(folds)] if choose_on == NEXT_FOLD else fold
    training = (examples.fold != fold) & (examples.fold != chosen)
    if not examples.labels[training].any():
        raise InputError(
            f'with the folds {", ".join(map(str, folds))} no patient is left to train on; give cases of more patients, or --set choose_on="scored fold"'
        )
    return np.flatnonzero(training), np.flatnonzero(examples.fold == chosen), np.flatnonzero(examples.fold == fold)
