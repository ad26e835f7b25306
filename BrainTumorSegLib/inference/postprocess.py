"""Small islands removed and small holes filled, by volume in mm3; islands removed that too few slices of a stack show."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Box = tuple[slice, ...]
LARGEST_SHARE = 0.1
"""From this share of the largest island on, another one is no satellite but a tumor of its own."""


def remove_islands(mask: np.ndarray, voxel_mm3: float, min_island_mm3: float) -> np.ndarray:
    """`mask` [z, y, x] without 26-connected islands smaller than `min_island_mm3`."""
    if min_island_mm3 <= 0:
        return mask
    return _islands_where(mask, lambda parts, count, _: np.bincount(parts.ravel(), minlength=count + 1)[1:] * voxel_mm3 >= min_island_mm3)


def remove_satellites(mask: np.ndarray, inner: np.ndarray, voxel_mm3: float, min_satellite_mm3: float) -> np.ndarray:
    """`mask` [z, y, x] without the small 26-connected islands that hold nothing of `inner` and lie beside something far larger.

    Edema comes with a core: a little of it elsewhere is mostly a bright cortex or an old scar. Removed is what is smaller than
    `min_satellite_mm3` and than a tenth of the largest island, so that a tumor that is small itself stays.
    """
    if min_satellite_mm3 <= 0:
        return mask

    def kept(parts: np.ndarray, count: int, box: Box) -> np.ndarray:
        sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
        return _holding(parts, count, inner[box]) | (sizes * voxel_mm3 >= min_satellite_mm3) | (sizes >= LARGEST_SHARE * sizes.max())

    return _islands_where(mask, kept)


def islands_touching(mask: np.ndarray, other: np.ndarray) -> np.ndarray:
    """`mask` [z, y, x] without the 26-connected islands that have no voxel in common with `other`."""
    return _islands_where(mask, lambda parts, count, box: _holding(parts, count, other[box]))


def remove_thin_islands(mask: np.ndarray, axis: int, min_slices: int) -> np.ndarray:
    """`mask` [z, y, x] without 26-connected islands seen in fewer than `min_slices` slices along `axis`.

    A stack of no more than `min_slices` slices is left as it is: there what one slice shows has too few neighbors to be judged by.
    """
    if min_slices <= 1 or mask.shape[axis] <= min_slices:
        return mask
    from scipy import ndimage

    def kept(parts: np.ndarray, count: int, _: Box) -> np.ndarray:
        return np.array([extent[axis].stop - extent[axis].start >= min_slices for extent in ndimage.find_objects(parts, count)])

    return _islands_where(mask, kept)


def largest_island(mask: np.ndarray) -> np.ndarray:
    """The largest 26-connected island of `mask` [z, y, x]."""
    return _islands_where(mask, lambda parts, count, _: np.arange(count) == np.argmax(np.bincount(parts.ravel(), minlength=count + 1)[1:]))


def fill_holes(mask: np.ndarray, voxel_mm3: float, max_hole_mm3: float) -> np.ndarray:
    """`mask` [z, y, x] with enclosed 6-connected holes up to `max_hole_mm3` filled; background that reaches the border is no hole."""
    if max_hole_mm3 <= 0 or not mask.any():
        return mask
    from scipy import ndimage

    box = padded_box(mask)
    outside = ~mask[box]
    parts, count = ndimage.label(outside)
    if not count:
        return mask
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    open_parts = np.unique(np.concatenate([face.ravel() for axis in range(3) for face in (parts.take(0, axis), parts.take(-1, axis))]))
    fill = sizes * voxel_mm3 <= max_hole_mm3
    fill[open_parts] = False
    fill[0] = False
    filled = mask.copy()
    filled[box] |= fill[parts]
    return filled


def _holding(parts: np.ndarray, count: int, other: np.ndarray) -> np.ndarray:
    """Which of the parts numbered 1 to count share a voxel with `other`, bool [count]."""
    return np.bincount(parts[other], minlength=count + 1)[1:] > 0


def _islands_where(mask: np.ndarray, kept: Callable[[np.ndarray, int, Box], np.ndarray]) -> np.ndarray:
    """The 26-connected islands that `kept` keeps: of the parts numbered 1 to count in a box of the mask, bool [count]."""
    if not mask.any():
        return mask
    from scipy import ndimage

    box = padded_box(mask)
    parts, count = ndimage.label(mask[box], ndimage.generate_binary_structure(mask.ndim, mask.ndim))
    cleaned = np.zeros_like(mask)
    cleaned[box] = np.concatenate([[False], kept(parts, count, box)])[parts]
    return cleaned


def padded_box(mask: np.ndarray) -> Box:
    """Bounding box of a mask that is not empty, one voxel wider where the volume goes on, so that what surrounds the mask is one open part."""
    bounds = []
    for axis in range(mask.ndim):
        other = tuple(i for i in range(mask.ndim) if i != axis)
        where = np.flatnonzero(mask.any(axis=other))
        bounds.append(slice(max(int(where[0]) - 1, 0), min(int(where[-1]) + 2, mask.shape[axis])))
    return tuple(bounds)
