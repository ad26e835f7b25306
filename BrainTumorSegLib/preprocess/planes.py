"""Axial, coronal and sagittal slices of a volume, each the way a radiologist sees it on a picture."""

from __future__ import annotations

import numpy as np

PLANES = ("axial", "coronal", "sagittal")
AXIS_OF_PLANE = {"axial": 0, "coronal": 1, "sagittal": 2}
"""Axis of a canonical [z, y, x] array that a plane's slices are stacked along."""


def plane_view(array: np.ndarray, plane: str) -> np.ndarray:
    """Slices [N, height, width] of a canonical array [z up, y back, x left] (ITK's LPS), without copying.

    Axial: front at the top, the patient's right on the left. Coronal: head up, the patient's right on the left.
    Sagittal: head up, face to the left.
    """
    if plane == "axial":
        return array
    if plane == "coronal":
        return array.transpose(1, 0, 2)[:, ::-1]
    if plane == "sagittal":
        return array.transpose(2, 0, 1)[:, ::-1]
    raise ValueError(f"plane is {plane!r}, but it is one of {', '.join(PLANES)}; choose one of them")


def volume_view(slices: np.ndarray, plane: str) -> np.ndarray:
    """The inverse of `plane_view`: [N, height, width] -> canonical [z, y, x], without copying."""
    if plane == "axial":
        return slices
    if plane == "coronal":
        return slices[:, ::-1].transpose(1, 0, 2)
    if plane == "sagittal":
        return slices[:, ::-1].transpose(1, 2, 0)
    raise ValueError(f"plane is {plane!r}, but it is one of {', '.join(PLANES)}; choose one of them")
