"""Overlap of two masks: Dice, IoU, precision, recall and volumes; empty masks as in `contract`.

The voxels are counted once (`count_voxels`); every score is arithmetic on the four counts, and counts of several
pairs can be added, which pools their voxels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.metrics.contract import WHEN_EMPTY, status_of
from BrainTumorSegLib.metrics.masks import as_masks, as_spacing


@dataclass(frozen=True)
class Counts:
    """Voxels of a pair of masks, sorted into four kinds."""

    both: int = 0
    prediction_only: int = 0
    reference_only: int = 0
    neither: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.both + other.both,
            self.prediction_only + other.prediction_only,
            self.reference_only + other.reference_only,
            self.neither + other.neither,
        )

    @property
    def prediction(self) -> int:
        return self.both + self.prediction_only

    @property
    def reference(self) -> int:
        return self.both + self.reference_only

    @property
    def status(self) -> str:
        return status_of(self.prediction, self.reference)

    @property
    def dice(self) -> float:
        """2|A∩B| / (|A| + |B|)."""
        empty = WHEN_EMPTY.get(self.status)
        return empty.overlap if empty else 2 * self.both / (self.prediction + self.reference)

    @property
    def iou(self) -> float:
        """|A∩B| / |A∪B|, the Jaccard index."""
        empty = WHEN_EMPTY.get(self.status)
        return empty.overlap if empty else self.both / (self.both + self.prediction_only + self.reference_only)

    @property
    def background_iou(self) -> float:
        """IoU of the two backgrounds; the contract holds for them as it does for the masks."""
        return Counts(self.neither, self.reference_only, self.prediction_only, self.both).iou

    @property
    def precision(self) -> float | None:
        """The part of the prediction that is right."""
        empty = WHEN_EMPTY.get(self.status)
        return empty.precision if empty else self.both / self.prediction

    @property
    def recall(self) -> float | None:
        """The part of the reference that was found (sensitivity)."""
        empty = WHEN_EMPTY.get(self.status)
        return empty.recall if empty else self.both / self.reference


def count_voxels(prediction: np.ndarray, reference: np.ndarray) -> Counts:
    """Count a pair of masks of one shape and any number of axes.

    Raises:
        ValueError: see `masks.as_masks`.
    """
    prediction, reference = as_masks(prediction, reference)
    both = int(np.count_nonzero(prediction & reference))
    prediction_only = int(np.count_nonzero(prediction)) - both
    reference_only = int(np.count_nonzero(reference)) - both
    return Counts(both, prediction_only, reference_only, prediction.size - both - prediction_only - reference_only)


def dice(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Dice coefficient in [0, 1] of two masks of one shape; see `contract` for empty ones."""
    return count_voxels(prediction, reference).dice


def iou(prediction: np.ndarray, reference: np.ndarray) -> float:
    """Intersection over union in [0, 1] of two masks of one shape; see `contract` for empty ones."""
    return count_voxels(prediction, reference).iou


def precision(prediction: np.ndarray, reference: np.ndarray) -> float | None:
    """Part of the prediction inside the reference; None when only the prediction is empty."""
    return count_voxels(prediction, reference).precision


def recall(prediction: np.ndarray, reference: np.ndarray) -> float | None:
    """Part of the reference inside the prediction; None when only the reference is empty."""
    return count_voxels(prediction, reference).recall


def volume_difference_ml(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Volume of the prediction minus that of the reference, in mL; `spacing_mm` in the array's axis order ([z, y, x])."""
    counts = count_voxels(prediction, reference)
    voxel_ml = float(np.prod(as_spacing(spacing_mm, np.ndim(prediction)))) / 1000.0
    return (counts.prediction - counts.reference) * voxel_ml
