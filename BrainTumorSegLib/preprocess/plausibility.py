"""Whether a volume's size fits a head: a wrong spacing makes every millimeter and milliliter of the result wrong. And whether it is a whole head."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.tissue_box import AIR
from BrainTumorSegLib.volume import Volume

_SMALLEST_MM, _LARGEST_MM = 80.0, 500.0
_FINEST_MM, _COARSEST_MM = 0.2, 10.0
_LARGEST_BRAIN_ML = 2000.0
"""Brains without skull have 1167 to 1872 mL of tissue (156 volumes of 39 patients), heads 2142 mL and more (22 volumes of 10 people)."""
_SAMPLES = 32


def unlikely_size_mm(volume: Volume) -> tuple[float, float, float] | None:
    """Extent (x, y, z) in mm where it is no usual size of a head, else None; a thin slab is usual, and a picture has no mm."""
    x, y, z = (length * spacing for length, spacing in zip(volume.array.shape[::-1], volume.spacing_mm))
    _, middle, largest = sorted((x, y, z))
    return (x, y, z) if volume.has_millimeters and (middle < _SMALLEST_MM or largest > _LARGEST_MM) else None


def unlikely_spacing_mm(volume: Volume) -> float | None:
    """The first distance between voxels that no usual head scan has, in mm, else None."""
    if not volume.has_millimeters:
        return None
    return next((spacing for spacing in volume.spacing_mm if not _FINEST_MM <= spacing <= _COARSEST_MM), None)


def shows_head(volume: Volume) -> bool:
    """Whether there is more tissue than a brain has: skull, scalp or neck. Some milliseconds: about 32 samples along an axis are counted."""
    if not volume.has_millimeters:
        return False
    steps = tuple(slice(None, None, max(1, n // _SAMPLES)) for n in volume.array.shape)
    sample = np.nan_to_num(volume.array[steps].astype(np.float32), posinf=0.0, neginf=0.0)  # what is wrong with it is told elsewhere
    share = np.count_nonzero(fit_tissue_scale(sample).apply(sample) > AIR) / sample.size
    return bool(share * volume.array.size * volume.voxel_ml > _LARGEST_BRAIN_ML)
