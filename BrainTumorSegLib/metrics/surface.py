"""Distances between the borders of two masks: HD95, ASSD and NSD, in mm; empty masks as in `contract`.

The distances are found once (`surface_distances`); every score only reduces them. A border voxel belongs to its mask
and has a face neighbor that does not; what lies beyond the array counts as outside. The numbers are MONAI's
(`compute_hausdorff_distance`, `compute_average_surface_distance`, `compute_surface_dice` without sub-voxels).

`spacing_mm` is in the order of the array's axes: [z, y, x] for a volume, [y, x] for a slice. For a picture, whose
pixels have no size, give 1 for each axis and read the results as pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.metrics.contract import WHEN_EMPTY, status_of
from BrainTumorSegLib.metrics.masks import as_masks, as_spacing, foreground_box

_WORTH_THREADS = 2000
"""Border voxels from which a search on all cores gains more than starting its threads costs."""


@dataclass(frozen=True)
class SurfaceDistances:
    """Distance of each border voxel to the nearest of the other mask's border, in mm; infinite when there is none.

    Attributes:
        from_prediction: float64 [border voxels of the prediction].
        from_reference: float64 [border voxels of the reference].
    """

    from_prediction: np.ndarray
    from_reference: np.ndarray

    @property
    def status(self) -> str:
        return status_of(self.from_prediction.size, self.from_reference.size)

    def hd95(self) -> float | None:
        """The larger of the two directed 95th percentiles, in mm; None when only one mask is empty."""
        empty = WHEN_EMPTY.get(self.status)
        if empty:
            return empty.distance
        return float(max(np.percentile(self.from_prediction, 95), np.percentile(self.from_reference, 95)))

    def assd(self) -> float | None:
        """Mean of both directions together (average symmetric surface distance), in mm; None when only one mask is empty."""
        empty = WHEN_EMPTY.get(self.status)
        return empty.distance if empty else float(np.concatenate([self.from_prediction, self.from_reference]).mean())

    def nsd(self, tolerance_mm: float) -> float:
        """Part of both borders within `tolerance_mm` (>= 0) of the other, in [0, 1] (Nikolov et al. 2021, doi:10.2196/26151)."""
        if not tolerance_mm >= 0:
            raise ValueError(f"tolerance_mm is {tolerance_mm}, but a distance is at least 0; give for instance 1.0")
        empty = WHEN_EMPTY.get(self.status)
        if empty:
            return empty.overlap
        within = np.count_nonzero(self.from_prediction <= tolerance_mm) + np.count_nonzero(self.from_reference <= tolerance_mm)
        return within / (self.from_prediction.size + self.from_reference.size)


def border(mask: np.ndarray) -> np.ndarray:
    """The border voxels of a boolean mask: mask XOR its erosion by the face neighbors."""
    inner = mask.copy()
    for axis in range(mask.ndim):
        eroded, source = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
        eroded[1:] &= source[:-1]
        eroded[:-1] &= source[1:]
        eroded[:1] = eroded[-1:] = False
    return mask & ~inner


def surface_distances(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> SurfaceDistances:
    """Distances between the borders of two masks of one shape, `spacing_mm` in the array's axis order.

    Raises:
        ValueError: see `masks.as_masks` and `masks.as_spacing`.
    """
    prediction, reference = as_masks(prediction, reference)
    spacing = as_spacing(spacing_mm, prediction.ndim)
    either = prediction | reference
    if not either.any():
        return SurfaceDistances(np.zeros(0), np.zeros(0))
    box = foreground_box(either)
    borders = border(prediction[box]), border(reference[box])
    points = np.argwhere(borders[0]) * spacing, np.argwhere(borders[1]) * spacing
    return SurfaceDistances(_to_nearest(*borders, *points), _to_nearest(*borders[::-1], *points[::-1]))


def _to_nearest(of: np.ndarray, to: np.ndarray, points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """mm from each True of `of` to the nearest True of `to`; `points` and `others` [n, axes] are where those lie, in mm."""
    from scipy.spatial import cKDTree

    apart = ~to[of]  # the two borders often share most voxels, whose distance is 0
    distances = np.zeros(apart.size)
    if not len(others):
        distances[:] = np.inf
    elif apart.any():
        # A tree that is used once: sliding midpoints build faster than balanced ones and answer the same.
        tree = cKDTree(others, leafsize=32, balanced_tree=False, compact_nodes=False)
        workers = -1 if np.count_nonzero(apart) > _WORTH_THREADS else 1
        distances[apart] = tree.query(points[apart], workers=workers)[0]
    return distances


def hd95(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float], penalty_mm: float | None = None) -> float | None:
    """95th-percentile Hausdorff distance of two masks of one shape, in mm.

    Args:
        spacing_mm: in the array's axis order.
        penalty_mm: what to give where the distance is undefined (one mask empty), for instance
            `contract.BRATS_PENALTY_MM`; by default None is given.

    Raises:
        ValueError: see `surface_distances`.
    """
    distance = surface_distances(prediction, reference, spacing_mm).hd95()
    return penalty_mm if distance is None else distance


def assd(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float]) -> float | None:
    """Average symmetric surface distance in mm, `spacing_mm` in the array's axis order; None when only one mask is empty."""
    return surface_distances(prediction, reference, spacing_mm).assd()


def nsd(prediction: np.ndarray, reference: np.ndarray, spacing_mm: Sequence[float], tolerance_mm: float) -> float:
    """Normalized surface Dice in [0, 1] at a tolerance in mm, `spacing_mm` in the array's axis order."""
    return surface_distances(prediction, reference, spacing_mm).nsd(tolerance_mm)
