"""Volumes turned so that their axes point the same way, without resampling, and results turned back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from BrainTumorSegLib.volume import Volume


@dataclass(frozen=True)
class Orientation:
    """How the axes of an array lie in the patient.

    Attributes:
        axes: for each canonical axis (z up, y back, x left), the array axis that runs along it.
        flips: for each canonical axis, whether that array axis runs the other way.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def canonical(self, array: np.ndarray) -> np.ndarray:
        """The array as [z up, y back, x left] (ITK's LPS), a view."""
        return array.transpose(self.axes)[self._steps()]

    def restore(self, array: np.ndarray) -> np.ndarray:
        """The inverse of `canonical`, a view."""
        return array[self._steps()].transpose(np.argsort(self.axes))

    def canonical_spacing(self, volume: Volume) -> tuple[float, float, float]:
        """Spacing in mm along the canonical axes (z, y, x)."""
        spacing = volume.spacing_zyx_mm
        return spacing[self.axes[0]], spacing[self.axes[1]], spacing[self.axes[2]]

    def _steps(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)


def orientation_of(volume: Volume) -> Orientation:
    """The assignment of array axes to canonical ones that an oblique volume deviates from least."""
    cosines = volume.matrix[::-1, ::-1]  # [patient z y x, array z y x]
    best = max(permutations(range(3)), key=lambda axes: sum(abs(cosines[i, axis]) for i, axis in enumerate(axes)))
    flips = [bool(cosines[i, axis] < 0) for i, axis in enumerate(best)]
    return Orientation((best[0], best[1], best[2]), (flips[0], flips[1], flips[2]))
