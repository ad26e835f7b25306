"""Scores of slices, the way the model table states them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from BrainTumorSegLib.data.slice_set import TUMOR_BIT, SliceSet
from BrainTumorSegLib.metrics.overlap import dice

FALSE_POSITIVE_PIXELS = 20
"""A tumor-free slice with more marked pixels than this, at 224 x 224, counts as a false positive."""

Predictor = Callable[[np.ndarray], np.ndarray]
"""float32 [n, 1, 224, 224] in tissue units -> tumor probability [n, 224, 224]."""


def predict_slices(predict: Predictor, slices: SliceSet, batch: int = 16, threshold: float = 0.5) -> np.ndarray:
    """Masks of all slices, bool [n, 224, 224]."""
    masks = [predict(slices.tissue(np.arange(i, min(i + batch, len(slices))))[:, None]) >= threshold for i in range(0, len(slices), batch)]
    return np.concatenate([np.zeros((0, *slices.targets.shape[1:]), bool), *masks])  # there may be none to validate on


def score_slices(masks: np.ndarray, slices: SliceSet) -> dict[str, Any]:
    """Scores of `masks` [n, 224, 224] against the tumor target of `slices`.

    Returns:
        "n", "dice" (mean over tumor slices; None without any, as every mean of nothing), "dice_by_kind", "mean_iou" (paper A:
        all pixels of the tumor slices pooled, mean of background and tumor IoU), "mean_iou_with_tumor_free", "tumor_iou"
        (pooled), "n_tumor_free", "false_positive_rate" (share of tumor-free slices with more than 20 marked pixels).
    """
    truth = (slices.targets & TUMOR_BIT) > 0
    has_tumor = truth.any((1, 2))
    per_slice = np.array([dice(mask, target) for mask, target in zip(masks[has_tumor], truth[has_tumor])])
    kinds = slices.kind[has_tumor]
    tumor_free = masks[~has_tumor].sum((1, 2)) > FALSE_POSITIVE_PIXELS
    mean_iou, tumor_iou = pooled_iou(masks[has_tumor], truth[has_tumor])
    return {
        "n": int(has_tumor.sum()),
        "dice": _mean(per_slice),
        "dice_by_kind": {str(kind): _mean(per_slice[kinds == kind]) for kind in sorted(set(kinds.tolist()))},
        "mean_iou": mean_iou if has_tumor.any() else None,
        "tumor_iou": tumor_iou if has_tumor.any() else None,
        "mean_iou_with_tumor_free": pooled_iou(masks, truth)[0],
        "n_tumor_free": int((~has_tumor).sum()),
        "false_positive_rate": _mean(tumor_free),
    }


def score_stacks(masks: np.ndarray, slices: SliceSet) -> dict[str, Any]:
    """Scores of `masks` [n, 224, 224] by patient: a case's slices count as one volume, so that spacing does not matter.

    Returns:
        "n" (patients with a tumor), "dice" (mean over them, None without any), "median", "dice_by_kind" (a patient is of the kind of its
        tumor slices), "n_tumor_free" and "false_positive_rate" (single pictures without tumor, of the sets that hold such
        pictures, with more than 20 marked pixels) and "cases" (Dice of each patient).
    """
    truth = (slices.targets & TUMOR_BIT) > 0
    has_tumor = truth.any((1, 2))
    cases: dict[str, float] = {}
    kinds: dict[str, list[float]] = {}
    for case in dict.fromkeys(slices.case[has_tumor].tolist()):
        own = slices.case == case
        cases[case] = round(float(dice(masks[own], truth[own])), 4)
        kinds.setdefault(str(slices.kind[own & has_tumor][0]), []).append(cases[case])
    pictures = masks[~np.isin(slices.case, list(cases))].sum((1, 2)) > FALSE_POSITIVE_PIXELS
    values = np.array(list(cases.values()))
    return {
        "n": len(cases),
        "dice": _mean(values),
        "median": round(float(np.median(values)), 4) if len(values) else None,
        "dice_by_kind": {kind: _mean(np.array(found)) for kind, found in sorted(kinds.items())},
        "n_tumor_free": len(pictures),
        "false_positive_rate": _mean(pictures),
        "cases": cases,
    }


def pooled_iou(masks: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """(mean of background and tumor IoU, tumor IoU), one confusion matrix over all pixels, as Keras's BinaryIoU."""
    both, either = int((masks & truth).sum()), int((masks | truth).sum())
    background, background_union = int((~masks & ~truth).sum()), int((~masks | ~truth).sum())
    tumor = both / either if either else 1.0
    return (tumor + (background / background_union if background_union else 1.0)) / 2, tumor


def _mean(values: np.ndarray) -> float | None:
    return round(float(np.mean(values)), 4) if len(values) else None
