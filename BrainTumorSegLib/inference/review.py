"""Which slices of a result a reader should look at, the most doubtful first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.planes import acquisition_plane
from BrainTumorSegLib.labels import BACKGROUND
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE
from BrainTumorSegLib.volume import Volume

DOUBT = 0.5
"""Entropy (see `uncertainty.entropy`) from which a voxel is in doubt: for one class a probability between 0.11 and 0.89,
of four classes from an even doubt between two of them on."""


@dataclass(frozen=True)
class ReviewPlan:
    """The slices of one result that are worth a look.

    Attributes:
        plane: "axial", "coronal" or "sagittal": the plane the scanner took, axial where all are alike.
        axis: the axis of the array [z, y, x] that its slices are stacked along.
        slices: indices along `axis` of every slice with a label or a voxel in doubt, the largest area in doubt first.
        doubt_mm2: area in doubt of every slice along `axis`, in mm².
        centers: for each of `slices` the voxel (x, y, z) to look at: the middle of what is in doubt, else of what is labeled.
    """

    plane: str
    axis: int
    slices: tuple[int, ...]
    doubt_mm2: tuple[float, ...]
    centers: dict[int, tuple[int, int, int]]


def plan_review(labels: Volume, uncertainty: Volume | None = None) -> ReviewPlan:
    """Order the slices of a result by the area in which the network was in doubt.

    Args:
        labels: the label map as the model made it, not as edited: the list must not change while somebody works through it.
        uncertainty: entropy in [0, 1] on the same grid; without it, slices come in the order of their labeled area.

    Raises:
        InputError: the two lie on different grids.
    """
    if uncertainty is not None and not uncertainty.same_grid(labels):
        raise InputError(f"{uncertainty.name} lies on another grid than {labels.name}, but doubt is counted voxel by voxel; run the model again")
    plane, axis = review_axis(labels)
    found = labels.array != BACKGROUND
    doubtful = np.zeros_like(found) if uncertainty is None else uncertainty.array >= DOUBT
    in_slice = tuple(other for other in range(3) if other != axis)
    doubt, area = (np.count_nonzero(mask, axis=in_slice) for mask in (doubtful, found))
    worth = np.flatnonzero(doubt + area)
    order = worth[np.lexsort((worth, -area[worth], -doubt[worth]))].tolist()
    pixel_mm2 = float(np.prod([labels.spacing_zyx_mm[other] for other in in_slice]))
    centers = {index: _center((doubtful if doubt[index] else found).take(index, axis), axis, index) for index in order}
    return ReviewPlan(plane, axis, tuple(order), tuple((doubt * pixel_mm2).tolist()), centers)


def next_slice(slices: Sequence[int], reviewed: Collection[int], postponed: Sequence[int] = ()) -> int | None:
    """The slice to look at next: the first that is neither reviewed nor postponed, then the postponed ones; None when all are reviewed."""
    left = [index for index in slices if index not in reviewed]
    waiting = [index for index in postponed if index in left]
    return next(iter([index for index in left if index not in waiting] + waiting), None)


def review_axis(volume: Volume) -> tuple[str, int]:
    """The plane in which a volume is looked through, and the axis of its array [z, y, x] that the slices are stacked along."""
    orientation = orientation_of(volume)
    plane = acquisition_plane(orientation.canonical(volume.array).shape, orientation.canonical_spacing(volume))
    return plane, orientation.axes[AXIS_OF_PLANE[plane]]


def _center(mask: np.ndarray, axis: int, index: int) -> tuple[int, int, int]:
    """(x, y, z) of the voxel of a slice's mask that is nearest to the middle of its mask; the middle of a ring lies outside of it."""
    inside = np.argwhere(mask)
    position: list[int] = inside[np.square(inside - inside.mean(axis=0)).sum(axis=1).argmin()].tolist()
    position.insert(axis, index)
    z, y, x = position
    return x, y, z
