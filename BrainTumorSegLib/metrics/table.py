"""The table of metrics: a new metric is its function and one row here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.metrics.masks import as_spacing
from BrainTumorSegLib.metrics.overlap import Counts, count_voxels
from BrainTumorSegLib.metrics.surface import SurfaceDistances, surface_distances

NSD_TOLERANCE_MM = 1.0


@dataclass(frozen=True)
class Comparison:
    """What every metric is computed from: the counts, the surface distances and the volume of a voxel."""

    counts: Counts
    distances: SurfaceDistances
    voxel_ml: float


@dataclass(frozen=True)
class Metric:
    """One row: the key of the result, its unit ("", "mm" or "mL") and the reducer (None is undefined)."""

    key: str
    unit: str
    of: Callable[[Comparison], float | None]


METRICS: tuple[Metric, ...] = (
    Metric("dice", "", lambda pair: pair.counts.dice),
    Metric("iou", "", lambda pair: pair.counts.iou),
    Metric("hd95", "mm", lambda pair: pair.distances.hd95()),
    Metric("precision", "", lambda pair: pair.counts.precision),
    Metric("recall", "", lambda pair: pair.counts.recall),
    Metric("assd", "mm", lambda pair: pair.distances.assd()),
    Metric("nsd", "", lambda pair: pair.distances.nsd(NSD_TOLERANCE_MM)),
    Metric("prediction_volume", "mL", lambda pair: pair.counts.prediction * pair.voxel_ml),
    Metric("reference_volume", "mL", lambda pair: pair.counts.reference * pair.voxel_ml),
    Metric("volume_difference", "mL", lambda pair: (pair.counts.prediction - pair.counts.reference) * pair.voxel_ml),
)


def compare(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> Comparison:
    """Do the expensive part once for two masks of one shape; `spacing_mm` in the array's axis order.

    Raises:
        ValueError: see `masks.as_masks` and `masks.as_spacing`.
    """
    voxel_ml = float(np.prod(as_spacing(spacing_mm, np.ndim(prediction)))) / 1000.0
    return Comparison(count_voxels(prediction, reference), surface_distances(prediction, reference, spacing_mm), voxel_ml)


def scores(comparison: Comparison, has_millimeters: bool = True) -> dict[str, float | None]:
    """Every metric of `METRICS`, with the unit in the key: `dice`, `hd95_mm`, `reference_volume_ml`, ...

    Lengths are given twice, as `hd95_mm` and `hd95_px`: one of them is None, by whether the masks have millimeters.
    Volumes of masks without millimeters are None.
    """
    results: dict[str, float | None] = {}
    for metric in METRICS:
        value = metric.of(comparison)
        if metric.unit == "mm":
            results[f"{metric.key}_mm"] = value if has_millimeters else None
            results[f"{metric.key}_px"] = None if has_millimeters else value
        elif metric.unit == "mL":
            results[f"{metric.key}_ml"] = value if has_millimeters else None
        else:
            results[metric.key] = value
    return results
