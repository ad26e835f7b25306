"""Where in a volume there is tissue: the rest is air, which a network need not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

AIR = 0.15
"""Tissue units below which a voxel may be air."""
Box = tuple[slice, slice, slice]
WHOLE: Box = (slice(None), slice(None), slice(None))


def tissue_box(channels: Sequence[np.ndarray] | np.ndarray, air: Sequence[float] | None = None) -> Box:
    """The smallest box with all that is above air in any channel; the whole volume where nothing is.

    Args:
        channels: [Z, Y, X] each, of one shape.
        air: gray level of each channel up to which a voxel may be air; by default `AIR`, for channels in tissue units.

    Returns:
        Slices along z, y and x.
    """
    inside = np.zeros(channels[0].shape, bool)
    for channel, level in zip(channels, air or [AIR] * len(channels)):
        inside |= channel > level
    return _bounds(inside, 0), _bounds(inside, 1), _bounds(inside, 2)


def _bounds(inside: np.ndarray, axis: int) -> slice:
    where = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
    return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, inside.shape[axis])
