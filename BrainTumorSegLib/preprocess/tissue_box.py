"""Where in a volume there is tissue: the rest is air, which a network need not see."""

from __future__ import annotations

import numpy as np

AIR = 0.15
"""Tissue units below which a voxel may be air."""


def tissue_box(tissue: np.ndarray) -> tuple[slice, slice, slice]:
    """The smallest box with all that is above `AIR` in any channel; the whole volume where nothing is.

    Args:
        tissue: [C, Z, Y, X] in tissue units, 0 where a sequence is missing.

    Returns:
        Slices along z, y and x.
    """
    inside = tissue.max(axis=0) > AIR
    return _bounds(inside, 0), _bounds(inside, 1), _bounds(inside, 2)


def _bounds(inside: np.ndarray, axis: int) -> slice:
    where = np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis)))
    return slice(int(where[0]), int(where[-1]) + 1) if len(where) else slice(0, inside.shape[axis])
