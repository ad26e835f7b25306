"""What models.json says of the patients that a file has learned from, and of those that it has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from BrainTumorSegLib.data.folds import ALL_CASES

_OWN_FOLDS = frozenset({"no_tumor"})
"""Sets whose part that is kept out is always the same, and stands in their description."""


def learned_from(sets: list[dict[str, str]], patients: Mapping[str, int], fold: int) -> list[dict[str, str]]:
    """The rows "training_data" of a run.

    Args:
        sets: of `descriptions.DESCRIPTIONS`. patients: trained on, of the sets of which it is known. fold: kept out.
    """
    return [entry if entry["name"] in _OWN_FOLDS else entry | {"what": _counted(entry, patients, fold)} for entry in sets]


def _counted(entry: dict[str, str], patients: Mapping[str, int], fold: int) -> str:
    count = [f"{patients[entry['name']]} patients"] if entry["name"] in patients else []
    without = [f"without fold {fold}"] if fold != ALL_CASES else []
    return "; ".join([entry["what"], *([", ".join(count + without)] if count or without else [])])


def split_of(scored: str, fold: int, first: int) -> str:
    """On what a file is scored; after training on every patient that is the fold `first`, which was trained on."""
    return f"{scored} fold {fold}" if fold != ALL_CASES else f"{scored} fold {first}, which was trained on"


def cross_validated(scored: str, folds: int, whom: str, own: dict[str, Any], left_out: Sequence[int] = ()) -> dict[str, Any]:
    """What the scores of a file that has learned from every patient begin with: "split", and what quantization costs by its `own`.

    Args:
        folds: of the cross-validation, those that were `left_out` too.
    """
    lost = {"dice_lost_to_fp32": own["dice_lost_to_fp32"], "lost_on": own["split"]} if "dice_lost_to_fp32" in own else {}
    return {"split": f"{scored}, {folds}-fold cross-validation by patient{not_run(left_out)}; this file has learned from all {whom}", **lost}


def left_out(folds: Sequence[int], run: Mapping[str, Any]) -> dict[str, list[int]]:
    """The entry "left_out" of a cross-validation over `folds`, where those that were `run` are not all of them; else nothing."""
    missing = [fold for fold in folds if str(fold) not in run]
    return {"left_out": missing} if missing else {}


def not_run(folds: Sequence[int]) -> str:
    """What follows "cross-validation" where some folds of it were left out."""
    if not folds:
        return ""
    several = f"s {', '.join(str(fold) for fold in folds[:-1])} and" if len(folds) > 1 else ""
    return f" (without fold{several} {folds[-1]}, not run)"


def loss_sentence(scores: dict[str, Any]) -> str:
    """The line of a card on what quantization costs, empty where it was not measured."""
    if "dice_lost_to_fp32" not in scores:
        return ""
    where = f"{scores['dice_fp32']:.4f}" if "dice_fp32" in scores else scores["lost_on"]
    return f"- Against its fp32 original ({where}) it loses {scores['dice_lost_to_fp32']:.4f} Dice."
