"""Which slices the network need not see: a look at every few slices of all planes first, then at all those about what it showed.

A lesion is overlooked only where it fits between the slices looked at in all three planes at once. The gap between them is so small that
such a lesion is one of the islands that are removed from the result anyway, so the gap follows from that limit: see `gap_for`. One plane
alone is no safe look: what a network misses in one it often finds in another (docs/early-exit.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from BrainTumorSegLib.inference.sparse_planes import every_nth
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, PLANES, volume_view

LOW = 0.1
"""Probability in any plane from which a voxel is a finding; less is no doubt worth a review either (see `review.DOUBT`)."""
MOST_GAP_MM = 5.0
"""Between two slices of the first look, at most, however large the islands are that get removed."""
MARGIN_MM = 5.0
"""Around findings: a lesion goes on behind the last slice that shows it for less than a gap."""


def gap_for(min_island_mm3: float) -> float:
    """Largest gap in mm that hides no more than a cube of `min_island_mm3`; 0, which means every slice, where no island is removed."""
    return float(min(max(min_island_mm3, 0.0) ** (1 / 3), MOST_GAP_MM))


def first_look(shape: Sequence[int], spacing_mm: Sequence[float], planes: Sequence[str], gap_mm: float) -> dict[str, np.ndarray]:
    """Plane -> which of its slices, bool [N], are looked at first: all of them where fewer than all planes are run.

    Args:
        shape, spacing_mm: of the canonical volume, (z, y, x).
        gap_mm: tissue that may lie between two slices.
    """
    looked = {}
    for plane in planes:
        axis = AXIS_OF_PLANE[plane]
        step = 1 + int(gap_mm / spacing_mm[axis] + 1e-6) if set(planes) == set(PLANES) else 1
        looked[plane] = every_nth(shape[axis], step)
    return looked


class Findings:
    """Where along the axes z, y and x of a volume of `shape` the first look showed anything."""

    def __init__(self, shape: Sequence[int]) -> None:
        self._along = [np.zeros(n, bool) for n in shape]

    def add(self, maps: np.ndarray, plane: str, slices: np.ndarray) -> None:
        """Note the probabilities [n, K, H, W] of these slices of a plane."""
        found = volume_view(maps.max(axis=1) >= LOW, plane)
        for axis, along in enumerate(self._along):
            here = found.any(axis=tuple(other for other in range(3) if other != axis))
            if axis == AXIS_OF_PLANE[plane]:
                along[slices] |= here
            else:
                along |= here

    def about(self, spacing_mm: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which slices along z, y and x, bool [Z], [Y] and [X], lie within `MARGIN_MM` of a finding: every voxel of it lies in three of them."""
        z, y, x = (_widened(along, int(np.ceil(MARGIN_MM / mm))) for along, mm in zip(self._along, spacing_mm))
        return z, y, x


def clear_outside(maps: np.ndarray, about: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    """Set [K, Z, Y, X] to 0 wherever not all planes were run, so that no voxel has a part of a mean."""
    z, y, x = about
    maps[:, ~z] = 0
    maps[:, :, ~y] = 0
    maps[:, :, :, ~x] = 0


def _widened(along: np.ndarray, reach: int) -> np.ndarray:
    where = np.flatnonzero(along)
    near = (where[:, None] + np.arange(-reach, reach + 1)).ravel()
    widened = np.zeros_like(along)
    widened[near[(near >= 0) & (near < len(along))]] = True
    return widened
