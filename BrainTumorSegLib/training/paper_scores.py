"""Scores of a fold as each paper counts them, and beside them the ones that it leaves out.

Every function takes `predicted` uint8 [n, size, size] and the examples that it was predicted from, and returns plain
numbers with their n. Undefined values are None, counted and never part of a mean; see `metrics.contract`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet, class_keys, region_values
from BrainTumorSegLib.metrics.overlap import Counts, count_voxels
from BrainTumorSegLib.metrics.surface import surface_distances
from BrainTumorSegLib.training.confusion import confusion, overlaps
from BrainTumorSegLib.training.validation import FALSE_POSITIVE_PIXELS

Scorer = Callable[[np.ndarray, ExampleSet], dict[str, Any]]
_CANVAS = 224  # on which FALSE_POSITIVE_PIXELS are counted


def score_a(predicted: np.ndarray, examples: ExampleSet) -> dict[str, Any]:
    """System A: mean IoU of one confusion matrix over all slices, tumor-free ones included, as Keras's BinaryIoU.

    Beside it: tumor IoU and Dice pooled; their means over tumor slices, overall and by tumor type; false positives.
    """
    tumor = examples.labels.any((1, 2))
    kinds = sorted(set(examples.kind[tumor].tolist()))
    pooled = _pooled(predicted, examples.labels, 2)
    return {
        "averaged": "pooled over all pixels of all slices",
        "n": len(examples),
        "mean_iou": pooled["mean_iou"],
        "tumor_iou": pooled["iou"],
        "tumor_dice": pooled["dice"],
        "tumor_slices": _of_slices(predicted[tumor], examples.labels[tumor]),
        "by_kind": {kind: _of_slices(predicted[examples.kind == kind], examples.labels[examples.kind == kind]) for kind in kinds},
        **_false_positives(predicted[~tumor]),
    }


def score_b(predicted: np.ndarray, examples: ExampleSet) -> dict[str, Any]:
    """System B: Dice, IoU, precision and recall, averaged per tumor slice and pooled; pooled with background too.

    The paper's precision and recall cannot belong to its Dice unless background counts: hence the third way, the mean over
    background and tumor. Patients of `cheng` are not told apart, so a case is a slice.
    """
    tumor = examples.labels.any((1, 2))
    pairs = [count_voxels(p, t) for p, t in zip(predicted[tumor], examples.labels[tumor])]
    total = sum((count_voxels(p, t) for p, t in zip(predicted, examples.labels)), Counts())
    background = Counts(total.neither, total.reference_only, total.prediction_only, total.both)
    return {
        "averaged": "per_slice: mean over tumor slices; pooled: all pixels of all slices",
        "n": len(examples),
        "n_tumor": len(pairs),
        "per_slice": _four(pairs),
        "pooled": _four([total]),
        "pooled_with_background": _four([total, background]),
        **_false_positives(predicted[~tumor]),
    }


def score_c(predicted: np.ndarray, examples: ExampleSet) -> dict[str, Any]:
    """System C: Dice and HD95 in mm of NCR, ED and ET in 3-D, mean and deviation over the cases that have the class.

    Beside it the same of the nested regions, which the paper leaves out and others report.
    A class that is absent from the reference is "not applicable" in that case. HD95 of a class that was missed is
    undefined and counted. Large are the cases whose tumor is not smaller than the median of the fold's, small the others.
    """
    cases = [_case(predicted[members], examples.select(members)) for members in _members(examples)]
    volumes = [case["tumor_ml"] for case in cases]
    median = float(np.median(volumes)) if volumes else 0.0
    large = [case for case in cases if case["tumor_ml"] >= median]
    small = [case for case in cases if case["tumor_ml"] < median]
    return {
        "averaged": "3-D per case, then mean over the cases that have the class",
        "n": len(cases),
        "classes": _over_cases(cases, "classes"),
        "regions": _over_cases(cases, "regions"),
        "large": {"n": len(large), "classes": _over_cases(large, "classes")},
        "small": {"n": len(small), "classes": _over_cases(small, "classes")},
        "cases": cases,
    }


def score_d(predicted: np.ndarray, examples: ExampleSet) -> dict[str, Any]:
    """System D: pixel accuracy, Dice and IoU, pooled over all pixels, and per case in 3-D and per tumor slice beside it.

    The paper does not say how it averages.
    """
    tumor = examples.labels.any((1, 2))
    cases = [count_voxels(predicted[members], examples.labels[members]) for members in _members(examples)]
    pooled = _pooled(predicted, examples.labels, 2)
    return {
        "averaged": "pooled over all pixels of all slices",
        "n": len(examples),
        "pixel_accuracy": pooled["pixel_accuracy"],
        "dice": pooled["dice"],
        "iou": pooled["iou"],
        "mean_iou": pooled["mean_iou"],
        "per_case": {"n": len(cases), "dice": _mean([c.dice for c in cases]), "iou": _mean([c.iou for c in cases])},
        "tumor_slices": _of_slices(predicted[tumor], examples.labels[tumor]),
        **_false_positives(predicted[~tumor]),
    }


SCORERS: dict[str, Scorer] = {"paper-a": score_a, "paper-b": score_b, "paper-c": score_c, "paper-d": score_d}


def headline(name: str, scores: dict[str, Any]) -> dict[str, float | None]:
    """The few numbers that a recipe's paper reports, by the name of each; None is undefined."""
    if name == "paper-b":
        return {key: scores["per_slice"][key] for key in ("dice", "iou", "precision", "recall")}
    if name == "paper-c":
        return {f"Dice {key}": row["dice"] for key, row in scores["classes"].items()}
    return {key: scores[key] for key in (("mean_iou", "tumor_dice") if name == "paper-a" else ("pixel_accuracy", "dice", "iou"))}


def _pooled(predicted: np.ndarray, labels: np.ndarray, classes: int) -> dict[str, float]:
    return {key: round(value, 4) for key, value in overlaps(confusion(predicted, labels, classes)).items()}


def _of_slices(predicted: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Means over slices with a tumor, and the pooled mean IoU of the same slices."""
    pairs = [count_voxels(p, t) for p, t in zip(predicted, labels)]
    mean_iou = _pooled(predicted, labels, 2)["mean_iou"] if pairs else None
    return {"n": len(pairs), "dice": _mean([c.dice for c in pairs]), "iou": _mean([c.iou for c in pairs]), "mean_iou": mean_iou}


def _false_positives(predicted: np.ndarray) -> dict[str, Any]:
    """How many tumor-free slices are marked by more than 20 pixels of a 224 x 224 canvas."""
    if not len(predicted):
        return {"n_tumor_free": 0, "false_positive_rate": None}
    most = FALSE_POSITIVE_PIXELS * predicted.shape[1] * predicted.shape[2] / _CANVAS**2
    return {"n_tumor_free": len(predicted), "false_positive_rate": _mean((predicted > 0).sum((1, 2)) > most)}


def _four(pairs: Sequence[Counts]) -> dict[str, Any]:
    columns: dict[str, list[float | None]] = {
        "dice": [c.dice for c in pairs],
        "iou": [c.iou for c in pairs],
        "precision": [c.precision for c in pairs],
        "recall": [c.recall for c in pairs],
    }
    means = {key: _mean([value for value in column if value is not None]) for key, column in columns.items()}
    return {**means, "precision_undefined": sum(value is None for value in columns["precision"])}


def _members(examples: ExampleSet) -> list[np.ndarray]:
    """Indices of each case's slices, in the order of the set."""
    names = np.char.add(np.char.add(examples.source.astype(str), "/"), examples.case.astype(str))
    return [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]


def _case(predicted: np.ndarray, examples: ExampleSet) -> dict[str, Any]:
    spacing = tuple(examples.spacing_mm[0].tolist())
    known = bool(np.isfinite(spacing).all())

    def of(values: tuple[int, ...]) -> dict[str, Any]:
        return _of_volume(np.isin(predicted, values), np.isin(examples.labels, values), spacing if known else None)

    classes = {key: of((value,)) for value, key in enumerate(class_keys("glioma"), start=1)}
    regions = {key: of(values) for key, values in region_values("glioma").items()}
    voxel_ml = float(np.prod(spacing)) / 1000 if known else 1.0
    tumor_ml = round(float((examples.labels > 0).sum() * voxel_ml), 2)
    return {"case": str(examples.case[0]), "tumor_ml": tumor_ml, "classes": classes, "regions": regions}


def _of_volume(mine: np.ndarray, truth: np.ndarray, spacing_mm: tuple[float, ...] | None) -> dict[str, Any]:
    counts = count_voxels(mine, truth)
    if not truth.any():
        return {"status": "not applicable", "dice": None, "hd95_mm": None, "false_positive_voxels": counts.prediction_only}
    hd95 = None if spacing_mm is None else surface_distances(mine, truth, spacing_mm).hd95()
    return {"status": counts.status, "dice": round(counts.dice, 4), "hd95_mm": None if hd95 is None else round(hd95, 2)}


def _over_cases(cases: Sequence[dict[str, Any]], parts: str) -> dict[str, Any]:
    result = {}
    for key in class_keys("glioma") if parts == "classes" else region_values("glioma"):
        rows = [case[parts][key] for case in cases]
        there = [row for row in rows if row["status"] != "not applicable"]
        dice = [row["dice"] for row in there]
        hd95 = [row["hd95_mm"] for row in there if row["hd95_mm"] is not None]
        result[key] = {
            "n": len(there),
            "not_applicable": len(rows) - len(there),
            "dice": _mean(dice),
            "dice_sd": _deviation(dice),
            "hd95_mm": _mean(hd95),
            "hd95_sd": _deviation(hd95),
            "hd95_undefined": len(there) - len(hd95),
        }
    return result


def _mean(values: Sequence[float] | np.ndarray) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None


def _deviation(values: Sequence[float]) -> float | None:
    """Of a sample: n - 1 in the divisor; None of fewer than two values."""
    return round(float(np.std(values, ddof=1)), 4) if len(values) > 1 else None
