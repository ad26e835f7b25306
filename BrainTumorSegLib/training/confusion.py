"""Overlaps of label maps from one confusion matrix pooled over all pixels, cheap enough for every batch."""

from __future__ import annotations

import numpy as np


def confusion(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Counts [reference, prediction] of label maps of one shape, with values below `classes`, int64 [classes, classes]."""
    pairs = labels.ravel().astype(np.int64) * classes + predicted.ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def overlaps(counts: np.ndarray) -> dict[str, float]:
    """Scores of a confusion matrix; a class that neither side has counts 1.

    Returns:
        "dice" and "iou", means over all classes but background; "mean_iou", the mean with background, as Keras's BinaryIoU
        and MeanIoU; "pixel_accuracy".
    """
    both = np.diag(counts).astype(float)
    reference, predicted = counts.sum(1), counts.sum(0)
    either = reference + predicted - both
    iou = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    dice = np.where(reference + predicted > 0, 2 * both / np.maximum(reference + predicted, 1), 1.0)
    values = {"dice": dice[1:].mean(), "iou": iou[1:].mean(), "mean_iou": iou.mean(), "pixel_accuracy": both.sum() / max(counts.sum(), 1)}
    return {key: float(value) for key, value in values.items()}
