"""All sets of a recipe as one `SliceSet`, read once and cached, and its division into training and validation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data import brain_heads, public_sets
from BrainTumorSegLib.data.slice_set import SliceSet, concatenate
from BrainTumorSegLib.errors import InputError

READERS: dict[str, Callable[[Path], SliceSet]] = {
    "cheng": public_sets.read_cheng,
    "no_tumor": public_sets.read_no_tumor,
    "brats": public_sets.read_brats,
    "brats/t1ce_slices": public_sets.read_t1ce_slices,
    "lgg": public_sets.read_lgg_flair,
    "lgg_tumor_free": public_sets.read_lgg_tumor_free,
    "ms_heads": public_sets.read_ms_heads,
    "lgg_brain": brain_heads.read_lgg_brain,
}
_FOLDERS = {"lgg_tumor_free": "lgg", "lgg_brain": "lgg"}
"""Folders of the sets that are not named as theirs."""
FOLDS = {"cheng": (1, 2, 3, 4), "lgg": (1, 2, 3, 4, 5), "lgg_brain": (1, 2, 3, 4, 5)}
"""Sets that recipes are scored on, with their folds, by patient; the other sets of a recipe follow them, see `split`."""
_STACKS = frozenset({"lgg", "lgg_brain"})
"""Those of them that hold all slices of a patient."""
_PICTURES = frozenset({"cheng", "no_tumor"})
"""Sets of single pictures whose patients are not told apart; in the others a case is a patient."""
_TUMOR_FREE_VALIDATION_FOLD = 1


def load_slices(sets: tuple[str, ...], data: Path, cache: Path, report: Callable[[float, str], None]) -> SliceSet:
    """The slices of `sets` below the folder `data`; `cache` (.npz) is read where it exists and written where not.

    Raises:
        InputError: a set has no reader, or its folder is missing; named before anything is read.
    """
    if cache.is_file():
        slices = SliceSet.load(cache)
        if set(slices.source) == {name.rpartition("/")[2] for name in sets}:  # else it was made for other sets
            return slices
    for name in sets:
        if name not in READERS:
            raise InputError(f"the recipe asks for the set {name!r}, but readers exist for {', '.join(READERS)}; correct the recipe's sets")
        folder = data / _FOLDERS.get(name, name)
        if not folder.is_dir():
            raise InputError(f"{folder} is missing, but this recipe trains on it; give the folder that holds {', '.join(sets)} with --data")
    cache.parent.mkdir(parents=True, exist_ok=True)  # before what takes long
    parts = []
    for i, name in enumerate(sets):
        report(i / len(sets), f"reading {name}")
        parts.append(READERS[name](data / _FOLDERS.get(name, name)))
    slices = concatenate(parts)
    temporary = cache.with_name(f".{cache.name}.part")
    slices.save(temporary)
    temporary.replace(cache)
    return slices


def scored_set(sets: Iterable[str]) -> str:
    """The one of a recipe's `sets` that it is scored on.

    Raises:
        InputError: none of them has folds to be scored on.
    """
    scored = [name for name in FOLDS if name in sets]
    if not scored:
        raise InputError(f"the recipe has none of the sets that can be scored, {' or '.join(FOLDS)}; add one of them to its sets")
    return scored[0]


def is_scored_by_patient(sets: Iterable[str]) -> bool:
    """Whether a recipe on `sets` is scored by patient, since its scored set holds all slices of each; else by slice."""
    return scored_set(sets) in _STACKS


def count_patients(slices: SliceSet) -> dict[str, int]:
    """Patients by set, of the sets in which they are known."""
    return {name: len(np.unique(slices.case[slices.source == name])) for name in np.unique(slices.source).tolist() if name not in _PICTURES}


def split(slices: SliceSet, fold: int) -> tuple[SliceSet, SliceSet]:
    """(training, validation) of one fold.

    Validation is fold `fold` of the set that is scored (`cheng`, `lgg` or `lgg_brain`) and, always, fold 1 of `no_tumor`. All other
    sets of the same fold number are kept out of training too, so that volumes and heads of patients never seen remain for
    looking at. With `folds.ALL_CASES` every patient is trained on, and fold 1 of `no_tumor` alone is left.
    """
    scored = scored_set(set(slices.source.tolist()))
    tumor_free = slices.source == "no_tumor"
    validation = np.where(tumor_free, slices.fold == _TUMOR_FREE_VALIDATION_FOLD, (slices.source == scored) & (slices.fold == fold))
    training = np.where(tumor_free, slices.fold != _TUMOR_FREE_VALIDATION_FOLD, slices.fold != fold)
    return slices.select(training), slices.select(validation)
