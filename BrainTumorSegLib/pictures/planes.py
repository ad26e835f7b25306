"""Slices of a volume as a radiologist expects them: patient's right on the left of the picture, square millimeters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.volume import Volume

PLANES = ("axial", "coronal", "sagittal")
EDGE_LETTERS = {"axial": ("R", "L", "A", "P"), "coronal": ("R", "L", "S", "I"), "sagittal": ("A", "P", "S", "I")}
"""Left, right, upper and lower edge of each plane's picture."""


@dataclass(frozen=True)
class Frame:
    """A grid turned and flipped, not resampled, so that its axes run most nearly to left (x), posterior (y) and superior (z).

    Attributes:
        order: for each axis z, y, x of the turned array, the axis of the original array.
        flipped: for each of them, whether it runs backwards there.
        spacing_mm: of the turned array, (z, y, x).
    """

    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]
    spacing_mm: tuple[float, float, float]

    def turn(self, array: np.ndarray) -> np.ndarray:
        """[z, y, x] of the volume to [superior, posterior, left]."""
        turned = np.transpose(array, self.order)
        return turned[tuple(slice(None, None, -1 if flip else 1) for flip in self.flipped)]


def frame_of(volume: Volume) -> Frame:
    """How to turn a volume; oblique axes go to the nearest anatomical one."""
    matrix = volume.matrix
    strength = np.abs(matrix)
    index_axis = [0, 0, 0]  # for the patient's x, y, z: the index axis (x, y, z) that runs along it
    for _ in range(3):
        patient, index = np.unravel_index(np.argmax(strength), (3, 3))
        index_axis[patient] = int(index)
        strength[patient, :] = strength[:, index] = -1
    backwards = [matrix[patient, index_axis[patient]] < 0 for patient in range(3)]
    z, y, x = 2, 1, 0
    order = (2 - index_axis[z], 2 - index_axis[y], 2 - index_axis[x])  # arrays are [z, y, x]
    spacing = volume.spacing_zyx_mm
    return Frame(order, (bool(backwards[z]), bool(backwards[y]), bool(backwards[x])), (spacing[order[0]], spacing[order[1]], spacing[order[2]]))


def plane_of(array: np.ndarray, plane: str, index: int) -> np.ndarray:
    """One slice of a turned array, [row, column], rows downwards."""
    if plane == "axial":
        return array[index]
    return array[::-1, index] if plane == "coronal" else array[::-1, :, index]


def pixel_mm(frame: Frame, plane: str) -> tuple[float, float]:
    """Height and width in mm of a pixel of `plane_of`."""
    z, y, x = frame.spacing_mm
    return {"axial": (y, x), "coronal": (z, x), "sagittal": (z, y)}[plane]


def busiest(mask: np.ndarray, plane: str) -> int:
    """The slice with most of the mask (the middle one of equals); the middle of the volume where the mask is empty."""
    axis = PLANES.index(plane)
    counts = np.count_nonzero(mask, axis=tuple(other for other in range(3) if other != axis))
    if not counts.any():
        return mask.shape[axis] // 2
    best = np.flatnonzero(counts == counts.max())
    return int(best[len(best) // 2])


def head_box(array: np.ndarray, mask: np.ndarray) -> tuple[slice, slice, slice]:
    """The part of a turned image worth showing: everything but dark background, and the whole mask."""
    bright = (array > _edge_of_air(array)) | mask
    box = []
    for axis in range(3):
        profile = bright.mean(axis=tuple(other for other in range(3) if other != axis))
        found = np.flatnonzero((profile > 0.01) | mask.any(axis=tuple(other for other in range(3) if other != axis)))
        first, last = (found[0], found[-1]) if found.size else (0, array.shape[axis] - 1)
        box.append(slice(max(int(first) - 2, 0), int(last) + 3))
    return box[0], box[1], box[2]


def _edge_of_air(array: np.ndarray) -> float:
    """A tenth of the way from the darkest voxel, which is air whatever offset a scanner or a file gives it, to the brightest."""
    dark = float(array.min())
    return dark + 0.1 * (float(np.percentile(array, 99)) - dark)


def to_gray(array: np.ndarray) -> np.ndarray:
    """uint8 for the screen: black at the 1st percentile of the head, white at its 99.7th."""
    values = array.astype(np.float32)
    head = values[values > _edge_of_air(values)]
    low, high = np.percentile(head if head.size else values, (1, 99.7))
    low = min(float(low), float(values.min()) + 0.1 * (float(high) - float(values.min())))  # air stays black
    return (np.clip((values - low) / max(float(high) - low, 1e-6), 0, 1) * 255).astype(np.uint8)
