"""Made-up heads of the usual sizes, for timing: the embedded phantom stretched onto the grid."""

from __future__ import annotations

import numpy as np

from BrainTumorSegLib.io.images import read_volume
from BrainTumorSegLib.resources import find_resources
from BrainTumorSegLib.volume import Volume

GRIDS = {1: (256, 256, 256), 4: (155, 240, 240)}
"""Sequences that a model reads -> voxels of 1 mm in (z, y, x): a clinical 3-D T1, and a case as BraTS has it."""


def made_up_head(shape: tuple[int, int, int]) -> Volume:
    """The phantom's T1ce on `shape` (z, y, x) voxels of 1 mm, the nearest voxel of it for each; whole numbers, as scanners give."""
    phantom = read_volume(find_resources() / "Phantom" / "t1ce.nii.gz")
    picked = [np.minimum((np.arange(n) + 0.5) * old / n, old - 1).astype(int) for n, old in zip(shape, phantom.array.shape)]
    array = np.rint(phantom.array[np.ix_(*picked)]).astype(np.int16)
    return Volume(array, (1.0, 1.0, 1.0), phantom.origin, phantom.direction)
