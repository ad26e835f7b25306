"""Fewer slices where three planes cross: every few slices of each plane are run, and between them its probabilities are interpolated.

Between two slices that are left out in one plane the other two planes still cut every millimeter, so that little is lost; what is
lost was measured (docs/early-exit.md). One plane alone has no others to fill its gaps, and is always run whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, PLANES


def steps(planes: Sequence[str], spacing_mm: Sequence[float], step_mm: float) -> dict[str, int]:
    """Plane -> of how many slices one is run, so that they lie at most `step_mm` apart; 1 where not all planes are run.

    Args:
        spacing_mm: of the canonical volume, (z, y, x).
        step_mm: 0 runs every slice.
    """
    all_planes = set(planes) == set(PLANES)
    return {plane: max(int(step_mm / spacing_mm[AXIS_OF_PLANE[plane]] + 1e-6), 1) if all_planes else 1 for plane in planes}


def every_nth(n: int, step: int) -> np.ndarray:
    """Which of `n` slices are run, bool [n]: what the step leaves over is shared between both ends."""
    chosen = np.zeros(n, bool)
    chosen[(n - 1) % step // 2 :: step] = True
    return chosen


def interpolate(values: np.ndarray, n: int, step: int) -> np.ndarray:
    """[n, H, W] from `values` [m, H, W] of the m slices of `every_nth(n, step)`: linear between two, constant beyond the first and last."""
    run = np.flatnonzero(every_nth(n, step))
    weights = np.stack([np.interp(np.arange(n), run, unit) for unit in np.eye(len(run))], axis=1)
    return np.tensordot(weights.astype(np.float32), values, 1)
