"""The door of the metrics: what counts as a mask, a spacing, and the box that holds the foreground."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def as_masks(prediction: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as boolean arrays of one shape; in an integer array every value but 0 is foreground.

    Raises:
        ValueError: different shapes, or an array of floats, in which the threshold would be a guess.
    """
    masks = np.asarray(prediction), np.asarray(reference)
    if masks[0].shape != masks[1].shape:
        raise ValueError(f"prediction has the shape {masks[0].shape} and reference {masks[1].shape}, but both must lie on one grid; resample one first")
    for name, mask in zip(("prediction", "reference"), masks):
        if mask.dtype != bool and not np.issubdtype(mask.dtype, np.integer):
            raise ValueError(f"{name} holds {mask.dtype} values, but a mask is boolean or integer; apply a threshold first, for instance `{name} > 0.5`")
    return masks[0].astype(bool, copy=False), masks[1].astype(bool, copy=False)


def as_spacing(spacing_mm: Sequence[float], ndim: int) -> np.ndarray:
    """`spacing_mm` as float64 [ndim], in the order of the array's axes.

    Raises:
        ValueError: not one finite value greater than 0 for each axis.
    """
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    if spacing.shape != (ndim,) or not np.isfinite(spacing).all() or (spacing <= 0).any():
        raise ValueError(f"spacing_mm is {spacing_mm}, but the masks have {ndim} axes; give one value greater than 0 for each, in the array's axis order")
    return spacing


def foreground_box(mask: np.ndarray) -> tuple[slice, ...]:
    """The smallest box around a boolean mask that is not empty, as one slice for each axis."""
    box: list[slice] = []
    for axis in range(mask.ndim):
        # The box found so far is applied first: later axes then look at a fraction of the voxels.
        seen = mask[tuple(box)].any(axis=tuple(other for other in range(mask.ndim) if other != axis))
        places = np.flatnonzero(seen)
        box.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(box)
